"""A state that was lost is made anew of what the remote shows, and the next plan pays for nothing twice."""

import asyncio
import shutil
from random import Random

import pytest
from scripted_remote import Run

from taskspec.errors import RemoteError, StaleError, UsageError
from taskspec.plan.rebuilding import Text
from taskspec.runner.model import Refresh
from taskspec.runner.planning import plan
from taskspec.runner.rebuilding import rebuild
from taskspec.runner.recounting import verified
from taskspec.state.model import Verdict

YAML = "apiVersion: taskspec/v1\nkind: Task\nmetadata: {{name: {name}}}\nspec:\n  agent: writer\n{rest}"


def write(ports, name, rest):
    ports.write(YAML.format(name=name, rest="".join(f"  {line}\n" for line in rest.splitlines())), f"{name}.yaml")


def lose(ports):
    """Lose the state; return what it held."""
    records = ports.records()
    shutil.rmtree(ports.folder / ".taskspec")
    return records


def rebuilt(ports, lineage=None, approve=lambda found: True):
    found, done = asyncio.run(rebuild(ports.invocation(), ports, lineage, approve))
    return {one.record.address: one for one in found.records}, found, done


def planned(ports, refresh=Refresh.ACTIVE):
    from dataclasses import replace

    return plan(replace(ports.invocation(), refresh=refresh), ports)


def actions(made):
    return {change.address: (change.action.value, change.paid) for change in made.changes}


def essence(record):
    """Return what of a record is known again when it is rebuilt; of earlier attempts it may know more than was lost."""
    generation, last = record.generation, record.generation.last
    return (
        record.agent,
        (generation.number, generation.fingerprint, generation.spec),
        [(one.number, one.nonce, one.marker, one.run, one.title) for one in generation.attempts],
        (last.verdict, last.result, last.assertions),
        record.accepted and (record.accepted.generation, record.accepted.run, record.accepted.result),
        (record.on_remove, record.protect, record.unsent, record.file),
    )


@pytest.fixture
def story(ports):
    """Ten tasks of all kinds, some of which have a past."""
    scripts, ports.remote.clock.tick = ports.remote.scripts, 0.01
    write(ports, "plain", "prompt: Plain.")
    write(ports, "cells", "matrix: {q: [q1, 'the q2']}\nprompt: 'Cell {{ matrix.q }}.'")
    write(ports, "first", "prompt: First.")
    write(ports, "second", "prompt: 'After {{ tasks.first.result }}'")
    write(ports, "third", "prompt: 'After {{ tasks.second.result }}'")
    write(ports, "again", "prompt: Again.\nretry: {maxAttempts: 2, statuses: [failed]}")
    scripts["Again."] = [["failed"], ["completed"]]
    write(ports, "broken", "prompt: Broken.")
    scripts["Broken."] = [["failed"]]
    write(ports, "asserted", "prompt: Asserted.\nassertions: [{regex: nothing}]")
    write(ports, "edited", "prompt: One.")
    write(ports, "slow", "prompt: Slow.")
    scripts["Slow."] = [["executing"]]
    write(ports, "waiting", "prompt: Waiting.")
    scripts["Waiting."] = [["paused"]]
    ports.apply(wait=False)
    ports.apply(wait=False)
    write(ports, "edited", "prompt: Two.")
    ports.apply(wait=False)
    for _ in range(3):
        ports.apply(wait=False)
    return ports


def test_what_is_rebuilt_is_what_was_lost_and_nothing_is_paid_twice(story):
    before = planned(story)
    assert before.paid_runs == 0
    posts = story.remote.asked["POST"]
    old = lose(story)
    assert planned(story).paid_runs > 0
    made, found, done = rebuilt(story)
    assert done
    new = story.records()
    assert new.keys() == old.keys()
    assert {address: essence(one) for address, one in new.items()} == {a: essence(one) for a, one in old.items()}
    after = planned(story)
    assert (after.paid_runs, actions(after)) == (0, actions(before))
    assert all(one.text is Text.DECLARED for one in made.values())
    assert not found.without_run
    assert planned(story, Refresh.FULL).paid_runs == 0
    assert not planned(story, Refresh.FULL).duplicates
    assert story.apply(wait=False).paid_runs == 0
    assert story.remote.asked["POST"] == posts
    assert verified(story.invocation(), story, None).chain.broken is None


def test_one_edit_afterwards_is_one_run_with_the_next_number(story):
    lose(story)
    rebuilt(story)
    write(story, "edited", "prompt: Three.")
    made = planned(story)
    assert made.paid_runs == 1
    (change,) = [change for change in made.changes if change.paid]
    assert (change.address, change.generation) == ("edited", 3)
    story.apply(wait=False)
    lineage = story.remote.started("Three.")[0].marker.split(".")[1]
    assert {run.marker.split(".")[1] for run in story.remote.runs.values()} == {lineage}


