"""Outcomes: what a change ended as, and the event that tells it. Carries nothing out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from taskspec.apply.model import Outcome
from taskspec.desired.model import DesiredTask
from taskspec.events import ChangeFinished, Effect
from taskspec.health import Health
from taskspec.judging.asserting import digest_of
from taskspec.plan.model import Action, Change, Plan
from taskspec.plan.renewing import never_again
from taskspec.state.model import Accepted, Record, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A change, as it was decided in the end, and what became of it."""

    change: Change
    outcome: Outcome


def as_planned(plan: Plan) -> Iterator[Ended]:
    """Yield the end of every change for which nothing is left to do: it is what the plan says of it."""
    for change in plan.changes:
        if not change.needs_remote:
            yield as_it_is(change)


def finished(ended: Ended) -> ChangeFinished:
    """Return the event of an end."""
    change, outcome = ended.change, ended.outcome
    return ChangeFinished(
        address=change.address,
        action=change.action,
        effect=outcome.effect,
        health=outcome.health,
        verdict=outcome.verdict,
        detail=outcome.detail,
    )


def as_it_is(change: Change) -> Ended:
    """Return the end of a change that does nothing, or did all when its record was adjusted."""
    detail = change.reasons[0].text
    if change.rejudges and (judged := change.judgement) is not None:
        outcome = Outcome(effect=Effect.DONE, health=change.health, verdict=judged.verdict, detail=judged.detail)
    elif change.retakes:
        outcome = Outcome(effect=Effect.DONE, health=change.health, verdict=Verdict.ACCEPTED, detail=detail)
    elif change.in_error or change.refused:
        effect = Effect.FAILED if change.in_error else Effect.REFUSED
        outcome = Outcome(effect=effect, health=change.health, detail=detail)
    else:
        # how the run of what nothing declares has ended makes nobody unhealthy
        verdict = Verdict(change.verdict) if change.verdict and change.task is not None else None
        effect = Effect.DONE if change.action is Action.MOVE else Effect.LEFT
        outcome = Outcome(effect=effect, health=change.health, verdict=verdict, detail=detail)
    return Ended(change=change, outcome=outcome)


def unknown(detail: str) -> Outcome:
    """Return the outcome of what was sent, and nobody knows what became of it."""
    return Outcome(effect=Effect.UNKNOWN, health=Health.UNKNOWN, verdict=Verdict.UNKNOWN, detail=detail)


def of_declared(change: Change, record: Record | None, outcome: Outcome) -> Outcome:
    """Return an outcome that is no better than the change: a run that its upstream has overtaken makes nothing healthy.

    Such a run is waited for because it is paid for; its result is not, or not known to be, one of what is declared.
    Where what is declared has its accepted result already, the end of a run of another text makes nothing worse.
    """
    wanted = record is not None and change.declares(record.generation.fingerprint)
    if isinstance(change.task, DesiredTask) and never_again(change.task, record):
        wanted = False
    kept = record.accepted if record is not None else None
    rests_on_kept = not wanted or (change.action is Action.SETTLE and outcome.verdict is None)
    if rests_on_kept and kept is not None and change.declares(kept.fingerprint) and outcome.effect is Effect.DONE:
        return replace(outcome, health=_of_kept(change, kept), verdict=None)
    if not change.after or wanted or outcome.health is not Health.HEALTHY:
        return outcome
    return replace(outcome, health=change.health, detail=outcome.detail or change.reasons[0].text)


def _of_kept(change: Change, kept: Accepted) -> Health:
    """Return how a task is that has its accepted result: where an intent was in doubt, that was settled by now.

    Where that result was judged by other assertions, nobody has said yet what it is by those of today.
    """
    is_judged = change.task is not None and kept.attempt.assertions == digest_of(change.task.assertions)
    return Health.HEALTHY if change.action is Action.SETTLE and is_judged else change.health
