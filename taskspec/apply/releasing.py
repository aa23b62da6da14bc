"""Releasing: a change whose upstream has ended → what is carried out now, or how it ended. Carries nothing out.

A result of an upstream task is text: it is read as it was recorded, given to the templates as a value, and is never
rendered itself. What was planned is the most that is done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from taskspec.address import Address
from taskspec.apply.model import Outcome
from taskspec.apply.outcomes import Ended, as_it_is
from taskspec.apply.world import World
from taskspec.desired.model import DeferredTask
from taskspec.errors import StateError
from taskspec.events import Effect
from taskspec.health import Health
from taskspec.plan.causes import Reason
from taskspec.plan.deciding import decide_again
from taskspec.plan.finishing import finished
from taskspec.plan.model import IDLE, Action, Change
from taskspec.plan.prospect import gravest
from taskspec.plan.reasons import words
from taskspec.state.model import Verdict


async def release(world: World, change: Change, upstream: Sequence[Ended]) -> Change | Ended:
    """Return what is to be done about a conditional change, given how its upstream ended."""
    lacking = [ended for ended in upstream if not _is_accepted(world, ended)]
    if lacking:
        return _left_out(change, lacking)
    task = change.task
    if not isinstance(task, DeferredTask):
        return replace(change, conditional=False, after=())
    try:
        results = await _results(world, task)
    except StateError as error:
        return _failed(change, f"a result that it uses cannot be read: {error.message}")
    made = finished(task, results)
    if isinstance(made, Reason):
        return _failed(change, f"{made.position}: {made.text}" if made.position else made.text)
    if world.plan.basis is None:
        raise LookupError("the plan does not say what it was decided on")
    decided = decide_again(world.plan.basis, made, world.recorder.record_of(change.address))
    return as_it_is(decided) if decided.action in IDLE else decided


async def _results(world: World, task: DeferredTask) -> Mapping[Address, str]:
    results: dict[Address, str] = {}
    for address in sorted(task.uses):
        record = world.recorder.record_of(address)
        if record is None or record.accepted is None:
            raise LookupError(f"no result of {address} is recorded")
        results[address] = await world.recorder.result(record.accepted.result)
    return results


def _is_accepted(world: World, ended: Ended) -> bool:
    """Tell whether an upstream task has its accepted result for what it declares now: an older one is not enough.

    A title that could not be sent takes nothing from a result.
    """
    change, outcome = ended.change, ended.outcome
    record = world.recorder.record_of(change.address)
    if record is None or record.accepted is None or not change.declares(record.accepted.fingerprint):
        return False
    if change.retitles:
        return True
    return outcome.health is Health.HEALTHY and not _goes_on(ended)


def _goes_on(ended: Ended) -> bool:
    """Tell whether it is well, and was not waited for."""
    outcome = ended.outcome
    return outcome.health is Health.HEALTHY and (outcome.verdict is Verdict.ACTIVE or outcome.effect is Effect.CUT)


def _left_out(change: Change, lacking: Sequence[Ended]) -> Change | Ended:
    """Return the end of a change that cannot begin: blocked, or put off where its upstream only goes on.

    What was asked for already, and has an unknown outcome, is found out all the same, and starts nothing.
    """
    barring = [ended for ended in lacking if not _goes_on(ended)]
    if not barring:
        detail = f"not started: it depends on {_named(lacking)}, not waited for; apply again when it has ended"
        return Ended(change=change, outcome=Outcome(effect=Effect.CUT, health=change.health, detail=detail))
    # A change that is not healthy itself (its outcome is unknown, its run waits for a person) is not made better.
    healths = [change.health, *(_health(ended) for ended in barring)]
    detail = f"blocked: {_named(barring)} without an accepted result{_ending(barring[0].outcome)}"
    if change.action is Action.SETTLE:
        why = Reason(code="upstream_unhealthy", text=detail)
        return replace(change, conditional=False, paid=False, destructive=False, reasons=(why, *change.reasons))
    blocked = replace(change, action=Action.BLOCKED, conditional=False, paid=False, destructive=False)
    return Ended(change=blocked, outcome=Outcome(effect=Effect.LEFT, health=gravest(healths), detail=detail))


def _ending(outcome: Outcome) -> str:
    """Return how another task ended, as far as that is told, and the first line of why."""
    verdict = f": {outcome.verdict}" if outcome.effect is Effect.DONE and outcome.verdict is not None else ""
    return f"{verdict}{words(outcome.detail)}"


def _health(ended: Ended) -> Health:
    return Health.UNHEALTHY if ended.outcome.health is Health.HEALTHY else ended.outcome.health


def _named(several: Sequence[Ended]) -> str:
    more = f" and {len(several) - 1} more" if len(several) > 1 else ""
    return f"`{several[0].change.address}`{more}"


def _failed(change: Change, detail: str) -> Ended:
    return Ended(change=change, outcome=Outcome(effect=Effect.FAILED, health=Health.UNHEALTHY, detail=detail))
