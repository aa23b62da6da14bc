"""Regrading: a kept result by assertions that changed since it was judged. Reads no store, and plans nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, Desired, DesiredTask
from taskspec.judging.asserting import digest_of
from taskspec.judging.judging import Expectation, Judgement, judge
from taskspec.plan.drafting import Case
from taskspec.plan.renewing import passing
from taskspec.plan.standing import Place, Standing
from taskspec.state.model import Attempt, Record, ResultRef, Snapshot, Verdict
from taskspec.taskapi.records import AgentExecutionStatus as Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Regrade:
    """What a kept result is by the declared assertions; no judgement where the state cannot give it any more."""

    judgement: Judgement | None
    turns: bool
    """Another verdict than the recorded one."""

    @property
    def is_doubtful(self) -> bool:
        """Tell whether the recorded verdict does not hold any more, or nobody can say."""
        return self.turns or self.judgement is None


def concerned(desired: Desired, snapshot: Snapshot) -> Iterator[ResultRef]:
    """Yield the kept results that a decision may have to judge again: their contents are to be loaded for it."""
    for address, task in desired.tasks.items():
        record = snapshot.records.get(address)
        for attempt in _kept(record, task) if record is not None else ():
            if attempt.result is not None and attempt.assertions != digest_of(task.assertions):
                yield attempt.result


def regraded(case: Case, task: DesiredTask, attempt: Attempt | None) -> Regrade | None:
    """Return what the kept result of an attempt is now; None where it was judged by these very assertions."""
    if attempt is None or attempt.result is None or attempt.assertions == digest_of(task.assertions):
        return None
    content = case.kept.get(attempt.result.digest)
    if content is None:
        return Regrade(judgement=None, turns=False)
    judgement = judge(Status.Completed, content, Expectation.of(task.spec, task.assertions), attempt.stop)
    return Regrade(judgement=judgement, turns=judgement.verdict is not attempt.verdict)


def regraded_now(case: Case) -> Regrade | None:
    """Return what the kept result of the declared text is now; None where none was judged, or nothing has changed."""
    task, situation = case.task, case.situation
    if not isinstance(task, DesiredTask) or not case.same_text or situation.place is Place.OTHER_REMOTE:
        return None
    judged = situation.standing in {Standing.ACCEPTED, Standing.REJECTED}
    return regraded(case, task, situation.attempt) if judged else None


def dependents(desired: Desired) -> Mapping[Address, Sequence[Address]]:
    """Return, for each address, the tasks that need it to be accepted."""
    found: dict[Address, list[Address]] = {}
    for address, task in desired.tasks.items():
        for needed in task.upstream:
            found.setdefault(needed, []).append(address)
    return found


def _kept(record: Record, task: DesiredTask | DeferredTask) -> Iterator[Attempt]:
    """Yield the attempts of a record whose results may be those of what is declared."""
    accepted, generation = record.accepted, record.generation
    wanted = passing(task, record).asks_for if isinstance(task, DesiredTask) else _anything
    if accepted is not None and wanted(accepted.fingerprint):
        yield accepted.attempt
    if wanted(generation.fingerprint):
        counting = [attempt for attempt in generation.attempts if attempt.counts]
        yield from (attempt for attempt in counting[-1:] if attempt.verdict is Verdict.REJECTED)


def _anything(_: str) -> bool:
    return True
