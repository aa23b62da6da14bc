"""New tasks that are like one which is declared no longer."""

from plan_worlds import attempt, desired, planned, record, snapshot, task

BEFORE = "Close the quarter of the company at the rate of today"


def hints(*tasks, gone="close", text=BEFORE):
    kept = record(gone, text=text, attempts=[attempt(address=gone, status="completed", verdict="accepted")])
    plan = planned(desired(*tasks), snapshot(kept))
    return {
        change.address: reason.text
        for change in plan.changes
        for reason in change.reasons
        if reason.code == "may_be_renamed"
    }


def test_a_new_task_of_nearly_the_same_text_may_be_the_one_that_is_gone():
    assert hints(task("closing", f"{BEFORE}, please")) == {
        "closing": "it may be `close`, which is declared no longer: `moved: {from: close}` keeps its record"
    }


def test_cells_are_compared_with_those_of_the_same_values():
    found = hints(task("closing[q1]", f"{BEFORE}!"), task("closing[q2]", f"{BEFORE}!"), gone="close[q1]")
    assert list(found) == ["closing[q1]", "closing[q2]"]
    assert "`moved: {from: close}`" in found["closing[q1]"]
    assert hints(task("closing[q2]", f"{BEFORE}!"), gone="close[q1]") == {}


def test_another_text_or_another_agent_is_another_task():
    assert hints(task("closing", "Write a letter to each customer")) == {}
    assert hints(task("closing", f"{BEFORE}, please", agent="painter")) == {}


def test_what_is_still_declared_has_no_other_name():
    assert hints(task("close", BEFORE), task("closing", f"{BEFORE}, please")) == {}
