"""doctor, onto a remote: what it finds, what it asks before it pays, and that it shows no secret."""

import json
import time
from email.utils import formatdate
from types import SimpleNamespace

import pytest

from taskspec.cli import applying
from taskspec.runner import probing

KEY = "canary-" + "k" * 25


@pytest.fixture
def project(checkout, remote, monkeypatch):
    monkeypatch.setenv("SALES_KEY", KEY)
    remote.date = formatdate(time.time(), usegmt=True)
    checkout.task("a")
    return checkout


def found(done):
    """Return the checks of a doctor's document by name; of several of one name the last."""
    document = json.loads(done.out)
    return {one["check"]: one for one in document["checks"]}


def conditions(done):
    return {name: one["condition"] for name, one in found(done).items()}


def test_where_all_is_well_it_says_so_line_by_line(project):
    done = project.taskspec("doctor")
    assert done.code == 0, done
    assert done.out.splitlines()[-1].endswith("0 problems, 0 warnings.")
    assert all(line.startswith("ok ") for line in done.out.splitlines()[:-2])
    assert KEY not in done.out + done.err


def test_each_check_has_a_name_for_machines(project):
    assert conditions(project.taskspec("doctor", "--json")) == dict.fromkeys(
        ("versions", "project", "variables", "key", "state", "lock", "unknown", "results", "history", "way", "remote",
         "clock", "agents"),
        "ok",
    )  # fmt: skip


def test_it_asks_the_remote_for_nothing_but_what_is_there(project, remote):
    project.taskspec("doctor")
    assert set(remote.asked) <= {"GET"}


def test_offline_no_remote_is_asked(project, remote):
    done = project.taskspec("doctor", "--offline", "--json")
    assert done.code == 0
    assert not remote.asked
    assert "remote" not in found(done)


def test_a_key_that_is_not_there_is_a_problem(project, monkeypatch):
    monkeypatch.delenv("SALES_KEY")
    done = project.taskspec("doctor", "--json")
    assert (done.code, found(done)["key"]["condition"]) == (1, "problem")
    assert "SALES_KEY is not set" in found(done)["key"]["text"]


def test_a_key_that_the_remote_does_not_take_is_a_problem_and_is_not_shown(project, remote):
    remote.accepts_key = False
    done = project.taskspec("doctor", "--json")
    assert (done.code, found(done)["key"]["condition"]) == (1, "problem")
    assert KEY not in done.out + done.err


def test_a_remote_that_does_not_answer_is_a_problem_and_the_rest_is_told(project, remote):
    remote.silent = True
    done = project.taskspec("doctor", "--json")
    assert (done.code, conditions(done)["remote"], conditions(done)["state"]) == (1, "problem", "ok")


@pytest.mark.parametrize(("ahead", "words"), [(90, "behind"), (-3600, "ahead of")])
def test_a_clock_that_is_far_from_that_of_the_remote_is_a_problem(project, remote, ahead, words):
    remote.date = formatdate(time.time() + ahead, usegmt=True)
    done = project.taskspec("doctor", "--json")
    assert (done.code, found(done)["clock"]["condition"]) == (1, "problem")
    assert words in found(done)["clock"]["text"]


@pytest.mark.parametrize("ahead", [-25, 25])
def test_clocks_that_differ_a_little_are_well(project, remote, ahead):
    remote.date = formatdate(time.time() + ahead, usegmt=True)
    assert conditions(project.taskspec("doctor", "--json"))["clock"] == "ok"


@pytest.mark.parametrize("date", [None, "yesterday", "Mon, 99 Nov 99999 00:00:00 GMT"])
def test_a_remote_that_tells_no_time_leaves_the_clock_open(project, remote, date):
    remote.date = date
    done = project.taskspec("doctor", "--json")
    assert (done.code, conditions(done)["clock"]) == (0, "warning")


def test_an_agent_that_the_remote_does_not_have_is_named(project, remote):
    project.task("b", agent="stranger")
    done = project.taskspec("doctor", "--json")
    assert (done.code, "stranger" in found(done)["agents"]["text"]) == (1, True)


def test_wrong_manifests_are_a_problem_and_the_rest_is_told(project):
    project.task("b", nonsense=1)
    done = project.taskspec("doctor", "--json")
    assert (done.code, conditions(done)["project"], conditions(done)["remote"]) == (1, "problem", "ok")
    assert "taskspec validate" in found(done)["project"]["hint"]


def test_without_a_readable_project_file_there_is_no_more_to_check(project):
    (project.folder / "taskspec.yaml").write_text("apiVersion: taskspec/v1\nkind: Project\nspec: [")
    done = project.taskspec("doctor", "--json")
    assert (done.code, list(found(done))) == (1, ["versions", "project"])


