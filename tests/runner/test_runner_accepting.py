"""accept: a person makes a kept result the accepted one, for what is declared now."""

import asyncio
import json

import pytest
from kept_state import reading

from taskspec.errors import OutcomeUnknownError, UsageError
from taskspec.events import ResultAccepted, ResultWritten
from taskspec.plan.model import Action
from taskspec.runner import accepting
from taskspec.runner.planning import plan

STRICT = '[{regex: "nosuch"}]'


def accept(ports, generation=None, address="a", *, answer=True):
    """Accept by hand; return what was shown."""
    ports.events, shown = [], []

    def approve(acceptance):
        shown.append(acceptance)
        return answer

    wish = accepting.Wish(generation=generation, approve=approve, emit=ports.events.append)
    assert asyncio.run(accepting.accept(ports.invocation(address), ports, wish)) is answer
    return shown[0]


def refused(ports, generation=None, address="a", error=UsageError):
    before, asked = ports.records(), sum(ports.remote.asked.values())
    with pytest.raises(error) as trouble:
        accept(ports, generation, address)
    assert ports.records() == before
    assert sum(ports.remote.asked.values()) == asked, "no remote is asked"
    return f"{trouble.value.message} {trouble.value.hint}"


def change_of(ports, address="a"):
    return next(change for change in plan(ports.invocation(), ports).changes if change.address == address)


def result(ports, name="a.txt"):
    return (ports.folder / "results" / name).read_text()


def provenance(ports, address="a"):
    return json.loads((ports.folder / f"results/{address}.provenance.json").read_text())


def test_a_mended_typo_is_not_paid_for_again(ports):
    ports.task(prompt="Wirte.")
    ports.apply()
    ports.task(prompt="Write.")
    shown = accept(ports)
    assert [(one.before, one.after) for one in shown.diffs] == [("Wirte.", "Write.")]
    assert ports.told(ResultAccepted) == [ResultAccepted(address="a", generation=2, source=1, run="run-1")]
    assert change_of(ports).action is Action.NONE
    assert [reason.code for reason in change_of(ports).reasons] == ["accepted"]
    record = ports.records()["a"]
    assert (record.generation.inputs, record.file) == ({}, "a.yaml"), "what it was made of is known as if it had run"
    ports.apply()
    assert ports.remote.asked["POST"] == 1
    assert result(ports) == "answer to Wirte."
    assert (provenance(ports)["generation"], provenance(ports)["acceptedByHandFrom"]) == (2, "g1")


def test_a_rejected_result_is_accepted_where_it_is(ports):
    ports.task(assertions=STRICT)
    ports.apply()
    assert ports.records()["a"].accepted is None
    shown = accept(ports)
    assert (shown.stays, shown.generation) == (True, 1)
    assert ports.told(ResultWritten) == [ResultWritten(address="a", path="results/a.txt")]
    assert change_of(ports).action is Action.NONE
    assert change_of(ports).health == "healthy"
    ports.apply()
    assert ports.remote.asked["POST"] == 1


def test_a_rejected_result_that_is_accepted_is_judged_again_when_its_assertions_change_once_more(ports):
    ports.task(assertions=STRICT)
    ports.apply()
    accept(ports)
    ports.task(assertions='[{regex: "norsuch"}]')
    assert change_of(ports).action is Action.REJUDGE


def test_a_result_that_another_has_replaced_is_taken_back(ports):
    ports.task(prompt="One.")
    ports.apply()
    ports.task(prompt="Two.")
    ports.apply()
    shown = accept(ports, 1)
    assert [(one.before, one.after) for one in shown.diffs] == [("One.", "Two.")], "the history has kept its text"
    assert shown.generation == 3
    assert result(ports) == "answer to One."
    assert change_of(ports).action is Action.NONE
    assert ports.records()["a"].accepted.attempt.marker == ports.remote.runs["run-1"].marker


def test_each_generation_can_be_taken_back_again_and_again(ports):
    for prompt in ("One.", "Two.", "Three."):
        ports.task(prompt=prompt)
        ports.apply()
    accept(ports, 1)
    accept(ports, 2)
    accept(ports, 3)
    assert result(ports) == "answer to Three."
    assert ports.records()["a"].generation.number == 6
    assert ports.remote.asked["POST"] == 3


def test_a_title_can_still_be_changed_after_it_and_the_marker_stays(ports):
    ports.task(prompt="One.")
    ports.apply()
    ports.task(prompt="Two.")
    ports.apply()
    accept(ports, 1)
    ports.task(prompt="Two.", title="Another")
    ports.apply()
    assert ports.remote.runs["run-1"].body["title"].startswith("Another [ts1.")


def test_where_a_run_that_was_made_anew_has_failed_the_result_before_it_makes_all_well_again(ports):
    ports.task(rerun="always")
    ports.remote.scripts["Write."] = [["completed"], ["failed"]]
    ports.apply()
    ports.apply()
    ports.task()
    assert change_of(ports).health == "unhealthy"
    accept(ports, 1)
    assert (change_of(ports).action, change_of(ports).health) == (Action.NONE, "healthy")


