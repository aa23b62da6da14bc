"""Exit codes as a table: what each end means, and which one stands for several. False green is the worst bug."""

import itertools

import pytest

from taskspec.address import Address
from taskspec.events import ApplyFinished, ChangeFinished, Effect, Interrupted
from taskspec.health import Health
from taskspec.plan.causes import Reason
from taskspec.plan.model import Action, Change, Plan
from taskspec.report.counting import Tally
from taskspec.report.exiting import ExitCode, foremost, of_plan

IN_ORDER = [130, 143, 1, 9, 8, 7, 6, 3, 5, 4, 2, 0]


def finished(effect=Effect.DONE, health=Health.HEALTHY, **more):
    return ChangeFinished(address=Address("a"), action="create", effect=effect, health=health, **more)


def plan(*changes):
    return Plan(id="p", project="sales", environment="default", lineage="l", serial=1, created_at=0.0, changes=changes)


def change(action=Action.NONE, health=Health.HEALTHY, **more):
    reasons = (Reason(code="c", text="t"),)
    return Change(address=Address("a"), action=action, reasons=reasons, health=health, agent="x", **more)


def code_of(*events):
    tally = Tally()
    for event in events:
        tally.on(event)
    return tally.exit_code


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(IN_ORDER, 2)))
def test_of_two_codes_the_graver_stands_for_both(first, second):
    assert foremost([ExitCode(first), ExitCode(second)]) == foremost([ExitCode(second), ExitCode(first)]) == first


def test_every_code_has_its_place_in_the_order():
    assert {code for code in ExitCode if foremost([code]) == code} == set(ExitCode)
    assert foremost([]) == 0


@pytest.mark.parametrize(
    ("effect", "health", "code"),
    [
        (Effect.DONE, Health.HEALTHY, 0),
        (Effect.DONE, Health.UNHEALTHY, 3),
        (Effect.DONE, Health.NEEDS_INPUT, 5),
        (Effect.DONE, Health.UNKNOWN, 9),
        (Effect.LEFT, Health.HEALTHY, 0),
        (Effect.LEFT, Health.UNHEALTHY, 3),
        (Effect.LEFT, Health.NEEDS_INPUT, 5),
        (Effect.LEFT, Health.UNKNOWN, 9),
        (Effect.FAILED, Health.HEALTHY, 1),
        (Effect.FAILED, Health.UNKNOWN, 1),
        (Effect.UNKNOWN, Health.HEALTHY, 9),
        (Effect.UNKNOWN, Health.UNHEALTHY, 9),
        (Effect.CUT, Health.HEALTHY, 4),
        (Effect.CUT, Health.UNHEALTHY, 3),
        (Effect.CUT, Health.NEEDS_INPUT, 5),
        (Effect.CUT, Health.UNKNOWN, 9),
    ],
)
def test_what_became_of_a_change_decides_the_code_of_an_apply(effect, health, code):
    assert code_of(finished(effect, health)) == code
    assert code_of(finished(), finished(effect, health), finished(), ApplyFinished(seconds=1.0)) == code


@pytest.mark.parametrize(("signum", "code"), [(2, 130), (15, 143)])
def test_a_signal_comes_before_everything(signum, code):
    assert code_of(finished(Effect.FAILED), Interrupted(signum=signum), finished(Effect.CUT)) == code


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(
    ("health", "code"), [(Health.UNHEALTHY, 3), (Health.NEEDS_INPUT, 5), (Health.UNKNOWN, 9), (Health.HEALTHY, 0)]
)
def test_a_plan_is_as_healthy_as_what_it_is_about(action, health, code):
    assert of_plan(plan(change(), change(action, health))) == code


def test_a_plan_with_an_item_that_could_not_be_read_is_an_error():
    assert of_plan(plan(change(Action.HOLD, Health.UNKNOWN, in_error=True))) == 1


def test_changes_are_told_only_on_request_and_never_hide_what_is_ill():
    assert of_plan(plan(change(Action.CREATE)), detailed=True) == 2
    assert of_plan(plan(change(Action.CREATE))) == 0
    assert of_plan(plan(change()), detailed=True) == 0
    assert of_plan(plan(change(Action.CREATE), change(health=Health.UNHEALTHY)), detailed=True) == 3


def test_every_trouble_has_its_exit_code():
    from taskspec import errors
    from taskspec.cli.failing import exit_code

    codes = {
        errors.UsageError: 64,
        errors.MissingSecretError: 7,
        errors.StateError: 1,
        errors.LockHeldError: 8,
        errors.LostLeaseError: 8,
        errors.StaleError: 7,
        errors.UnknownCommitError: 9,
        errors.EngineError: 1,
        errors.RemoteError: 1,
        errors.UnreachableError: 1,
        errors.OutcomeUnknownError: 9,
        errors.ProtocolError: 1,
    }
    assert {kind: int(exit_code(kind("x"))) for kind in codes} == codes
    assert exit_code(errors.RefusedError("x", status=400)) == 1
    assert exit_code(errors.RunInterruptedError(2)) == 130
    assert exit_code(errors.RunInterruptedError(15)) == 143
