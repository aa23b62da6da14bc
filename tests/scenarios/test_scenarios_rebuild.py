"""A state that is lost is made anew of the markers, through the command line, with the embedded engine."""

import json
import re
import shutil
import uuid

import pytest
from state_servers import KINDS, server


@pytest.fixture
def story(workspace):
    """Ten tasks of all kinds, with a past."""
    workspace.shell("flaky", "cat; test -e tried || { touch tried; exit 3; }")
    workspace.shell("broken", "echo no >&2; exit 3")
    workspace.project()
    spec(workspace, "One.")
    assert workspace.apply().code == 3
    spec(workspace, "Two.")
    assert workspace.apply().code == 3
    return workspace


def spec(workspace, edited, cells=("q1", "the q2")):
    workspace.tasks(
        plain={"agent": "echo", "prompt": "Plain."},
        cells={"agent": "echo", "matrix": {"q": list(cells)}, "prompt": "Cell {{ matrix.q }}."},
        first={"agent": "echo", "prompt": "First.", "outputFormat": "markdown"},
        second={"agent": "echo", "prompt": "After {{ tasks.first.result }}"},
        third={"agent": "echo", "prompt": "After {% for cell in tasks['cells[*]'] %}{{ cell.result }} {% endfor %}"},
        again={
            "agent": "flaky",
            "prompt": "Again.",
            "retry": {"maxAttempts": 2, "statuses": ["failed"], "backoff": "1s"},
        },
        broken={"agent": "broken", "prompt": "Broken."},
        asserted={"agent": "echo", "prompt": "Asserted.", "assertions": [{"regex": "nothing of it"}]},
        edited={"agent": "echo", "prompt": edited},
        structured={"agent": "echo", "prompt": '{"total": 3}', "outputFormat": "json"},
    )


def lose(workspace):
    shutil.rmtree(workspace.folder / ".taskspec/default")


def paid(workspace):
    return {one["address"] for one in workspace.taskspec("plan", "--json").json["changes"] if one["paid"]}


def test_after_a_loss_everything_that_was_paid_for_is_known_again(story):
    before, kept = story.planned(), {path.name: path.read_bytes() for path in story.folder.glob("results/*.*")}
    assert paid(story) == set()
    lose(story)
    assert len(paid(story)) == 11
    done = story.taskspec("state", "rebuild", "--yes")
    assert done.code == 0, done
    assert "cells[q1]" in done.out
    assert "What nobody can know any more:" in done.out
    assert re.match(r"Of the lineage [0-9a-f]{8}… the remote", done.out), "a marker has no more of it"
    assert story.planned() == before
    assert paid(story) == set()
    shutil.rmtree(story.folder / "results")
    assert story.apply().code == 3
    again = {path.name: path.read_bytes() for path in story.folder.glob("results/*.*")}
    assert again.keys() == kept.keys()
    assert all(again[name] == kept[name] for name in kept if "provenance" not in name)
    spec(story, "Three.")
    assert paid(story) == {"edited"}
    assert story.taskspec("history", "verify").code == 0
    assert "the state was rebuilt" in story.taskspec("history").out
    assert story.taskspec("orphans").code == 0
    assert story.taskspec("state", "rebuild", "--yes").code == 7


def test_it_is_told_for_machines_and_asked_before(story):
    lose(story)
    assert story.taskspec("state", "rebuild").code == 64
    done = story.taskspec("state", "rebuild", "--yes", "--json")
    assert done.code == 0, done
    found = done.json
    assert (found["rebuilt"], found["withoutRun"], found["others"], found["duplicates"]) == (True, [], [], [])
    records = {one["address"]: one for one in found["records"]}
    assert (records["edited"]["generation"], records["edited"]["text"], records["edited"]["verdict"]) == (
        2,
        "declared",
        "accepted",
    )
    assert (records["again"]["attempts"], records["broken"]["verdict"]) == (2, "failed")
    assert found["lineage"].startswith(found["lineages"][0]["lineage"])
    assert found["lost"]


def test_what_is_declared_no_more_is_told_and_a_new_task_is_paid_for(story):
    spec(story, "Two.", cells=("q1", "q9"))
    lose(story)
    done = story.taskspec("state", "rebuild", "--yes", "--json")
    assert done.json["withoutRun"] == ["cells[q9]"]
    assert [one["title"].partition(" [ts1.")[0] for one in done.json["others"]] == ['cells["the q2"]']
    assert paid(story) == {"cells[q9]", "third"}


def test_of_two_lost_states_one_has_to_be_named(story):
    lose(story)
    assert story.apply().code == 3
    lose(story)
    done = story.taskspec("state", "rebuild", "--yes", "--json")
    assert (done.code, done.json["rebuilt"], done.json["lineage"]) == (64, False, None)
    shown = story.taskspec("state", "rebuild", "--yes")
    assert (shown.code, "--lineage" in shown.out) == (64, True), shown
    name = done.json["lineages"][1]["lineage"]
    assert story.taskspec("state", "rebuild", "--lineage", name, "--yes").code == 0
    assert paid(story) == set()


def test_no_secret_of_a_prompt_is_in_what_is_rebuilt(workspace):
    workspace.shell("deaf", "cat > /dev/null; echo heard")
    workspace.project(variables={"key": {"type": "string", "sensitive": True}})
    first = {"agent": "deaf", "prompt": "Use {{ vars.key }}"}
    workspace.tasks(a=first, b={"agent": "deaf", "prompt": "{{ vars.key }}"})
    workspace.environ["TASKSPEC_VAR_key"] = "c4n4ry-s3cret-9f"
    assert workspace.apply().code == 0
    lose(workspace)
    workspace.tasks(a=first, b={"agent": "deaf", "prompt": "{{ vars.key }}!"})
    told = workspace.taskspec("state", "rebuild", "--yes", "--json")
    assert [one["text"] for one in told.json["records"]] == ["declared", "other"]
    everything = told.out + workspace.taskspec("state", "pull").out + workspace.taskspec("state", "show", "b").out
    assert "c4n4ry" not in everything
    assert json.loads(workspace.taskspec("state", "pull").out)["records"]
    assert paid(workspace) == {"b"}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"sqlite"}))
def test_a_shared_state_is_rebuilt_where_it_was(kind, request):
    place = server(kind).place(uuid.uuid4().hex)  # it leaves its credentials in the environment
    workspace = request.getfixturevalue("workspace")
    workspace.project()
    workspace.tasks(a={"agent": "echo", "prompt": "one"}, b={"agent": "echo", "prompt": "{{ tasks.a.result }}!"})
    assert workspace.apply().code == 0
    lose(workspace)
    workspace.environ["TASKSPEC_STATE"] = place
    assert len(paid(workspace)) == 2
    done = workspace.taskspec("state", "rebuild", "--yes")
    assert done.code == 0, done
    assert paid(workspace) == set()
    assert workspace.taskspec("results", "b").out == "one!"
    assert workspace.taskspec("history", "verify").code == 0
