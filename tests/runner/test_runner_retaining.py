"""Older results that a task's retention keeps no longer are removed at the end of an apply, or by hand; only they."""

import asyncio

import pytest
from kept_state import reading

from taskspec.address import Address
from taskspec.errors import UsageError
from taskspec.events import ResultsRemoved
from taskspec.plan.model import Action
from taskspec.report.plans import lines
from taskspec.report.text import Paint
from taskspec.runner import accepting, retaining
from taskspec.runner.generations import generations_of
from taskspec.runner.planning import plan
from taskspec.runner.retrieving import past
from taskspec.runner.telling import results

TWO = "{generations: 1}"


def rounds(ports, *prompts, name="a", **policies):
    for prompt in prompts:
        ports.task(name, prompt=prompt, **policies)
        ports.apply()


def contents(ports):
    with reading(ports.folder) as store:
        return {content for _, content in store.results()}


def notes(ports, what="pruned"):
    with reading(ports.folder) as store:
        return [entry.note for entry in store.history() if entry.note.what == what]


def prune(ports, *addresses, dry_run=False, yes=True):
    ports.events = []
    approve = lambda _: yes  # noqa: E731  # said here once
    return asyncio.run(
        retaining.prune(ports.invocation(*addresses), ports, approve, ports.events.append, dry_run=dry_run)
    )


def opening(ports):
    return next(lines(plan(ports.invocation(), ports), Paint(color=False)))


def test_an_apply_removes_at_its_end_what_is_kept_no_longer(ports):
    rounds(ports, "One.", "Two.", retention=TWO)
    assert contents(ports) == {"answer to One.", "answer to Two."}
    rounds(ports, "Three.", retention=TWO)
    assert contents(ports) == {"answer to Two.", "answer to Three."}
    assert ports.told(ResultsRemoved) == [ResultsRemoved(address="a", generations=(1,), results=1)]
    (note,) = notes(ports)
    assert (note.address, note.data["generations"], len(note.data["results"])) == ("a", [1], 1)
    assert note.data["plan"]
    ports.apply()
    assert (ports.told(ResultsRemoved), len(notes(ports))) == ([], 1), "once"


def test_without_a_retention_nothing_is_removed_and_nothing_is_committed(ports):
    rounds(ports, "One.", "Two.")
    with reading(ports.folder) as store:
        serial = store.read().serial
    ports.apply()
    with reading(ports.folder) as store:
        assert store.read().serial == serial
    assert len(contents(ports)) == 2


def test_the_retention_is_no_reason_to_run_again(ports):
    rounds(ports, "One.", "Two.")
    ports.task("a", prompt="Two.", retention="{generations: 0}")
    assert opening(ports) == "Plan: starts no run.", "something is removed"
    ports.apply()
    assert opening(ports) == "Nothing is to be done."
    assert ports.remote.asked["POST"] == 2
    assert contents(ports) == {"answer to Two."}
    assert ports.records()["a"].unsent == {"retention": {"generations": 0}}


def test_an_answer_that_another_task_has_given_too_stays(ports):
    rounds(ports, "One.", "Two.", retention="{generations: 0}")
    assert contents(ports) == {"answer to Two."}
    rounds(ports, "Two.", "Three.", name="b")
    rounds(ports, "Four.", retention="{generations: 0}")
    assert contents(ports) == {"answer to Two.", "answer to Three.", "answer to Four."}
    assert ports.told(ResultsRemoved) == []


def test_a_new_task_under_the_former_name_of_another_removes_nothing_of_that(ports):
    rounds(ports, "One.", "Two.", "Three.")
    (ports.folder / "a.yaml").unlink()
    rounds(ports, "Three.", name="b", moved="{from: a}")
    ports.task("b", prompt="Three.")
    rounds(ports, "Other.", "Others.", "More.", retention="{generations: 0}")
    assert [event.address for event in ports.told(ResultsRemoved)] == ["a"]
    kept = {"answer to One.", "answer to Two.", "answer to Three.", "answer to More."}
    assert contents(ports) == kept
    with reading(ports.folder) as store:
        records = store.read().records
        numbers = {name: [one.number for one in generations_of(name, records[name], store)] for name in ("a", "b")}
    assert numbers == {"a": [6, 5, 4], "b": [3, 2, 1]}


