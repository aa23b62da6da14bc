"""Policies: what they see of a plan, which they deny, and what becomes of one that cannot be asked."""

from dataclasses import replace

import pytest
from hypothesis import given
from plan_worlds import DOCUMENT, UNHURRIED, attempt, deferred, desired, planned, record, snapshot, task
from test_plan_properties import plan_of, worlds

from taskspec.documents.model import PlanPolicy, Project
from taskspec.plan.encoding import to_json
from taskspec.plan.model import Action, Risk, RiskCategory
from taskspec.plan.policing import change_names, common_names, denials

GROWTH = replace(task("a"), labels={"team": "growth"})
WANTED = desired(GROWTH, task("b", "B", agent="reader", upstream=["a"]), task("c"))
HELD = snapshot(record("c", attempts=[attempt(address="c", status="completed", verdict="accepted")], accepted=(1, "A")))
PLAN = planned(WANTED, HELD)


def denied(deny, *, plan=PLAN, overridden=(), message=""):
    policies = (PlanPolicy(name="p", deny=deny, message=message, path=("spec", "policies", 0)),)
    project = Project(name="sales", folder="/p", data_folder="/p/.taskspec", policies=policies, document=DOCUMENT)
    return [(one.limit, one.addresses, one.message) for one in denials(plan, project, overridden)]


@pytest.mark.parametrize(
    ("deny", "addresses"),
    [
        ("change.agent == 'reader' and change.paid", ["b"]),
        ("change.action == 'create'", ["a", "b"]),
        ("change.action == 'none'", ["c"]),
        ("'team' in change.labels and change.labels.team == 'growth'", ["a"]),
        ("'not_recorded' in change.reasons", ["a", "b"]),
        ("change.conditional and 'a' in change.after", ["b"]),
        ("any(one.path == 'agent' for one in change.diff)", ["a", "b"]),
        ("change.task == 'c' and environment == 'default' and project.name == 'sales'", ["c"]),
        ("change.movedFrom != null", []),
        ("change.health != 'healthy'", []),
    ],
)
def test_a_policy_that_mentions_a_change_is_asked_for_each(deny, addresses):
    assert [list(found) for _, found, _ in denied(deny)] == ([addresses] if addresses else [])


@pytest.mark.parametrize(
    ("deny", "holds"),
    [
        ("plan.paidRuns > 1", True),
        ("plan.paidRuns > 2", False),
        ("plan.counts.stop > 0", False),
        ("plan.counts.create == 2 and plan.counts.none == 1", True),
        ("plan.risks.secret_exposed > 0", False),
        ("plan.conditionalRuns == 1 and plan.unselected == 0", True),
    ],
)
def test_another_policy_is_asked_once(deny, holds):
    assert denied(deny, message="too much") == ([("p", (), "too much")] if holds else [])


def test_it_sees_the_categories_of_risks():
    risky = Risk(category=RiskCategory.SIDE_EFFECTS, text="it sends mail")
    plan = replace(PLAN, changes=tuple(replace(one, risks=(risky, risky)) for one in PLAN.changes[:1]))
    assert [found for _, found, _ in denied("'side_effects' in change.risks", plan=plan)] == [("a",)]
    assert [found for _, found, _ in denied("len(change.risks) == 1 and plan.risks.side_effects == 1", plan=plan)] == [
        ("a",)
    ]


def test_one_that_is_overridden_is_not_asked():
    assert denied("true", overridden=["p"]) == []
    assert denied("change.paid", overridden=["other"]) != []


def test_one_that_fails_for_a_change_denies_the_plan_and_says_why():
    (found,) = denied("change.labels.team == 'growth'", plan=replace(PLAN, changes=PLAN.changes[1:]))
    assert found[:2] == ("p", ("b", "c"))
    assert found[2].startswith("it cannot be decided: There is no field `team`.")


def test_what_it_denies_and_what_it_cannot_be_asked_of_are_told_apart():
    first, second = denied("change.labels.team == 'growth'")
    assert (first[1], second[1]) == (("a",), ("b", "c"))


@pytest.mark.parametrize("deny", ["change.paid and", "nosuch > 3", "plan.paidRuns", "change.paid + 1 > 1", "1"])
def test_one_that_is_no_condition_denies_the_plan(deny):
    assert "it cannot be decided" in denied(deny)[0][2]


def test_one_that_does_too_much_denies_the_plan_instead_of_taking_for_ever():
    hundred = f"[{', '.join(['1'] * 100)}]"
    deny = f"change.paid and all(all(x > 0 for x in {hundred}) for y in {hundred})"
    plan = replace(PLAN, changes=tuple(PLAN.changes[0] for _ in range(100)))
    assert any("too much work" in message for *_, message in denied(deny, plan=plan))


@UNHURRIED
@given(worlds())
def test_a_policy_sees_of_a_change_what_the_json_of_the_plan_shows(world):
    plan = plan_of(world)
    shown = to_json(plan)
    for change, seen in zip(shown["changes"], map(change_names, plan.changes), strict=True):
        assert {name: seen[name] for name in change.keys() - {"reasons", "risks"}} == {
            name: change[name] for name in change.keys() - {"reasons", "risks"}
        }
        assert seen["reasons"] == [reason["code"] for reason in change["reasons"]]
    counts = common_names(plan)["plan"]["counts"]
    assert counts.keys() == set(map(str, Action))
    assert {action: count for action, count in counts.items() if count} == shown["summary"]["counts"]


@UNHURRIED
@given(worlds())
def test_a_plan_is_denied_just_where_a_change_is(world):
    plan = plan_of(world)
    paid = tuple(change.address for change in plan.changes if change.paid)
    assert [found for _, found, _ in denied("change.paid", plan=plan)] == ([paid] if paid else [])


def test_a_change_of_what_is_declared_no_longer_has_no_labels():
    plan = planned(desired(), HELD)
    assert denied("len(change.labels) > 0", plan=plan) == []
    assert denied("change.action == 'forget'", plan=plan) == [("p", ("c",), "")]


def test_what_is_known_only_later_can_be_asked_about():
    plan = planned(desired(task("a"), deferred("d", uses=["a"])), snapshot())
    assert [found for _, found, _ in denied("change.fingerprint == null", plan=plan)] == [("d",)]
