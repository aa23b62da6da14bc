"""What causes the runs of a plan in the end, and how many each cause has."""

from taskspec.address import Address
from taskspec.diagnostics import Position
from taskspec.health import Health
from taskspec.plan.causes import Reason
from taskspec.plan.model import Action, Change, Plan
from taskspec.plan.tallying import causes_of, roots_of


def at(line, file="tasks.yaml"):
    return Position(file=file, line=line, column=3)


def edited(line, *because):
    return Reason(code="spec_changed", text="`prompt` changed since g1", position=at(line), because=because)


def behind(code, line=None, text="behind"):
    return Reason(code=code, text=text, position=None if line is None else at(line, "vars.yaml"))


def change(address, *reasons, after=(), action=Action.CREATE, paid=True):
    return Change(
        address=Address(address),
        action=action,
        reasons=reasons or (Reason(code="known_after", text="known after", position=at(99)),),
        health=Health.HEALTHY,
        agent="writer",
        paid=paid,
        conditional=bool(after),
        after=tuple(map(Address, after)),
    )


def tallied(*changes):
    plan = Plan(id="p", project="s", environment="default", lineage="l", serial=1, created_at=0.0, changes=changes)
    found = causes_of(plan, roots_of(plan))
    return [(str(one.position) if one.position else one.root.words, one.certain, one.conditional) for one in found]


def test_a_line_counts_the_runs_that_it_starts_and_all_that_follow_from_them():
    chain = change("a", edited(7)), change("b", after=["a"]), change("c", after=["a", "b"])
    assert tallied(*chain) == [("tasks.yaml:7:3", 1, 2)]


def test_what_is_behind_a_field_is_the_cause_and_not_the_field():
    assert tallied(change("a", edited(7, behind("input_changed", 2), behind("text_edited", 8)))) == [
        ("vars.yaml:2:3", 1, 0),
        ("vars.yaml:8:3", 1, 0),
    ]


def test_the_causes_of_the_most_runs_come_first():
    assert tallied(change("a", edited(7)), change("b", edited(9)), change("c", edited(9))) == [
        ("tasks.yaml:9:3", 2, 0),
        ("tasks.yaml:7:3", 1, 0),
    ]


def test_a_default_that_still_gives_a_field_is_no_cause_beside_another():
    file, default = behind("file_changed", 5), behind("default_changed")
    assert tallied(change("a", edited(7, file, default))) == [("vars.yaml:5:3", 1, 0)]
    assert tallied(change("a", edited(7, default))) == [("tasks.yaml:7:3", 1, 0)]


def test_a_further_place_of_the_same_edit_is_no_further_cause():
    assert tallied(change("a", edited(7, behind("differs_too", 9)))) == [("tasks.yaml:7:3", 1, 0)]


def test_what_has_no_line_is_told_by_its_words():
    given = behind("input_changed", text="`vars.a` has another value, given by `--var`")
    new = Reason(code="not_recorded", text="no run of it is recorded yet", position=at(3))
    assert tallied(change("a", edited(7, given)), change("b", new), change("c", new)) == [
        ("never run before", 2, 0),
        ("`vars.a` has another value, given by `--var`", 1, 0),
    ]


def test_what_has_grown_old_is_caused_by_time_and_not_by_the_line_that_says_when():
    old = Reason(code="rerun_after", text="its last run is of yesterday", position=at(3))
    assert tallied(change("a", old), change("b", old)) == [("time, by `rerun.after`", 2, 0)]


def test_a_new_cell_is_caused_by_what_names_it_and_a_new_name_by_itself():
    cell = Reason(code="not_recorded", text="no run", position=at(3), because=(behind("cell_added", 4),))
    renamed = Reason(code="may_be_renamed", text="it may be `old`", position=at(1))
    assert tallied(change("a[x]", cell)) == [("vars.yaml:4:3", 1, 0)]
    assert tallied(change("a[x]", cell, renamed)) == [("tasks.yaml:1:3", 1, 0)]


def test_what_only_tells_something_of_a_change_causes_none():
    beside = Reason(code="side_effects", text="running it again repeats its side effects", position=at(20))
    label = Reason(code="unsent_changed", text="the label changed", position=at(21))
    assert tallied(change("a", edited(7), beside, label)) == [("tasks.yaml:7:3", 1, 0)]


def test_what_is_judged_again_causes_what_waits_for_it():
    judged = Reason(code="assertions_changed", text="its assertions changed", position=at(5))
    assert tallied(change("a", judged, action=Action.REJUDGE, paid=False), change("b", after=["a"])) == [
        ("tasks.yaml:5:3", 0, 1)
    ]