def test_a_text_that_was_edited_while_the_state_was_lost_is_asked_as_it_would_have_been(ports):
    ports.task("a", "One.")
    ports.task("b", "Two.")
    ports.apply()
    lose(ports)
    ports.task("a", "Other.")
    made, _, _ = rebuilt(ports)
    assert (made["a"].text, made["b"].text) == (Text.OTHER, Text.DECLARED)
    assert actions(planned(ports)) == {"a": ("create", True), "b": ("none", False)}
    assert ports.apply().paid_runs == 1
    assert ports.records()["a"].generation.number == 2


def test_the_accepted_result_of_the_declared_text_counts_whatever_was_asked_since(ports):
    ports.task("a", "One.")
    ports.apply()
    ports.task("a", "Two.")
    ports.remote.scripts["Two."] = [["failed"]]
    ports.apply()
    ports.task("a", "One.")
    assert planned(ports).paid_runs == 0
    lose(ports)
    rebuilt(ports)
    record = ports.records()["a"]
    assert (record.generation.number, record.accepted.generation) == (2, 1)
    assert planned(ports).paid_runs == 0
    ports.task("a", "Three.")
    assert next(iter(planned(ports).changes)).generation == 3


@pytest.mark.parametrize("policy", ["rerun: never", "rerun: {ignore: [prompt]}"])
def test_what_rerun_lets_pass_is_not_asked_again_and_that_is_told(ports, policy):
    write(ports, "a", f"prompt: One.\n{policy}")
    ports.apply()
    write(ports, "a", f"prompt: Two.\n{policy}")
    assert planned(ports).paid_runs == 0
    lose(ports)
    made, _, _ = rebuilt(ports)
    assert made["a"].text is Text.PASSING
    assert "lets pass" in made["a"].doubts[0]
    assert planned(ports).paid_runs == 0


@pytest.mark.parametrize("said", [True, False])
def test_a_task_with_another_name_is_known_by_the_former_one_or_by_its_text(ports, said):
    ports.task("a", "One.")
    ports.apply()
    (ports.folder / "a.yaml").unlink()
    ports.write(
        "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: b}\nspec:\n  agent: writer\n  prompt: One.\n"
        + ("  moved: {from: a}\n" if said else ""),
        "b.yaml",
    )
    lose(ports)
    made, found, _ = rebuilt(ports)
    assert (list(made), found.others) == (["b"], ())
    assert planned(ports).paid_runs == 0


def test_runs_of_no_declared_task_are_told_and_left_alone(ports):
    ports.begin(2)
    (ports.folder / "t1.yaml").unlink()
    lose(ports)
    made, found, _ = rebuilt(ports)
    assert list(made) == ["t0"]
    assert [one.run.status for one in found.others] == ["executing"]
    assert int(found.exit_code) == 9
    assert ports.remote.asked["DELETE"] == 0


def test_one_create_that_is_there_twice_is_told_and_its_first_run_taken(ports):
    ports.task()
    ports.remote.sends = ["twice"]
    ports.apply()
    lose(ports)
    made, found, _ = rebuilt(ports)
    assert [one.run.id for one in found.again[0]] == ["run-1", "run-2"]
    assert made["a"].record.generation.last.run == "run-1"
    assert int(found.exit_code) == 9
    assert len(planned(ports, Refresh.FULL).duplicates) == 1


def test_an_answer_that_was_lost_is_found_by_its_marker(ports):
    ports.task()
    ports.remote.sends = ["drop"]
    ports.remote.lists = False
    ports.apply(hold_unknown=True)
    ports.remote.lists = True
    lose(ports)
    made, _, _ = rebuilt(ports)
    assert made["a"].record.generation.last.verdict is Verdict.ACCEPTED
    assert planned(ports).paid_runs == 0


def test_where_several_states_may_be_meant_one_has_to_be_named(ports):
    ports.task()
    ports.apply()
    lose(ports)
    ports.apply()
    second = lose(ports)["a"].generation.last.marker.split(".")[1]
    made, found, done = rebuilt(ports)
    assert (made, done, found.chosen, len(found.lineages)) == ({}, False, None, 2)
    assert [one.addresses for one in found.lineages] == [("a",), ("a",)]
    with pytest.raises(UsageError, match="No run on the remote"):
        rebuilt(ports, "00000000")
    made, found, done = rebuilt(ports, second)
    assert made["a"].record.generation.last.run == "run-2"
    assert (done, found.chosen[:8]) == (True, second)


def test_a_whole_lineage_that_is_given_is_that_of_the_new_state(ports):
    ports.task()
    ports.apply()
    lineage = planned(ports).lineage
    lose(ports)
    rebuilt(ports, lineage)
    assert planned(ports).lineage == lineage


