"""A change that is reverted in git: the answers of then count again, and nobody is paid."""

import json

import pytest
from scenario_repositories import Repository

TASKS = """\
apiVersion: taskspec/v1
kind: Task
metadata: {name: extract}
spec: {agent: counting, prompt: Name three fruits.}
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: report}
spec: {agent: counting, prompt: "Report on: {{ tasks.extract.result }}"}
"""
PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: stories}
spec:
  agents:
    counting: {command: [sh, -c, 'echo asked >> "$0"; cat', COUNTER]}
"""


def counter(workspace):
    """Return the file in which the agent itself counts how often it was asked."""
    return workspace.folder.parent / "counter"


@pytest.fixture
def repository(workspace):
    made = Repository(workspace)
    made.begin({"taskspec.yaml": PROJECT.replace("COUNTER", str(counter(workspace))), "tasks.yaml": TASKS})
    return made


def test_what_is_reverted_has_its_answers_of_then_again_without_a_run(repository, workspace):
    first = workspace.result("extract.txt"), workspace.result("report.txt")
    repository.edit("tasks.yaml", "three fruits", "four trees")
    repository.commit("Ask for trees")
    assert repository.apply().code == 0
    assert workspace.result("extract.txt") != first[0]
    assert len(workspace.lines(counter(workspace))) == 4
    repository.git("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "revert", "--no-edit", "HEAD")
    planned = workspace.taskspec("plan", "--out", "plan.json", "--detailed-exitcode")
    assert planned.code == 2
    assert "Plan: starts no run." in planned.out
    assert "stories: 2 to adopt." in planned.out
    assert "asked for before as g1: the result of run " in planned.out
    assert "is kept, and is accepted again without a run" in " ".join(planned.out.split())
    assert "three fruits" in planned.out
    applied = workspace.taskspec("apply", "plan.json", "--yes")
    assert applied.code == 0, applied
    assert "extract: asked for before: the result of g1 is accepted again (g3)" in applied.out
    assert "Apply finished in" in applied.out
    assert "0 runs started, 2 accepted." in applied.out
    assert len(workspace.lines(counter(workspace))) == 4
    assert (workspace.result("extract.txt"), workspace.result("report.txt")) == first
    assert json.loads(workspace.result("report.provenance.json"))["acceptedAgainFrom"] == "g1"
    assert workspace.planned() == {"extract": "none", "report": "none"}
    assert "g1, as the text is that of then" in workspace.taskspec("state", "show", "extract").out
