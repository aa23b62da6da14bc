"""Following: waits for a run to end, judges it, records it with its result. Starts no run."""

import asyncio
from dataclasses import replace
from typing import Final, assert_never

from taskspec.apply import advancing, requesting
from taskspec.apply.model import Outcome
from taskspec.apply.noting import ending_facts, result_facts
from taskspec.apply.stopping import record_revived, stop
from taskspec.apply.world import World, unbroken
from taskspec.desired.model import DesiredTask
from taskspec.events import Effect, RunEnded, RunStatusChanged
from taskspec.health import Health
from taskspec.jsontext import is_text
from taskspec.judging.asserting import digest_of
from taskspec.judging.judging import Expectation, judge
from taskspec.observed.model import Absent, Present, Unreadable
from taskspec.plan.model import Change, Declared
from taskspec.plan.spending import total
from taskspec.state.model import Attempt, PutResult, Record, ResultRef, StopCause, Verdict
from taskspec.taskapi.records import ENDED, TaskRecord
from taskspec.taskapi.records import AgentExecutionStatus as Status
from taskspec.taskapi.redacting import without_in

_MOST_WORDS: Final = 16_384
"""So much of the words with which a run failed is looked at, in characters: many times what is told of them."""


async def follow(world: World, change: Change) -> Outcome:
    """Wait for the current run of a change and return what became of it; a policy's time-out stops it.

    The time begins when the run is seen executing, or with its start where the remote tells it: none passes in a queue.
    So the first look is not cut short: the run may have ended in time, and nobody was there to see it.
    """
    _, attempt, run = world.current_run(change.address)
    task = change.task
    if task is None:
        raise ValueError(f"nothing declares {change.address}")
    if world.listener is not None:
        world.listener.listen(change, run)
    limit = task.policies.timeout
    began: float | None = None
    seen: str | None = None
    while True:
        try:
            async with asyncio.timeout(_left(world, began, limit)):
                observation = await world.watcher.change(run, task.agent, seen=seen)
        except TimeoutError:
            await stop(world, change, StopCause.TIMEOUT)
            limit = None
            continue
        match observation:
            case Absent():
                return await lost(world, change)
            case Unreadable(reason=reason):
                return Outcome(effect=Effect.FAILED, health=Health.UNKNOWN, detail=reason)
            case Present(record=found) if found.status in ENDED:
                return await unbroken(conclude(world, change, found))
            case Present(record=found):
                seen = found.status
                if attempt.verdict is Verdict.LOST:
                    await record_revived(world, change, found)
                    _, attempt, _ = world.current_run(change.address)
                world.emit(RunStatusChanged(address=change.address, run=found.id, status=seen))
                world.search.note(task.agent, found.title, attempt.marker)
                began = _beginning(attempt, found, began, world.chance.now()) if seen == Status.Executing else None
                if (still := held_up(found)) is not None:
                    record, attempt, _ = world.current_run(change.address)
                    seen_so = replace(attempt, status=found.status)
                    await world.record(advancing.with_attempt(record, seen_so), "seen", status=found.status)
                    return still
            case _:
                assert_never(observation)


