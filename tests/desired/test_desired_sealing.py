"""Tasks that were sealed and unsealed are the same tasks; what is sealed holds no secret."""

import json
from pathlib import Path

import pytest

from taskspec.desired.assigning import GivenVariables
from taskspec.desired.model import DeferredTask
from taskspec.desired.resolving import Surroundings, resolve
from taskspec.desired.sealing import sealed
from taskspec.desired.unsealing import project_of, unsealed
from taskspec.documents.loading import load

EXAMPLES = Path(__file__).parents[2] / "examples"
SURROUNDINGS = Surroundings(takes_local_files=True)
GIVEN = {"xpander": {"triage_agent": "a1"}}
PROJECTS = [("quickstart", "default"), ("reports", "staging"), ("reports", "prod"), ("xpander", "default")]


def desired_of(folder, environment, given):
    manifests = load(folder, environment).manifests
    found, wrong = resolve(manifests, given, SURROUNDINGS)
    assert not wrong
    return found


def answers(task):
    """Return results that a task may use: what the examples' own tasks would answer."""
    quarter = {"revenue": 10, "best": "Tent", "units": 3, "product": "Tent"}
    answer = {
        "revenue": 40,
        "region": "emea",
        "year": 2025,
        "quarters": dict.fromkeys(("q1", "q2", "q3", "q4"), quarter),
    }
    return {address: json.dumps(answer) for address in task.uses}


def essence(task):
    if isinstance(task, DeferredTask):
        task = task.finish(answers(task))
    places = {name: task.source.position((name,)) for name in task.spec}
    said = (task.address, task.agent, task.title, task.spec, task.fingerprint, task.request, task.files, task.labels)
    return (*said, task.policies, task.assertions, task.upstream, places)


@pytest.mark.parametrize(("example", "environment"), PROJECTS)
def test_the_tasks_of_each_example_are_the_same_again(example, environment, tmp_path):
    folder, given = EXAMPLES / example, GivenVariables(variables=GIVEN.get(example, {}))
    desired = desired_of(folder, environment, given)
    value = json.loads(json.dumps(sealed(desired, frozenset(desired.tasks))))
    again = unsealed(value, project_of(value, tmp_path), given, SURROUNDINGS)
    assert list(again.tasks) == list(desired.tasks)
    assert [type(task) for task in again.tasks.values()] == [type(task) for task in desired.tasks.values()]
    for address, task in desired.tasks.items():
        assert essence(again.tasks[address]) == essence(task)


@pytest.mark.parametrize(("example", "environment"), PROJECTS)
def test_the_project_is_the_same_in_what_a_plan_is_carried_out_with(example, environment):
    folder = EXAMPLES / example
    desired = desired_of(folder, environment, GivenVariables(variables=GIVEN.get(example, {})))
    project, kept = desired.project, json.loads(json.dumps(sealed(desired, frozenset())))
    again = project_of(kept, Path(project.folder))
    for name in ("name", "environment", "folder", "data_folder", "remote", "state", "results_path", "agents"):
        assert getattr(again, name) == getattr(project, name)