def test_what_was_forgotten_can_be_accepted_out_of_the_history(ports):
    ports.task()
    ports.apply()
    with reading(ports.folder) as store:
        before = store.read().records["a"]
    from taskspec.runner import forgetting

    asyncio.run(forgetting.forget(ports.invocation("a"), ports, lambda _: True, ports.events.append))
    accept(ports)
    record = ports.records()["a"]
    assert (record.accepted.run, record.generation.number) == (before.accepted.run, 2)
    ports.apply()
    assert ports.remote.asked["POST"] == 1


def test_a_result_from_under_a_former_name_can_be_accepted(ports):
    ports.task(prompt="One.")
    ports.apply()
    ports.task(prompt="Two.")
    ports.apply()
    (ports.folder / "a.yaml").unlink()
    ports.task("b", prompt="Two.")
    ports.apply()
    accept(ports, 1, "b")
    assert result(ports, "b.txt") == "answer to One."


def test_the_history_tells_it(ports):
    ports.task(prompt="Wirte.")
    ports.apply()
    ports.task()
    accept(ports)
    with reading(ports.folder) as store:
        note = next(store.history("a")).note
    assert (note.what, note.data["by"], note.data["from"], note.data["generation"]) == ("accepted", "hand", 1, 2)


def test_its_dependents_are_named_and_decided_anew(ports):
    ports.task("a", prompt="One.")
    ports.task("b", prompt='"Sum up: {{ tasks.a.result }}"')
    ports.apply()
    ports.task("a", prompt="Two.")
    ports.apply()
    assert accept(ports, 1).dependents == ["b"]
    change = change_of(ports, "b")
    assert (change.action, change.paid) == (Action.ADOPT, False), "its own result of then is kept"
    ports.apply()
    assert change_of(ports, "b").action is Action.NONE


def test_what_uses_a_result_can_be_accepted_when_that_is_there(ports):
    ports.task("a", prompt="One.")
    ports.task("b", prompt='"Sum: {{ tasks.a.result }}"')
    ports.apply()
    ports.task("b", prompt='"Sum up: {{ tasks.a.result }}"')
    accept(ports, address="b")
    assert change_of(ports, "b").action is Action.NONE


def test_what_uses_a_result_that_is_not_there_is_refused(ports):
    ports.task("a", prompt="One.")
    ports.task("b", prompt='"Sum up: {{ tasks.a.result }}"')
    ports.apply()
    ports.task("a", prompt="Two.")
    assert "known only when its upstream is accepted (`a`)" in refused(ports, address="b")


def test_what_is_not_approved_is_left(ports):
    ports.task(prompt="Wirte.")
    ports.apply()
    ports.task()
    accept(ports, answer=False)
    assert change_of(ports).action is Action.CREATE


def test_what_has_its_result_needs_none(ports):
    ports.task()
    ports.apply()
    assert "is the accepted one of what `a` declares" in refused(ports)


def test_what_was_accepted_by_hand_is_not_accepted_once_more_under_its_first_number(ports):
    ports.task(prompt="Wirte.")
    ports.apply()
    ports.task(prompt="Write.")
    accept(ports, 1)
    assert "the result of g1 is the accepted one of what `a` declares" in refused(ports, 1)
    assert ports.records()["a"].generation.number == 2


def test_what_was_never_run_has_none(ports):
    ports.task()
    assert "no result of `a` is kept" in refused(ports)


def test_a_run_that_failed_has_none(ports):
    ports.task()
    ports.remote.scripts["Write."] = [["failed"]]
    ports.apply()
    assert "no result of `a` is kept" in refused(ports)


def test_a_generation_that_is_not_kept_is_told_with_those_that_are(ports):
    ports.task(prompt="One.")
    ports.apply()
    ports.task(prompt="Two.", assertions=STRICT)
    ports.apply()
    assert "Kept are those of g2 (rejected), g1 (accepted now)." in refused(ports, 7)


def test_beside_an_active_run_nothing_is_accepted(ports):
    ports.task(prompt="Wirte.")
    ports.apply()
    ports.task()
    ports.remote.scripts["Write."] = [["executing"]]
    ports.apply(wait=False)
    assert "run-2 was last seen" in refused(ports)


def test_while_an_outcome_is_unknown_nothing_is_accepted(ports):
    ports.task(prompt="Wirte.")
    ports.apply()
    ports.task()
    ports.remote.sends = ["drop"]
    ports.apply(hold_unknown=True)
    assert "attempt 1 of g2" in refused(ports, error=OutcomeUnknownError)


def test_what_nothing_declares_is_refused(ports):
    ports.task("a", prompt="One.")
    ports.task("b", prompt="Two.")
    ports.apply()
    (ports.folder / "b.yaml").unlink()
    assert "`b` is not declared" in refused(ports, address="b")


def test_several_are_refused(ports):
    ports.task("a", prompt="One.")
    ports.task("b", prompt="Two.")
    ports.apply()
    assert "One task has to be named" in refused(ports, address="*")
