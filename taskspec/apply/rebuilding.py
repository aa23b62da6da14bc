"""Rebuilding: the runs of a task, found by their markers → the record that it may have had. Stores and asks nothing.

A marker tells the address, the generation and, by its digest, whether the text is the declared one: then the run is
judged as it would have been. A run of another text is bound as it is, and no result of it is taken for the declared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice, product
from typing import Any, Final

from taskspec.apply.following import told
from taskspec.apply.tracking_down import newest
from taskspec.apply.witnessing import Circumstances, doubts_of, is_of, notes_of, number_of, shown
from taskspec.desired.model import DeferredTask, DesiredTask
from taskspec.desired.unsent import unsent_of
from taskspec.documents.model import When
from taskspec.jsontext import is_text
from taskspec.judging.asserting import digest_of as digest_of_assertions
from taskspec.judging.judging import Expectation, judge
from taskspec.markers import digest_of
from taskspec.observed.model import Present, Sighting
from taskspec.plan.finishing import finished
from taskspec.plan.model import Declared
from taskspec.plan.rebuilding import Rebuilt, Text, Traces
from taskspec.state.model import Accepted, Attempt, Generation, Record, ResultRef, Sending, StopCause, Verdict
from taskspec.taskapi.records import ENDED
from taskspec.taskapi.records import AgentExecutionStatus as Status

_MOST_TRIED: Final = 64
"""So many combinations of upstream results are tried to find the one that a text was made of."""


def to_be_read(traces: Traces, task: Declared) -> Iterator[str]:
    """Yield the ids of the runs that have to be read: those of the newest generation, and what may be accepted."""
    last = newest(traces.runs).marker
    declared = digest_of(task.fingerprint) if isinstance(task, DesiredTask) else None
    for one in traces.runs:
        may_be_accepted = one.run.status == Status.Completed and declared in {None, one.marker.digest}
        if (one.marker.generation, one.marker.digest) == (last.generation, last.digest) or may_be_accepted:
            yield one.run.id


def rebuilt(traces: Traces, task: Declared, world: Circumstances) -> Rebuilt:
    """Return the record of a task of which the remote has runs."""
    last = newest(traces.runs)
    known = _known_text(traces, task, last, world)
    text = _text(known, task, last, world)
    asked = known if text in {Text.DECLARED, Text.PASSING} else None
    generation = Generation(
        number=last.marker.generation,
        fingerprint=asked.fingerprint if asked else f"unknown-{last.marker.digest}",
        spec=asked.spec if asked else {"agent": last.run.agent_id or task.agent},
        plan=world.plan,
        attempts=_attempts(traces, last, asked, world),
        inputs=asked.inputs if asked else None,
    )
    kept = _accepted(traces, generation, asked, known, world)
    record = Record(
        address=traces.address,
        agent=last.run.agent_id or task.agent,
        generation=generation,
        accepted=kept[0] if kept else None,
        on_remove=task.policies.on_remove,
        protect=task.policies.protect,
        unsent=unsent_of(task) if asked else None,
        file=task.file,
    )
    results = dict(_results(record, world))
    answers = dict.fromkeys([*([kept[1]] if kept else []), *_answers(traces, world)])
    return Rebuilt(
        record=record,
        text=text,
        notes=tuple(notes_of(traces, record, world)),
        results=results,
        answers=tuple(answers),
        doubts=tuple(doubts_of(traces, task, text, record, world)),
    )


def _known_text(traces: Traces, task: Declared, last: Sighting, world: Circumstances) -> DesiredTask | None:
    """Return the task as it is declared, finished with the results whose text some run bears; None where none fits."""
    if isinstance(task, DesiredTask):
        return task
    borne = {one.marker.digest for one in traces.runs}
    made = list(_finished(task, world))
    exact = next((one for one in made if digest_of(one.fingerprint) == last.marker.digest), None)
    return exact or next((one for one in made if digest_of(one.fingerprint) in borne), made[0] if made else None)


def _finished(task: DeferredTask, world: Circumstances) -> Iterator[DesiredTask]:
    """Yield what a task asks for with each combination of the answers that are known."""
    uses = sorted(task.uses)
    for combination in islice(product(*(world.answers.get(address, ()) for address in uses)), _MOST_TRIED):
        made = finished(task, dict(zip(uses, combination, strict=True)))
        if isinstance(made, DesiredTask):
            yield made


def _text(known: DesiredTask | None, task: Declared, last: Sighting, world: Circumstances) -> Text:
    if known is None:
        return Text.UNKNOWN
    if digest_of(known.fingerprint) == last.marker.digest:
        return Text.DECLARED
    rerun = task.policies.rerun
    if rerun.when is When.NEVER:
        return Text.PASSING
    if rerun.ignore and ("prompt" in rerun.ignore or _prompt(last, world) == known.request.get("prompt", "")):
        return Text.PASSING
    return Text.OTHER


def _prompt(one: Sighting, world: Circumstances) -> str | None:
    """Return what a run was asked, where the remote tells: it is compared, and kept nowhere."""
    said: Any = shown(one, world).raw.get("input")
    prompt = said.get("text") if isinstance(said, Mapping) else None
    return prompt if isinstance(prompt, str) else None


def _attempts(traces: Traces, last: Sighting, asked: DesiredTask | None, world: Circumstances) -> tuple[Attempt, ...]:
    same = [one for one in traces.runs if is_of(one, last)]
    return tuple(_attempt(number, one, asked, world) for number, one in enumerate(same, 1))


def _attempt(number: int, one: Sighting, asked: DesiredTask | None, world: Circumstances) -> Attempt:
    """Return an attempt as it would be recorded: judged where the text that was asked is known and it has ended."""
    found = shown(one, world)
    began = found.created_at if found.created_at is not None else world.at
    attempt = Attempt(
        number=number,
        nonce=one.marker.nonce,
        marker=one.marker.text,
        body_digest="",
        intended_at=began,
        send_deadline=began,
        remote=world.remote,
        sending=Sending.BOUND,
        run=found.id,
        title=(found.title or "").rstrip().removesuffix(one.marker.text).rstrip(),
        status=found.status,
        stop=StopCause.USER if found.status == Status.Stopped else None,
    )
    if asked is None or found.status not in ENDED or not isinstance(world.seen.get(found.id), Present):
        return attempt
    judgement = judge(found.status, told(found, asked), Expectation.of(asked.spec, asked.assertions), attempt.stop)
    ended = replace(
        attempt,
        verdict=judgement.verdict,
        detail=judgement.detail,
        started_at=found.started_at,
        finished_at=found.finished_at,
        tokens=found.tokens,
        assertions=digest_of_assertions(asked.assertions),
        rejudged=judgement.verdict is Verdict.REJECTED and bool(asked.assertions),
    )
    if found.result and is_text(found.result) and judgement.verdict in {Verdict.ACCEPTED, Verdict.REJECTED}:
        return replace(ended, result=ResultRef.of(found.result, asked.spec.get("outputFormat")))
    return ended


def _accepted(
    traces: Traces,
    generation: Generation,
    asked: DesiredTask | None,
    known: DesiredTask | None,
    world: Circumstances,
) -> tuple[Accepted, str] | None:
    """Return the accepted result of the declared text, with its content: of this generation, else of an older one."""
    candidates: list[tuple[int, Attempt]] = [(generation.number, one) for one in generation.attempts] if asked else []
    if known is not None and not any(one.verdict is Verdict.ACCEPTED for _, one in candidates):
        digest = digest_of(known.fingerprint)
        older = [one for one in traces.runs if one.marker.digest == digest and one.run.status == Status.Completed]
        older.sort(key=lambda one: -one.marker.generation)
        candidates += [(one.marker.generation, _attempt(number_of(one, traces), one, known, world)) for one in older]
    for number, attempt in candidates:
        if attempt.verdict is Verdict.ACCEPTED and attempt.result is not None and known is not None:
            found = world.seen.get(attempt.run or "")
            content = found.record.result if isinstance(found, Present) else None
            if content is not None:
                return _as_accepted(known, number, attempt, attempt.result, world), content
    return None


def _as_accepted(task: DesiredTask, number: int, attempt: Attempt, result: ResultRef, world: Circumstances) -> Accepted:
    return Accepted(
        generation=number,
        fingerprint=task.fingerprint,
        plan=world.plan,
        agent=task.agent,
        agent_version=task.spec.get("agentVersion"),
        attempt=attempt,
        result=result,
        at=attempt.finished_at if attempt.finished_at is not None else attempt.intended_at,
    )


def _results(record: Record, world: Circumstances) -> Iterator[tuple[str, str]]:
    kept = [record.accepted.attempt] if record.accepted else []
    for attempt in (*record.generation.attempts, *kept):
        found = world.seen.get(attempt.run or "")
        if attempt.result is not None and isinstance(found, Present) and found.record.result:
            yield attempt.result.digest, found.record.result


def _answers(traces: Traces, world: Circumstances) -> Iterator[str]:
    """Yield what the runs of a task have answered, the newest first."""
    for one in sorted(traces.runs, key=lambda one: -one.marker.generation):
        found = shown(one, world)
        if found.status == Status.Completed and found.result and is_text(found.result):
            yield found.result
