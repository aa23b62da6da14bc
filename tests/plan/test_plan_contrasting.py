"""What differs between two revisions of the documents, and the plan that is made of it without any state."""

import pytest

from taskspec.desired.assigning import GivenVariables
from taskspec.desired.resolving import Surroundings, resolve
from taskspec.documents.loading import load
from taskspec.plan.contrasting import Contrast, affected, contrasted
from taskspec.plan.model import Action
from taskspec.plan.sketching import sketched

PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: p}
spec:
  agents: {writer: {command: [cat]}, other: {command: [cat]}}
"""


def task(name, prompt="Write.", more="", labels=""):
    return f"""\
---
apiVersion: taskspec/v1
kind: Task
metadata: {{name: {name}{f", labels: {{{labels}}}" if labels else ""}}}
spec: {{agent: writer, prompt: "{prompt}"{f", {more}" if more else ""}}}
"""


CHAIN = task("a") + task("b", "On {{ tasks.a.result }}.") + task("c", "Of {{ tasks.b.result }}.") + task("d")


@pytest.fixture
def desired(tmp_path):
    """Read documents, as they are at one moment."""
    count = 0

    def read(text):
        nonlocal count
        count += 1
        folder = tmp_path / str(count)
        folder.mkdir()
        (folder / "taskspec.yaml").write_text(PROJECT + text)
        loaded = load(folder)
        found, wrong = resolve(loaded.manifests, GivenVariables(), Surroundings(takes_local_files=True))
        assert not loaded.diagnostics
        assert not wrong
        return found

    return read


@pytest.fixture
def between(desired):
    return lambda before, after: contrasted(desired(before), desired(after))


def kinds(found):
    return {address: one.contrast.value for address, one in found.items() if one.contrast is not Contrast.SAME}


def planned(found, after, **more):
    made = sketched(found, after, "main", plan="p", now=1.0, **more)
    return {change.address: change for change in made.changes}


def test_documents_that_are_the_same_differ_in_nothing(between):
    assert kinds(between(CHAIN, CHAIN)) == {}


def test_new_changed_and_removed_tasks_are_told(between):
    found = between(task("a") + task("b"), task("a", "Write more.") + task("c"))
    assert kinds(found) == {"a": "changed", "b": "removed", "c": "new"}
    assert [(diff.path, diff.before, diff.after) for diff in found["a"].diffs] == [
        (("prompt",), "Write.", "Write more.")
    ]


def test_what_depends_on_what_differs_is_affected_too(between):
    found = between(CHAIN, CHAIN.replace("Write.", "Write more.", 1))
    assert kinds(found) == {"a": "changed"}
    assert affected(found) == {"a", "b", "c"}


def test_a_task_that_waits_for_results_differs_by_its_text(between):
    found = between(CHAIN, CHAIN.replace("On {{", "Upon {{"))
    assert kinds(found) == {"b": "changed"}
    assert affected(found) == {"b", "c"}
    assert found["b"].diffs[0].path == ("prompt",)


@pytest.mark.parametrize(
    ("after", "unsent"),
    [
        (task("a", labels="team: x"), ("labels",)),
        (task("a", more="assertions: [{minLength: 1}]"), ("assertions",)),
        (task("a", more="timeout: 1m, protect: true"), ("protect", "timeout")),
    ],
)
def test_what_only_taskspec_reads_counts_as_changed(between, after, unsent):
    found = between(task("a"), after)
    assert kinds(found) == {"a": "changed"}
    assert (found["a"].unsent, found["a"].diffs) == (unsent, ())


def test_another_thing_that_it_waits_for_counts_as_changed(between):
    found = between(task("a") + task("b"), task("a") + task("b", more="dependsOn: [a]"))
    assert found["b"].unsent == ("dependsOn",)


def test_the_cells_of_a_matrix_differ_each_for_itself(between):
    cells = "matrix: {region: [emea, apac]}"
    before = task("m", "Of {{ matrix.region }}.", cells)
    after = task("m", "Of {{ matrix.region }}.", "matrix: {region: [emea, us]}")
    assert kinds(between(before, after)) == {"m[apac]": "removed", "m[us]": "new"}


def test_a_renamed_task_is_told_once_and_selected_by_both_names(between):
    found = between(task("old"), task("new", more="moved: {from: old}"))
    assert kinds(found) == {"new": "changed"}
    assert found["new"].moved_from == "old"
    assert affected(found) == {"old", "new"}


def test_a_move_that_was_made_before_is_none_now(between):
    moved = task("new", more="moved: {from: old}")
    assert kinds(between(moved, moved)) == {}


def test_the_plan_of_what_differs_starts_what_is_new_and_changed_and_what_uses_it(desired):
    before, after = desired(CHAIN + task("gone")), desired(CHAIN.replace("Write.", "Write more.", 1) + task("e"))
    found = planned(contrasted(before, after), after)
    assert {address: (one.action, one.paid, one.conditional) for address, one in found.items()} == {
        "a": (Action.CREATE, True, False),
        "b": (Action.CREATE, True, True),
        "c": (Action.CREATE, True, True),
        "d": (Action.NONE, False, False),
        "e": (Action.CREATE, True, False),
        "gone": (Action.FORGET, False, False),
    }
    assert found["b"].after == ("a",)
    assert found["a"].reasons[0].text == "`prompt` changed since main"


def test_a_task_that_only_waits_for_one_that_runs_stays_as_it_is(desired):
    waits = task("b", more="dependsOn: [a]")
    before, after = desired(task("a") + waits), desired(task("a", "More.") + waits)
    found = planned(contrasted(before, after), after)
    assert found["b"].action is Action.NONE


def test_a_changed_task_that_waits_for_one_that_runs_is_conditional(desired):
    before = desired(task("a") + task("b", more="dependsOn: [a]"))
    after = desired(task("a", "More.") + task("b", "More.", more="dependsOn: [a]"))
    change = planned(contrasted(before, after), after)["b"]
    assert (change.conditional, change.after) == (True, ("a",))


def test_a_renamed_task_with_the_same_text_moves_and_costs_nothing(desired):
    before, after = desired(task("old", more="title: T")), desired(task("new", more="moved: {from: old}, title: T"))
    found = planned(contrasted(before, after), after)
    assert {address: (one.action, one.paid, one.moved_from) for address, one in found.items()} == {
        "new": (Action.MOVE, False, "old")
    }


def test_what_only_taskspec_reads_starts_nothing_and_is_told(desired):
    before, after = desired(task("a")), desired(task("a", labels="team: x", more="assertions: [{minLength: 1}]"))
    change = planned(contrasted(before, after), after)["a"]
    assert (change.action, change.paid) == (Action.NONE, False)
    assert {reason.code for reason in change.reasons} == {"unsent_changed", "assertions_changed"}


def test_a_plan_of_some_tasks_counts_the_others(desired):
    after = desired(CHAIN)
    made = sketched(contrasted(after, after), after, "main", selected=frozenset({"a"}), plan="p", now=1.0)
    assert ([change.address for change in made.changes], made.unselected) == (["a"], 3)