def test_a_variable_without_a_value_is_named(project):
    project.project("  variables: {owner: {type: string}, place: {type: string, default: here}}\n")
    done = project.taskspec("doctor", "--json")
    assert (done.code, found(done)["variables"]["condition"]) == (0, "warning")
    assert "owner" in found(done)["variables"]["text"]


def test_a_proxy_is_told_without_its_password(project, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:canary-password@127.0.0.1:9")
    project.project()
    text = (project.folder / "taskspec.yaml").read_text().replace("http://127.0.0.1", "https://remote.test")
    (project.folder / "taskspec.yaml").write_text(text)
    done = project.taskspec("doctor", "--json")
    assert "through the proxy 127.0.0.1:9" in found(done)["way"]["text"]
    assert "canary" not in done.out + done.err


def test_an_open_outcome_is_told(project, remote):
    remote.sends = ["drop"]
    project.taskspec("apply", "--yes", "--on-unknown", "hold")
    done = project.taskspec("doctor", "--offline", "--json")
    assert (done.code, found(done)["unknown"]["condition"]) == (0, "warning")
    assert ": a" in found(done)["unknown"]["text"]


def test_before_it_pays_it_asks(project, remote):
    done = project.taskspec("doctor", "--remote")
    assert (done.code, remote.asked["POST"]) == (64, 0)
    assert "one run of the agent writer, which is paid for" in done.err
    assert project.taskspec("doctor", "--remote", "--json").code == 64
    assert remote.asked["POST"] == 0


def test_a_probe_that_is_declined_was_not_made(project, remote, monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(applying, "asked", lambda question: False)
    done = project.taskspec("doctor", "--remote")
    assert (done.code, remote.asked["POST"]) == (1, 0)
    assert "Nothing was started." in done.err


def test_a_probe_tells_what_the_remote_is_like_and_ends_its_runs(project, remote):
    remote.scripts[probing.PROMPT] = [["executing"], ["executing"]]
    done = project.taskspec("doctor", "--remote", "--yes", "--json")
    assert done.code == 0, done
    traits = json.loads(done.out)["traits"]
    listed = traits.pop("listedAfterSeconds")
    assert traits.pop("endsAfterSeconds") >= 0
    assert listed < 30
    assert traits == {
        "honoursClientIds": False,
        "keepsTitles": True,
        "keepsSources": False,
        "honoursIdempotencyKeys": False,
    }
    assert remote.asked["POST"] == 2, "a remote without keys has a second run"
    assert [run.steps for run in remote.runs.values()] == [["stopped"], ["stopped"]]


def test_a_remote_that_honours_keys_has_one_run_of_it(project, remote):
    remote.honours_keys = True
    done = project.taskspec("doctor", "--remote", "--yes", "--json")
    assert json.loads(done.out)["traits"]["honoursIdempotencyKeys"] is True
    assert len(remote.runs) == 1


def test_a_remote_that_drops_titles_is_a_problem(project, remote, monkeypatch):
    show = type(remote)._show

    def nameless(self, run, writer):
        self.runs[run].body["title"] = "Untitled"
        show(self, run, writer)

    monkeypatch.setattr(type(remote), "_show", nameless)
    done = project.taskspec("doctor", "--remote", "--yes", "--json")
    assert (done.code, json.loads(done.out)["traits"]["keepsTitles"]) == (1, False)


def test_a_remote_that_refuses_ids_of_clients_is_asked_without_one(project, remote):
    remote.sends = [404]
    done = project.taskspec("doctor", "--remote", "--yes", "--json")
    assert json.loads(done.out)["traits"]["honoursClientIds"] is False
    assert remote.asked["POST"] == 3


def test_a_probe_whose_outcome_is_unknown_is_told_and_not_repeated(project, remote):
    remote.sends = ["drop"]
    done = project.taskspec("doctor", "--remote", "--yes", "--json")
    assert (done.code, remote.asked["POST"]) == (1, 1)
    assert "whether a run was started is not known" in found(done)["probe"]["text"]


def test_a_run_that_cannot_be_stopped_is_told(project, remote):
    remote.scripts[probing.PROMPT] = [["executing"]]
    remote.honours_keys = True
    remote.stops = [404]
    done = project.taskspec("doctor", "--remote", "--yes", "--json")
    assert (done.code, found(done)["probe"]["text"]) == (1, "not stopped: run-1")


def test_a_probe_is_of_no_task_and_no_orphan(project, remote):
    project.taskspec("doctor", "--remote", "--yes")
    assert json.loads(project.taskspec("plan", "--json").out)["changes"][0]["action"] == "create"
    assert json.loads(project.taskspec("orphans", "--json").out)["orphans"] == []


@pytest.mark.parametrize("words", [("--offline", "--remote"), ("--agent", "writer"), ("a",)])
def test_what_cannot_be_meant_is_refused(project, words):
    assert project.taskspec("doctor", *words).code == 64
