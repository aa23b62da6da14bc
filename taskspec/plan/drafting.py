"""Drafting: a case and the action picked for it → a change with its numbers, flags and differences. Picks no action."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from taskspec.address import Address
from taskspec.desired.model import DesiredTask
from taskspec.health import Health
from taskspec.plan import reasons
from taskspec.plan.causes import Reason
from taskspec.plan.diffing import diff
from taskspec.plan.keeping import Answer, Former, nothing_kept, unanswered
from taskspec.plan.model import Action, Change, Declared, FieldDiff, Spent, nothing_spent
from taskspec.plan.standing import Place, Situation, Standing, verdict_of
from taskspec.state.model import Record, Verdict
from taskspec.taskapi.records import BEGUN
from taskspec.taskapi.remotes import RemoteIdentity


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One address with everything that is known of it."""

    address: Address
    task: Declared | None
    situation: Situation
    now: float = 0.0
    """Seconds since the epoch."""
    plan: str = ""
    """The id of the plan that is being made."""
    requested: bool = False
    """One further attempt is asked for by hand."""
    quiet_period: float = 0.0
    """As in the circumstances."""
    spent: Spent = nothing_spent
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The contents of kept results that may have to be judged again, by their digests."""
    former: Former = nothing_kept
    """As in the circumstances."""
    answer: Answer = unanswered
    remote: RemoteIdentity | None = None
    """Where runs are to be started; None where nobody has said."""
    dependents: Sequence[Address] = ()
    """The tasks that need this one to be accepted."""
    rerun: bool = False
    """Its accepted result is to be made anew, as a person asks for it."""

    @property
    def record(self) -> Record | None:
        """Return what is recorded."""
        return self.situation.record

    @property
    def same_text(self) -> bool:
        """Tell whether the last generation asked for what is declared, or passes for it, as far as that is known."""
        record, task = self.record, self.task
        return record is not None and isinstance(task, DesiredTask) and task.asks_for(record.generation.fingerprint)

    @property
    def is_exactly_asked(self) -> bool:
        """Tell whether the last generation asked for exactly what is declared, as far as that is known."""
        record, task = self.record, self.task
        return (
            record is not None and isinstance(task, DesiredTask) and record.generation.fingerprint == task.fingerprint
        )

    @property
    def fresh(self) -> bool:
        """Tell whether a run that is started now begins a new generation."""
        elsewhere = self.situation.place is Place.OTHER_REMOTE
        return not self.is_exactly_asked or elsewhere or self.situation.standing is Standing.ACCEPTED


def about(case: Case, action: Action, health: Health, *why: Reason) -> Change:
    """Return a change about the recorded run."""
    situation, record, task = case.situation, case.record, case.task
    generation, attempt = record.generation if record else None, situation.attempt
    return Change(
        address=case.address,
        action=action,
        reasons=why,
        health=health,
        agent=task.agent if task else record.agent if record else "",
        destructive=action in {Action.REPLACE, Action.STOP} and interrupts(situation),
        generation=generation.number if generation else 0,
        attempt=attempt.number if attempt else 0,
        fingerprint=_fingerprint(case),
        run=attempt.run if attempt else None,
        verdict=verdict_of(situation),
        task=task,
        record=record,
        observed=situation.seen,
    )


def start(case: Case, action: Action, *why: Reason, anew: bool = False) -> Change:
    """Return a change that starts a run; `run` is the one that has to be stopped before, if any.

    `anew`: it begins a new generation also where the last one asked for the same.
    """
    record = case.record
    attempt = 1
    if record is None:
        number = case.spent(case.address) + 1
    elif case.fresh or anew:
        number = record.next_generation
    else:
        number, attempt = record.generation.number, len(record.generation.attempts) + 1
    change = about(case, action, Health.HEALTHY, *why)
    not_over = case.situation.standing is Standing.ERROR and case.situation.place is Place.HERE
    stopped = change.run if action is Action.REPLACE or not_over else None
    return replace(change, paid=True, generation=number, attempt=attempt, run=stopped, diffs=differences(case))


def keep(case: Case, *why: Reason) -> Change:
    """Return a change that leaves an accepted result of an older generation as it is."""
    change = about(case, Action.NONE, Health.HEALTHY, *why)
    result = case.record.accepted if case.record else None
    if result is None:
        return change
    return replace(change, generation=result.generation, attempt=0, run=result.run, verdict=Verdict.ACCEPTED)


def settle(case: Case, *why: Reason) -> Change:
    """Return a change that first finds out whether a run exists, and starts none."""
    situation = case.situation
    if situation.duplicates:
        runs = (run.id for run in situation.duplicates)
        return about(case, Action.HOLD, Health.UNKNOWN, reasons.duplicate_runs(case.address, runs), *why)
    leading = list(why)
    if situation.seen is not None:
        leading.insert(0, reasons.run_found(situation.seen.id))
    if situation.record is not None and situation.attempt is not None:
        leading.insert(0, reasons.outcome_unknown(situation.record, situation.attempt, case.quiet_period))
    change = about(case, Action.SETTLE, Health.UNKNOWN, *leading)
    if situation.seen is None:
        return change
    return replace(change, run=situation.seen.id, destructive=not case.same_text and interrupts(situation))


def settle_with_a_run(case: Case, *why: Reason) -> Change:
    """Return a change that settles an intent; a run follows where it is proven absent, or of another text."""
    change = settle(case, *why)
    if change.action is not Action.SETTLE or case.record is None:
        return change
    if case.same_text:
        return replace(change, paid=True)
    number = case.record.next_generation
    return replace(change, paid=True, generation=number, attempt=1, diffs=differences(case))


def differences(case: Case) -> tuple[FieldDiff, ...]:
    """Return in which fields the declared text differs from the last generation's; all of them where there is none."""
    if case.task is None or case.is_exactly_asked:
        return ()
    return diff(case.record.generation.spec if case.record else {}, case.task.spec)


def interrupts(situation: Situation) -> bool:
    """Tell whether stopping the run of a situation throws away work that was begun."""
    return situation.status in BEGUN


def changed_fields(case: Case) -> Iterator[Reason]:
    """Yield a reason for each field that differs from what was last asked for."""
    if isinstance(case.task, DesiredTask) and case.record is not None and not case.is_exactly_asked:
        yield from reasons.spec_changed(case.record, case.task, differences(case))


def _fingerprint(case: Case) -> str | None:
    """Return the fingerprint of what is declared (None while it is not known), else of what is recorded."""
    if case.task is None:
        return case.record.generation.fingerprint if case.record else None
    return case.task.fingerprint if isinstance(case.task, DesiredTask) else None