@pytest.fixture
def elsewhere(ports):
    """A project whose only state is that of another environment, and the lineage of that."""
    ports.task()
    ports.write(
        "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: sales}\n"
        "spec: {remote: xpander, environments: {prod: {}}}\n",
        "taskspec.yaml",
    )
    ports.apply()
    lineage = ports.records()["a"].generation.last.marker.split(".")[1]
    (ports.folder / ".taskspec/default").rename(ports.folder / ".taskspec/prod")
    return ports, lineage


def test_the_lineage_of_another_environment_is_not_taken(elsewhere):
    ports, lineage = elsewhere
    with pytest.raises(UsageError, match="Nothing can be rebuilt"):
        rebuilt(ports)
    with pytest.raises(UsageError, match="is that of environment `prod`"):
        rebuilt(ports, lineage)


def test_where_the_state_of_another_environment_cannot_be_read_its_runs_are_not_taken_unasked(elsewhere):
    ports, lineage = elsewhere
    (ports.folder / ".taskspec/prod/state.db").write_bytes(b"no database" * 999)
    with pytest.raises(UsageError, match="may be those of environment `prod`"):
        rebuilt(ports)
    assert rebuilt(ports, lineage)[2]


def test_a_state_that_is_not_lost_is_refused(ports):
    ports.task()
    ports.apply()
    with pytest.raises(StaleError, match="not lost"):
        rebuilt(ports)


def test_nothing_is_rebuilt_where_the_runs_cannot_be_listed(ports):
    ports.task()
    ports.apply()
    lose(ports)
    ports.remote.lists = False
    with pytest.raises(RemoteError, match="cannot be listed in full"):
        rebuilt(ports)
    ports.remote.lists = True
    _, _, done = rebuilt(ports, approve=lambda found: False)
    assert not done
    assert rebuilt(ports)[2]


def test_nothing_is_rebuilt_of_runs_without_markers(ports):
    ports.task()
    body = {"title": "mine", "input": {"text": "Write."}}
    ports.remote.runs["x"] = Run("x", "writer", body, None, 0.0, 0.0, ["completed"], {})
    with pytest.raises(UsageError, match="no run on the remote bears a marker"):
        rebuilt(ports)


def test_no_further_attempt_is_granted_by_what_is_not_known(ports):
    write(ports, "halted", "prompt: Halted.\nretry: {maxAttempts: 3, statuses: [stopped]}")
    write(ports, "rejected", "prompt: Rejected.\nretry: {maxAttempts: 3, statuses: [rejected]}")
    ports.remote.scripts["Halted."] = [["executing"]]
    ports.apply(wait=False)
    ports.apply("rejected")
    ports.stop("halted")
    write(
        ports,
        "rejected",
        "prompt: Rejected.\nretry: {maxAttempts: 3, statuses: [rejected]}\nassertions: [{regex: nothing of it}]",
    )
    ports.apply()
    before = planned(ports)
    assert before.paid_runs == 0
    lose(ports)
    made, _, _ = rebuilt(ports)
    assert actions(planned(ports)) == actions(before)
    assert all("no further attempt is granted" in one.doubts[0] for one in made.values())


def test_budgets_count_what_was_run_before(ports):
    ports.task()
    ports.apply()
    lose(ports)
    rebuilt(ports)
    ports.write(
        "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: sales}\n"
        "spec: {remote: xpander, budget: {maxRuns: 1, per: 30d}}\n",
        "taskspec.yaml",
    )
    ports.task("a", "Two.")
    assert [refusal.limit for refusal in planned(ports).refusals]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happened_before_nothing_is_started_that_the_lost_state_would_not_have(ports, seed):
    dice = Random(seed)
    ports.remote.clock.tick = 0.01
    names = ["a", "b", "c", "d"]
    policies = ["", "rerun: never", "rerun: {ignore: [prompt]}", "retry: {maxAttempts: 2}", "onChangeActive: queue"]
    endings = ["completed", "completed", "completed", "failed", "error", "stopped", "executing", "paused"]
    for count in (4, 2, 2, 2, 2, 2):
        for name in dice.sample(names, count):
            uses = names[names.index(name) - 1] if name != "a" and dice.random() < 0.5 else None
            text = f"{name} {dice.choice('xyz')}" + (f" {{{{ tasks.{uses}.result }}}}" if uses else "")
            write(ports, name, f"prompt: '{text}'\n{dice.choice(policies)}")
            ports.remote.scripts.setdefault(text, []).append([dice.choice(endings)])
        ports.remote.sends = dice.choices(["answer", "drop", "lose", 422, 429], weights=[6, 1, 1, 1, 1], k=4)
        ports.apply(wait=False, hold_unknown=dice.random() < 0.5)
    ports.remote.sends = []
    before = planned(ports, Refresh.FULL)
    spared = {change.address for change in before.changes if not change.paid and change.action.value != "blocked"}
    lose(ports)
    rebuilt(ports)
    for after in (planned(ports), planned(ports, Refresh.FULL)):
        assert not {change.address for change in after.changes if change.paid} & spared, (before, after)
