"""Reasons that say the same of several cells, and the causes of a plan, in words."""

from taskspec.address import Address
from taskspec.diagnostics import Position
from taskspec.health import Health
from taskspec.plan.causes import Commit, Reason
from taskspec.plan.model import Action, Change, Plan
from taskspec.plan.tallying import roots_of
from taskspec.report.causes import reason_lines
from taskspec.report.culprits import MOST, cause_lines
from taskspec.report.text import Paint

PLAIN = Paint(color=False)


def edit(line):
    place = Position(file="tasks.yaml", line=line, column=10)
    return Reason(code="spec_changed", text="`prompt` changed since g1", position=place)


def runs(address, *because):
    return Reason(code="upstream_runs", text=f"`{address}` runs", because=because)


def waits(*because):
    return Reason(code="known_after", text="known after them", because=because)


def change(address, *reasons, after=(), generation=2):
    return Change(
        address=Address(address),
        action=Action.CREATE,
        reasons=reasons,
        health=Health.HEALTHY,
        agent="writer",
        paid=True,
        conditional=bool(after),
        after=tuple(map(Address, after)),
        generation=generation,
    )


def plan_of(*changes):
    given = {"project": "sales", "environment": "default", "lineage": "l", "serial": 1, "created_at": 0.0}
    commits = {edit(7).line: Commit(id="c0ffee00", author="Ada", at="2026-11-28")}
    return Plan(id="p", changes=changes, commits=commits, **given)


CELLS = [change(f"report[{one}]", edit(7)) for one in ("a", "b", "c")]
PACK = change("pack", waits(*[runs(one.address, edit(7)) for one in CELLS]), after=[one.address for one in CELLS])


def told(plan, of, *, whole):
    return list(reason_lines(of.reasons, plan, PLAIN, "", roots_of(plan) if whole else None))


def test_a_plan_tells_of_cells_together_and_refers_to_them():
    assert told(plan_of(*CELLS, PACK), PACK, whole=True) == [
        "known after them",
        "  because 3 of `report[*]` run: see there  tasks.yaml:7:10 (c0ffee00 2026-11-28 Ada)",
    ]


def test_one_task_alone_tells_the_whole_chain_once():
    assert told(plan_of(*CELLS, PACK), PACK, whole=False) == [
        "known after them",
        "  because 3 of `report[*]` run",
        "    because `prompt` changed since g1  tasks.yaml:7:10 (c0ffee00 2026-11-28 Ada)",
    ]


def test_cells_that_run_for_other_reasons_are_told_apart_where_the_reasons_are_told():
    cells = [*CELLS[:2], change("report[c]", edit(9))]
    pack = change("pack", waits(*[runs(one.address, *one.reasons) for one in cells]), after=PACK.after)
    plan = plan_of(*cells, pack)
    assert told(plan, pack, whole=False)[1::2] == ["  because 2 of `report[*]` run", "  because `report[c]` runs"]
    assert told(plan, pack, whole=True)[1].endswith("(c0ffee00 2026-11-28 Ada) and 1 more place")


def test_the_causes_stand_by_the_number_of_their_runs():
    plan = plan_of(*CELLS, PACK, change("letter", edit(9)))
    assert list(cause_lines(plan, roots_of(plan), PLAIN)) == [
        "  Cause: tasks.yaml:7 (c0ffee00 2026-11-28 Ada): 3 runs, up to 1 more",
        "  Cause: tasks.yaml:9: 1 run",
    ]


def test_one_run_and_a_project_that_is_new_have_no_list_of_causes():
    for plan in (plan_of(CELLS[0]), plan_of(*[change(f"t{n}", edit(n), generation=1) for n in range(1, 5)])):
        assert list(cause_lines(plan, roots_of(plan), PLAIN)) == []


def test_no_more_than_so_many_causes_are_listed():
    plan = plan_of(*[change(f"t{n}", edit(n)) for n in range(1, MOST + 3)])
    assert list(cause_lines(plan, roots_of(plan), PLAIN))[-1] == "  and 2 more causes"