async def conclude(world: World, change: Change, found: TaskRecord) -> Outcome:
    """Judge a run that has ended, record the verdict and the result, write the result's files."""
    record, attempt, _ = world.current_run(change.address)
    spec, task = record.generation.spec, change.task
    assertions = task.assertions if task is not None and change.declares(record.generation.fingerprint) else ()
    expectation = Expectation.of(spec, assertions)
    judgement = judge(found.status, told(found, task), expectation, attempt.stop)
    ended = replace(
        attempt,
        status=found.status,
        verdict=judgement.verdict,
        detail=judgement.detail,
        started_at=found.started_at,
        finished_at=found.finished_at,
        tokens=found.tokens,
        assertions=digest_of(assertions),
        rejudged=False,
    )
    facts = {"run": found.id, **ending_facts(ended)}
    if found.result and is_text(found.result) and judgement.verdict in {Verdict.ACCEPTED, Verdict.REJECTED}:
        ref = ResultRef.of(found.result, spec.get("outputFormat"))
        ended = replace(ended, result=ref)
        moved = advancing.with_attempt(record, ended)
        if judgement.verdict is Verdict.ACCEPTED and not _is_outdone(change, record):
            moved = advancing.with_result(record, ended, ref, world.chance.now())
        facts = {**facts, **result_facts(ended, ref, record.generation.fingerprint)}
        await world.record(moved, "ended", PutResult(ref=ref, content=found.result), **facts)
    else:
        await world.record(advancing.with_attempt(record, ended), "ended", **facts)
    world.allowance.use(total(found.tokens))
    world.emit(
        RunEnded(
            address=change.address,
            run=found.id,
            status=found.status,
            verdict=judgement.verdict,
            seconds=ended.seconds,
            detail=judgement.detail,
            tokens=total(found.tokens),
        )
    )
    _publish(world, change, found)
    healthy = judgement.verdict is Verdict.ACCEPTED
    health = Health.HEALTHY if healthy else Health.UNHEALTHY
    return Outcome(
        effect=Effect.DONE,
        health=health,
        verdict=judgement.verdict,
        detail=judgement.detail,
        by_person=found.is_manually_stopped is True and attempt.stop is None,
    )


def told(found: TaskRecord, task: Declared | None) -> str | None:
    """Return the answer of a run; why one has failed is told without the secrets that it was given."""
    if found.result is None or found.status == Status.Completed or not isinstance(task, DesiredTask):
        return found.result
    return without_in(requesting.new_task(task, "").secrets, found.result[:_MOST_WORDS])


def _is_outdone(change: Change, record: Record) -> bool:
    """Tell whether what is declared has its accepted result, and the run is one of another text: both are kept."""
    kept, current = record.accepted, record.generation.fingerprint
    return kept is not None and change.declares(kept.fingerprint) and not change.declares(current)


def _beginning(attempt: Attempt, found: TaskRecord, began: float | None, now: float) -> float:
    """Return when a run that executes has begun, by our clock: not before it was asked for, and not after it was seen.

    The remote's clock may differ from ours, and either may have been set since: no time-out is early because of that.
    """
    seen = now if began is None else began
    return min(max(found.started_at or seen, attempt.intended_at), seen)


def _left(world: World, began: float | None, limit: float | None) -> float | None:
    return None if limit is None or began is None else max(0.0, began + limit - world.chance.now())


def _publish(world: World, change: Change, found: TaskRecord) -> None:
    record = world.recorder.record_of(change.address)
    accepted = record.accepted if record else None
    if accepted is None or accepted.run != found.id or not found.result:
        return
    world.emit(world.results.publish(change.address, accepted, found.result))


def held_up(found: TaskRecord) -> Outcome | None:
    """Return the outcome of a run that waits for a person, or whose status nobody knows; None where it goes on."""
    match found.status:
        case Status.Pending | Status.Executing:
            return None
        case Status.Paused:
            verdict, health, effect = Verdict.WAITING, Health.NEEDS_INPUT, Effect.LEFT
            detail = f"waits for {found.waits_for}" if found.waits_for else "waits for a person"
        case _:
            verdict, health, effect = Verdict.UNKNOWN, Health.UNKNOWN, Effect.FAILED
            detail = f"the remote shows the unknown status {found.status!r}"
    return Outcome(effect=effect, health=health, verdict=verdict, detail=detail)


async def lost(world: World, change: Change) -> Outcome:
    """Record that the remote does not know the run any more."""
    record, attempt, _ = world.current_run(change.address)
    detail = f"the remote does not know the run {attempt.run} any more"
    lost = replace(attempt, verdict=Verdict.LOST, detail=detail)
    await world.record(advancing.with_attempt(record, lost), "lost", run=attempt.run)
    return Outcome(effect=Effect.UNKNOWN, health=Health.UNKNOWN, verdict=Verdict.LOST, detail=detail)
