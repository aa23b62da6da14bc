"""Retaking: a text that was asked for before takes its kept result again, in the place of a run. Picks no row.

Where a changed text would start a run, and an older generation of the address had exactly its fingerprint and was
accepted, nothing has to be paid: that result is kept. It counts as far as today lets it: the declared assertions accept
it, `rerun` asks for no newer one, and it was made on the remote that the project has. What is recorded of the text in
between is seen to its end as ever: its run is stopped, let end or settled first.
"""

from dataclasses import replace

from taskspec.desired.model import DesiredTask
from taskspec.judging.asserting import digest_of
from taskspec.judging.judging import Expectation, judge
from taskspec.plan import retaking_reasons
from taskspec.plan.causes import Reason
from taskspec.plan.drafting import Case
from taskspec.plan.keeping import Kept
from taskspec.plan.model import Action, Change
from taskspec.plan.renewing import is_due
from taskspec.state.model import Verdict
from taskspec.taskapi.records import AgentExecutionStatus as Status


def retaken(case: Case, task: DesiredTask, own: Change) -> Change:
    """Return the change of a changed text, with a kept result in the place of the run that it would start."""
    if not own.paid or case.rerun:
        return own
    kept = asked_before(case, task)
    if kept is None:
        return own
    if (why := _not_taken(case, task, kept)) is not None:
        return replace(own, reasons=(*own.reasons, why))
    why = retaking_reasons.asked_before(task, kept)
    if own.action in {Action.WAIT, Action.SETTLE}:
        return replace(own, paid=False, kept=kept, reasons=(*own.reasons, why))
    reasons = (why, *own.reasons)
    return replace(own, action=Action.ADOPT, paid=False, kept=kept, reasons=reasons, verdict=Verdict.ACCEPTED)


def is_retakable(case: Case, task: DesiredTask) -> bool:
    """Tell whether a changed text has a kept result that would be accepted again."""
    kept = asked_before(case, task)
    return kept is not None and _not_taken(case, task, kept) is None


def asked_before(case: Case, task: DesiredTask) -> Kept | None:
    """Return the newest accepted result of exactly what is declared, where a generation before the last has one."""
    record = case.record
    if record is None or record.generation.number == 1:
        return None
    fitting = (one for one in case.former(case.address, record) if one.fingerprint == task.fingerprint)
    return next((one for one in fitting if one.attempt.verdict is Verdict.ACCEPTED), None)


def _not_taken(case: Case, task: DesiredTask, kept: Kept) -> Reason | None:
    """Return why a kept result does not count today; None where it does."""
    if case.remote is None or not kept.attempt.remote.same_remote(case.remote):
        return retaking_reasons.made_elsewhere(kept)
    if is_due(task, kept.at, now=case.now):
        return retaking_reasons.outlived(task, kept)
    content = case.answer(kept.result)
    if content is None:
        return retaking_reasons.not_readable(kept)
    if kept.attempt.assertions == digest_of(task.assertions):
        return None
    judgement = judge(Status.Completed, content, Expectation.of(task.spec, task.assertions), None)
    if judgement.verdict is Verdict.ACCEPTED:
        return None
    return retaking_reasons.rejected_now(task, kept, judgement.detail)
