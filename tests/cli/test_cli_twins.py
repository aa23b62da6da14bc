"""A create that the remote carried out twice: whoever reads a report is told which run nobody wants."""

import pytest


@pytest.fixture
def job(checkout, monkeypatch, tmp_path):
    """A job of GitHub Actions, with the file of its summary."""
    monkeypatch.setenv("TASKSPEC_STATE", "local")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    checkout.task("a")
    return checkout


def test_the_second_run_is_named_in_every_report(job, tmp_path):
    job.remote.sends = ["twice"]
    reports = [tmp_path / form for form in ("markdown", "html", "junit")]
    done = job.taskspec("reconcile", *(word for path in reports for word in ("--report", f"{path.name}={path}")))
    assert done.code == 9, done
    said = "a: the remote has one create of it as 2 runs: run-2 is kept, beside run-1"
    assert f"::error::{said}" in done.err
    for path in (*reports, tmp_path / "summary.md"):
        text = path.read_text().replace("`", "")
        assert said in text, text


def test_one_that_is_planned_with_is_told_once(job, tmp_path):
    job.remote.sends = ["twice"]
    assert job.taskspec("reconcile").code == 9
    summary = tmp_path / "summary.md"
    for words in (["--plan-only"], []):
        summary.unlink()
        done = job.taskspec("reconcile", "--refresh=full", *words)
        assert done.code == 9, done
        assert summary.read_text().count("- Duplicate: a: the remote has one create") == 1
