"""accept, through the command line: what it shows, what it asks, and what it writes."""

import json

import pytest


@pytest.fixture
def project(workspace):
    """A task whose prompt had a typo when it was applied."""
    workspace.project()
    workspace.tasks(a={"agent": "echo", "prompt": "Wirte."})
    assert workspace.apply().code == 0
    workspace.tasks(a={"agent": "echo", "prompt": "Write."})
    return workspace


def test_a_mended_typo_costs_nothing_and_the_result_stays(project):
    done = project.taskspec("accept", "a", "--yes")
    assert done.code == 0, done
    assert 'prompt: "Wirte." → "Write."' in done.out
    assert "a: the result of g1 is accepted by hand, for what is declared now (g2)" in done.out
    assert project.planned() == {"a": "none"}
    assert project.result("a.txt").strip() == "Wirte."
    told = json.loads(project.result("a.provenance.json"))
    assert (told["generation"], told["acceptedByHandFrom"]) == (2, "g1")


def test_machines_read_it_as_events(project):
    done = project.taskspec("accept", "a@g1", "--yes", "--json")
    assert [event["event"] for event in done.events] == ["ResultAccepted", "ResultWritten"]
    assert (done.events[0]["source"], done.events[0]["generation"]) == (1, 2)


def test_nothing_is_accepted_where_nobody_can_be_asked(project):
    assert project.taskspec("accept", "a").code == 64
    assert project.taskspec("accept", "a", "--json").code == 64
    assert project.planned() == {"a": "create"}


def test_a_generation_that_is_not_there_is_refused_with_those_that_are(project):
    done = project.taskspec("accept", "a@g9", "--yes")
    assert (done.code, "Kept are those of g1 (accepted now)." in done.err) == (64, True)


def test_a_result_whose_file_cannot_be_written_is_accepted_and_told(project):
    (project.folder / "results" / "a.txt").unlink()
    (project.folder / "results" / "a.txt").mkdir()
    done = project.taskspec("accept", "a", "--yes")
    assert (done.code, "its result file is not written" in done.out) == (1, True)
    assert project.planned() == {"a": "none"}


def test_a_secret_that_was_sent_is_not_shown(workspace):
    workspace.project(variables={"token": {"type": "string", "sensitive": True}})
    workspace.environ["TASKSPEC_VAR_token"] = "canary-4711"
    workspace.tasks(a={"agent": "echo", "prompt": "Use {{ vars.token }}, plaese."})
    assert workspace.apply().code == 0
    workspace.tasks(a={"agent": "echo", "prompt": "Use {{ vars.token }}, please."})
    done = workspace.taskspec("accept", "a", "--yes")
    assert done.code == 0, done
    assert "canary" not in done.out + done.err
