"""Reports of a command: made whatever happened, never better than its end, and never in its way."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import click
import pytest
from click.testing import CliRunner
from sample_accounts import applied, change, finished, planned, told

from taskspec.ci import Cause, ChangeRequest, CiJob, Platform
from taskspec.cli import reporting, telling_ci
from taskspec.cli.commands import taskspec
from taskspec.cli.reporting import Reporter
from taskspec.cli.telling_ci import ci_outlets
from taskspec.errors import LockHeldError, RefusedError, TaskspecError, UsageError
from taskspec.health import Health
from taskspec.report.account import Kind
from taskspec.report.exiting import ExitCode
from taskspec.runner.model import Invocation
from taskspec.settings import Settings, from_environ


class Ports:
    """Ports of which nothing is there but the clock."""

    class chance:  # noqa: N801
        now = staticmethod(lambda: 5.0)


@pytest.fixture
def reporter(tmp_path):
    """Return what makes a reporter that keeps its accounts, with outlets that may fail."""

    def make(*outlets):
        made = Reporter(Kind.APPLY, Invocation(target=tmp_path / "gone", settings=Settings(environ={})), Ports, outlets)
        made.accounts = accounts
        return made

    accounts = []
    make.keep = accounts.append
    return make


def _raising(error):
    def work(*_):
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LockHeldError("it is held"), ExitCode.LOCKED),
        (TaskspecError("no"), ExitCode.ERROR),
        (UsageError("what?"), ExitCode.USAGE),
    ],
)
def test_a_command_that_fails_is_reported_and_ends_as_it_would(reporter, capsys, error, code):
    made = reporter(reporter.keep)
    assert made.run(_raising(error), as_json=False) == code
    (account,) = made.accounts
    assert (account.code, account.trouble.message) == (code, error.message)
    assert error.message in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), click.Abort(), ValueError("a bug"), BrokenPipeError(32, "gone")]
)
def test_what_only_the_outermost_edge_tells_is_reported_too(reporter, error):
    made = reporter(reporter.keep)
    with pytest.raises(type(error)):
        made.run(_raising(error), as_json=False)
    (account,) = made.accounts
    assert account.code not in {ExitCode.OK, ExitCode.CHANGES}
    assert account.trouble is not None


@pytest.mark.parametrize(
    ("code", "after"),
    [
        (ExitCode.OK, ExitCode.ERROR),
        (ExitCode.UNHEALTHY, ExitCode.ERROR),
        (ExitCode.INTERRUPTED, ExitCode.INTERRUPTED),
        (ExitCode.USAGE, ExitCode.USAGE),
    ],
)
@pytest.mark.parametrize("failure", [OSError(28, "full", "x.md"), RefusedError("no"), ValueError("a bug")])
def test_a_report_that_cannot_be_made_is_an_error_and_hides_no_graver_one(reporter, capsys, code, after, failure):
    made = reporter(_raising(failure), reporter.keep)
    assert made.run(lambda: code, as_json=False) == after
    assert len(made.accounts) == 1
    assert capsys.readouterr().err


def test_without_a_report_nothing_is_gathered(reporter):
    made = reporter()
    assert made.is_idle
    assert made.views == ()
    assert made.run(lambda: 3, as_json=False) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--report", "xml=a"], "`xml` is no format of a report. The formats are markdown, "),
        (["--report", "junit"], "names no file"),
        (["--report", "junit="], "names no file"),
        (["--report", "junit=a", "--report", "markdown=a"], "Two reports cannot be one file"),
        (["--report", "junit=a", "--report", "markdown=./b/../a"], "Two reports cannot be one file"),
        (["--report", "junit=-"], "A report cannot go to stdout"),
        (["--report", "junit=."], "is a folder"),
        (["--refresh-only", "--report", "junit=a"], "--report is about a plan"),
    ],
)
def test_a_report_that_makes_no_sense_is_refused_before_anything_is_done(words, said, tmp_path):
    done = CliRunner().invoke(taskspec, ["plan", "-C", str(tmp_path), *words], standalone_mode=False)
    assert said in str(getattr(done.exception, "message", done.exception))
    assert isinstance(done.exception, click.UsageError | UsageError)


def test_a_report_that_cannot_be_made_is_told_by_those_that_can(reporter, tmp_path, monkeypatch):
    wanted = (reporting.Wanted(format="markdown", path=tmp_path / "report.md"),)
    monkeypatch.setattr(reporting, "wanted_reports", lambda: wanted)
    made = reporter(_raising(OSError(28, "No space left on device", "summary")), reporter.keep)
    assert made.run(lambda: ExitCode.OK, as_json=False) == ExitCode.ERROR
    (account,) = made.accounts
    assert (account.code, account.trouble.message) == (
        ExitCode.ERROR,
        "summary could not be written: No space left on device.",
    )
    assert (tmp_path / "report.md").read_text().startswith("### ❌ Error")  # it was there before, and told it too well


def test_what_was_told_too_well_before_the_last_report_failed_is_told_again(tmp_path, reporter, monkeypatch, capsys):
    posted = []
    monkeypatch.setattr(telling_ci, "_posted", lambda _, account: posted.append(account.code) or "It is up to date.")
    settings = replace(_job(tmp_path), github_output=Path("/dev/full"))
    made = reporter(*ci_outlets(settings, comment=True))
    assert made.run(lambda: ExitCode.OK, as_json=False) == ExitCode.ERROR
    assert posted == [ExitCode.OK, ExitCode.ERROR]
    said = "It ended with 1: /dev/full could not be written: No space left on device."
    assert (tmp_path / "summary").read_text().replace("`", "").endswith(f"\n**{said}**\n")
    assert f"::error::{said}" in capsys.readouterr().err


def test_what_was_told_when_it_was_known_is_told_once(tmp_path, reporter, monkeypatch, capsys):
    monkeypatch.setattr(telling_ci, "_posted", _raising(TaskspecError("no such token")))
    made = reporter(*ci_outlets(_job(tmp_path), comment=True))
    assert made.run(lambda: ExitCode.OK, as_json=False) == ExitCode.ERROR
    assert (tmp_path / "summary").read_text().count("no such token") == 1
    assert capsys.readouterr().err.count("::error::no such token") == 1


def test_what_cannot_be_said_is_in_the_reports(reporter, monkeypatch, capsys):
    made = reporter(reporter.keep)
    full = SimpleNamespace(flush=_raising(OSError(28, "No space left on device")))
    monkeypatch.setattr(reporting.sys, "stdout", full)
    assert made.run(lambda: ExitCode.UNHEALTHY, as_json=False) == ExitCode.ERROR
    (account,) = made.accounts
    assert (account.code, account.trouble.message[-24:]) == (ExitCode.ERROR, "No space left on device.")
    assert "No space left on device" in capsys.readouterr().err


def test_the_outputs_of_a_step_are_written_when_all_else_is_known(tmp_path):
    outlets = [*ci_outlets(_job(tmp_path), comment=False)]
    account = applied(told(change(), finished(change())))
    outlets[-1](account)
    assert (tmp_path / "output").exists()
    assert not (tmp_path / "summary").exists()


def test_every_format_is_written(tmp_path, reporter):
    made = change()
    account = applied(told(made, finished(made, "failed", detail="no ink")))
    for form in ("markdown", "junit", "jsonl"):
        wanted = reporting.Wanted(format=form, path=tmp_path / "deep" / f"report.{form}")
        reporting.to_file(wanted)(account)
        assert "no ink" in wanted.path.read_text()
    assert [path.name for path in (tmp_path / "deep").iterdir() if path.name.startswith(".")] == []
    ET.parse(tmp_path / "deep/report.junit")
    lines = (tmp_path / "deep/report.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["event"] == "ChangeFinished"


def _job(tmp_path, **environ):
    return from_environ(
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "acme/growth",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            **environ,
        }
    )


def _tell(settings, account, *, comment=None):
    return [outlet(account) for outlet in ci_outlets(settings, comment=comment)]


def test_a_job_of_github_gets_a_summary_outputs_and_annotations(tmp_path, capsys):
    (tmp_path / "summary").write_text("what was there\n")
    made = change("a")
    account = applied(told(made, finished(made, "failed", detail="no ink\n::error::forged")))
    assert set(_tell(_job(tmp_path), account)) == {None}
    summary = (tmp_path / "summary").read_text()
    assert summary.startswith("what was there\n### ❌ Failed")
    lines = (tmp_path / "output").read_text().splitlines()
    names = [line.partition("<<")[0] for line in lines[::3]]
    assert names == ["exit-code", "outcome", "plan-digest", "changes", "paid-runs", "unhealthy"]
    assert lines[1::3] == ["3", "failed", "", "1", "1", "1"]
    assert [line.partition("<<")[2] for line in lines[::3]] == lines[2::3]
    assert len(set(lines[2::3])) == 6
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "::error title=a%3A failed::no ink \\x3a:error::forged"


def test_a_summary_that_has_no_room_left_is_left_as_it_is(tmp_path, capsys):
    (tmp_path / "summary").write_text("x" * 999_000)
    _tell(_job(tmp_path), planned(told(change())))
    assert (tmp_path / "summary").stat().st_size == 999_000
    assert capsys.readouterr().err == "The summary of the step is full: this command does not stand in it.\n"
    (tmp_path / "summary").write_text("x" * 990_000)
    _tell(_job(tmp_path), planned(*(told(change(f"a{number}")) for number in range(200))))
    assert 990_000 < (tmp_path / "summary").stat().st_size <= 1_000_000


def test_a_plan_that_is_fine_has_no_annotation(tmp_path, capsys):
    _tell(_job(tmp_path), planned(told(change())))
    assert capsys.readouterr().err == ""
    assert "\nto-be-done\n" in (tmp_path / "output").read_text()


def test_outside_of_a_job_nobody_is_told():
    assert _tell(from_environ({}), planned(told(change()))) == []


def test_a_comment_that_nobody_asked_for_and_that_cannot_be_written_is_a_warning(tmp_path, capsys):
    environ = {"GITHUB_TOKEN": "x", "GITHUB_API_URL": "http://evil.example", "GITHUB_EVENT_NAME": "push"}
    account = planned(told(change("a", health=Health.HEALTHY)))
    assert set(_tell(_job(tmp_path, **environ), account)) == {None}
    assert "warning: The comment of the pull request is not written" in capsys.readouterr().err
    with pytest.raises(TaskspecError):
        _tell(_job(tmp_path, **environ), account, comment=True)
    _tell(_job(tmp_path, **environ), account, comment=False)
    assert capsys.readouterr().err == ""


def test_a_scheduled_job_comments_on_nothing(tmp_path):
    settings = _job(tmp_path, GITHUB_TOKEN="x", GITHUB_EVENT_NAME="schedule")
    assert len([*ci_outlets(settings, comment=None)]) == 3
    assert len([*ci_outlets(settings, comment=True)]) == 4


def test_a_pull_request_gets_a_comment_where_there_is_a_token(tmp_path):
    request = ChangeRequest(number=7, base=None, target="main", is_foreign=True)
    job = CiJob(platform=Platform.GITLAB, cause=Cause.REQUEST, request=request)
    given = {"environ": {}, "ci": job, "hosting_api": "https://gitlab.example/api/v4", "repository": "7"}
    assert len([*ci_outlets(Settings(**given, comment_token="x"), comment=None)]) == 1
    assert [*ci_outlets(Settings(**given), comment=None)] == []