def test_the_results_folder_and_the_plan_are_as_before(ports):
    rounds(ports, "One.", "Two.", retention="{generations: 0}")
    assert (ports.folder / "results/a.txt").read_text() == "answer to Two."
    (change,) = plan(ports.invocation(), ports).changes
    assert (change.action, change.health) == (Action.NONE, "healthy")
    with results(ports.invocation(), ports) as found:
        assert [found.content(accepted) for _, accepted in found.found] == ["answer to Two."]


def test_what_was_removed_is_told_as_removed_and_not_as_damage(ports):
    rounds(ports, "One.", "Two.", retention="{generations: 0}")
    with past(ports.invocation("a"), ports) as found:
        newest, oldest = found.generations
        assert (newest.is_gone, oldest.is_gone) == (False, True)
        assert found.content(newest) == "answer to Two."
        with pytest.raises(UsageError, match="g1 of `a` was removed from the state, as its `retention` asks for"):
            found.content(oldest)
    with reading(ports.folder) as store:
        told = generations_of(Address("a"), store.read().records["a"], store)
    assert [one.spec["prompt"] for one in told] == ["Two.", "One."], "what was asked is kept"


def test_accept_says_that_a_result_was_removed(ports):
    rounds(ports, "One.", "Two.", retention="{generations: 0}")
    wish = accepting.Wish(generation=1, approve=lambda _: True, emit=ports.events.append)
    with pytest.raises(UsageError, match="the result of g1 of `a` was removed, as its `retention` asks"):
        asyncio.run(accepting.accept(ports.invocation("a"), ports, wish))


def test_a_removed_result_is_not_offered_when_its_text_is_declared_again(ports):
    rounds(ports, "One.", "Two.", "Three.", retention="{generations: 0}")
    ports.task(prompt="One.", retention="{generations: 0}")
    (change,) = plan(ports.invocation(), ports).changes
    assert (change.action, change.paid) == (Action.CREATE, True)
    assert "text_kept" not in [reason.code for reason in change.reasons]
    ports.apply()
    assert contents(ports) == {"answer to One."}


def test_by_hand_it_is_shown_first_and_needs_no_apply(ports):
    rounds(ports, "One.", "Two.", "Three.")
    ports.task(prompt="Three.", retention=TWO)
    shown = prune(ports, dry_run=True)
    assert ([one.generations for one in shown.found], shown.is_done) == ([(1,)], False)
    assert len(contents(ports)) == 3
    assert prune(ports, yes=False).is_done is False
    assert (len(contents(ports)), notes(ports)) == (3, [])
    assert prune(ports).is_done
    assert contents(ports) == {"answer to Two.", "answer to Three."}
    assert ports.told(ResultsRemoved) == [ResultsRemoved(address="a", generations=(1,), results=1)]
    assert notes(ports)[0].data["by"] == "hand"
    assert (prune(ports).found, len(notes(ports))) == ((), 1)


def test_by_hand_only_what_is_selected_is_pruned(ports):
    rounds(ports, "One.", "Two.", name="a")
    rounds(ports, "Three.", "Four.", name="b")
    for name, prompt in (("a", "Two."), ("b", "Four.")):
        ports.task(name, prompt=prompt, retention="{generations: 0}")
    assert prune(ports, "b").is_done
    assert contents(ports) == {"answer to One.", "answer to Two.", "answer to Four."}
    with pytest.raises(UsageError):
        prune(ports, "c")


def test_a_result_grows_old(ports):
    rounds(ports, "One.", "Two.", retention="{age: 90d}")
    assert len(contents(ports)) == 2
    ports.remote.clock.time += 91 * 86_400
    ports.apply()
    assert contents(ports) == {"answer to Two."}


def test_of_many_addresses_each_lets_its_own_go(ports):
    for name in ("a", "b", "c"):
        rounds(ports, f"{name} 1.", f"{name} 2.", name=name)
    for name in ("a", "b", "c"):
        ports.task(name, prompt=f"{name} 2.", retention="{generations: 0}")
    ports.apply()
    assert contents(ports) == {"answer to a 2.", "answer to b 2.", "answer to c 2."}
    assert [event.address for event in ports.told(ResultsRemoved)] == ["a", "b", "c"]
