"""accept, over random worlds: what is accepted by hand is not paid for again, and nothing is left unaccounted for."""

from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from plan_worlds import HERE, desired, planned
from plan_worlds import snapshot as state
from test_plan_properties import records, tasks

from taskspec.apply.accepting import accepted, note_of
from taskspec.documents.model import When
from taskspec.observed.model import Observed
from taskspec.plan.accepting import Acceptance, is_unsettled, refusal
from taskspec.plan.keeping import kept_results
from taskspec.plan.model import Action
from taskspec.plan.standing import stand
from taskspec.state.model import ResultRef, Sending, Verdict

SELECTIVE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
"""Most drawn records have nothing that may be accepted."""
OPEN = {None, "pending", "executing", "paused"}


@st.composite
def acceptances(draw):
    """Draw a task, what is recorded of it, and a kept result that may be accepted."""
    wanted, record = draw(tasks("a")), draw(records("a"))
    attempts = [
        replace(attempt, result=ResultRef.of("words", None)) if attempt.sending is Sending.BOUND else attempt
        for attempt in record.generation.attempts
    ]
    if record.accepted is None or record.accepted.generation != record.generation.number:
        record = replace(record, generation=replace(record.generation, attempts=tuple(attempts)))
    kept = kept_results(record, ())
    assume(kept)
    situation = stand(record, Observed(), HERE)
    acceptance = Acceptance(address=wanted.address, task=wanted, situation=situation, kept=draw(st.sampled_from(kept)))
    assume(not is_unsettled(situation) and refusal(acceptance, HERE) is None)
    return desired(wanted), state(record), acceptance


@SELECTIVE
@given(acceptances())
def test_what_is_accepted_by_hand_is_healthy_and_not_paid_for(drawn):
    wanted, held, acceptance = drawn
    address, task = acceptance.address, acceptance.task
    made = accepted(acceptance, "nonce")
    after = replace(held, records={**held.records, address: made})
    change = next(one for one in planned(wanted, after).changes if one.address == address)
    if task.policies.rerun.when is When.ALWAYS or task.policies.rerun.after is not None:
        assert not change.paid or {reason.code for reason in change.reasons} & {"rerun_always", "rerun_after"}
        return
    assert change.action in {Action.NONE, Action.UPDATE}
    assert (change.paid, change.health) == (False, "healthy")
    assert change.record.accepted.result == acceptance.kept.result


@SELECTIVE
@given(acceptances())
def test_the_record_says_what_was_accepted_and_no_number_of_a_generation_is_used_twice(drawn):
    _, _, acceptance = drawn
    made, before = accepted(acceptance, "nonce"), acceptance.record
    assert made.accepted.fingerprint == made.generation.fingerprint == acceptance.task.fingerprint
    assert made.accepted.generation == made.generation.number == acceptance.generation
    assert made.accepted.by_hand == acceptance.kept.generation
    assert made.accepted.attempt in made.generation.attempts
    assert made.accepted.attempt.verdict is Verdict.ACCEPTED
    assert acceptance.stays or made.generation.number > before.generation.number
    assert note_of(acceptance, made, 1.0).data["from"] == acceptance.kept.generation


@SELECTIVE
@given(acceptances())
def test_no_run_that_may_be_at_work_or_there_twice_leaves_the_record(drawn):
    _, _, acceptance = drawn
    made = accepted(acceptance, "nonce")
    kept = {attempt.nonce for attempt in made.generation.attempts}
    for attempt in acceptance.record.generation.attempts:
        if attempt.nonce in kept or not attempt.counts:
            continue
        assert attempt.sending is not Sending.INTENDED
        assert attempt.status not in OPEN or attempt.verdict is Verdict.LOST
