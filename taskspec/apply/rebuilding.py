"""Rebuilding: the runs of a task, found by their markers → the record that it may have had. Stores and asks nothing.

A marker tells the address, the generation and, by its digest, whether the text is the declared one: then the run is
judged as it would have been. A run of another text is bound as it is, and no result of it is taken for the declared.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any, Final

from taskspec.address import Address
from taskspec.apply.following import told
from taskspec.apply.noting import ending_facts, result_facts
from taskspec.apply.tracking_down import newest
from taskspec.desired.model import DeferredTask, DesiredTask
from taskspec.desired.unsent import unsent_of
from taskspec.documents.model import When
from taskspec.jsontext import is_text
from taskspec.judging.asserting import digest_of as digest_of_assertions
from taskspec.judging.judging import Expectation, judge
from taskspec.markers import digest_of
from taskspec.observed.model import Observation, Present, Sighting
from taskspec.plan.finishing import finished
from taskspec.plan.model import Declared
from taskspec.plan.rebuilding import Known, Rebuilt, Text, Traces
from taskspec.state.model import Accepted, Attempt, Generation, Note, Record, ResultRef, Sending, StopCause, Verdict
from taskspec.taskapi.records import ACTIVE, ENDED, TaskRecord
from taskspec.taskapi.records import AgentExecutionStatus as Status
from taskspec.taskapi.remotes import RemoteIdentity

_MOST_TRIED: Final = 64
"""So many combinations of upstream results are tried to find the one that a text was made of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What a rebuilding needs and no run says. `at` in seconds since the epoch."""

    remote: RemoteIdentity
    at: float
    plan: str
    """What stands for the plans that asked."""
    answers: Mapping[Address, Sequence[str]]
    """What the runs of tasks have answered that were rebuilt before, the accepted answer first."""
    seen: Mapping[str, Observation]
    """What single reads of runs have shown, by run id."""


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
        notes=tuple(_notes(traces, record, world)),
        results=results,
        answers=tuple(answers),
        doubts=tuple(_doubts(traces, task, text, record, world)),
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
    said: Any = _shown(one, world).raw.get("input")
    prompt = said.get("text") if isinstance(said, Mapping) else None
    return prompt if isinstance(prompt, str) else None


def _shown(one: Sighting, world: Circumstances) -> TaskRecord:
    found = world.seen.get(one.run.id)
    return found.record if isinstance(found, Present) else one.run


def _attempts(traces: Traces, last: Sighting, asked: DesiredTask | None, world: Circumstances) -> tuple[Attempt, ...]:
    same = [one for one in traces.runs if _is_of(one, last)]
    return tuple(_attempt(number, one, asked, world) for number, one in enumerate(same, 1))


def _is_of(one: Sighting, other: Sighting) -> bool:
    """Tell whether two runs are attempts of one generation."""
    return (one.marker.generation, one.marker.digest) == (other.marker.generation, other.marker.digest)


def _attempt(number: int, one: Sighting, asked: DesiredTask | None, world: Circumstances) -> Attempt:
    """Return an attempt as it would be recorded: judged where the text that was asked is known and it has ended."""
    found = _shown(one, world)
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
        candidates += [(one.marker.generation, _attempt(_number(one, traces), one, known, world)) for one in older]
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


def _number(one: Sighting, traces: Traces) -> int:
    """Return the number of the attempt that a run was in its generation, among those that are there."""
    return 1 + [other.run.id for other in traces.runs if _is_of(other, one)].index(one.run.id)


def _results(record: Record, world: Circumstances) -> Iterator[tuple[str, str]]:
    kept = [record.accepted.attempt] if record.accepted else []
    for attempt in (*record.generation.attempts, *kept):
        found = world.seen.get(attempt.run or "")
        if attempt.result is not None and isinstance(found, Present) and found.record.result:
            yield attempt.result.digest, found.record.result


def _answers(traces: Traces, world: Circumstances) -> Iterator[str]:
    """Yield what the runs of a task have answered, the newest first."""
    for one in sorted(traces.runs, key=lambda one: -one.marker.generation):
        found = _shown(one, world)
        if found.status == Status.Completed and found.result and is_text(found.result):
            yield found.result


def _notes(traces: Traces, record: Record, world: Circumstances) -> Iterator[Note]:
    """Yield what the history is told of each run: that it was taken over, and how it has ended."""
    kept = [record.accepted.attempt] if record.accepted else []
    judged = {one.run: one for one in (*kept, *record.generation.attempts) if one.verdict is not None}
    for one in traces.runs:
        which: dict[str, Any] = {"generation": one.marker.generation, "attempt": _number(one, traces)}
        found = _shown(one, world)
        began = found.created_at if found.created_at is not None else world.at
        data = {"run": found.id, "marker": one.marker.text, "nonce": one.marker.nonce, "agent": found.agent_id}
        yield Note(address=traces.address, at=began, what="adopted", data={**which, **data, "plan": world.plan})
        attempt = judged.get(found.id)
        if attempt is not None:
            facts = {**which, "run": found.id, **ending_facts(attempt), "plan": world.plan}
            if attempt.result is not None:
                facts |= result_facts(attempt, attempt.result)
            at = attempt.finished_at if attempt.finished_at is not None else began
            yield Note(address=traces.address, at=at, what="ended", data=facts)


def _doubts(traces: Traces, task: Declared, text: Text, record: Record, world: Circumstances) -> Iterator[str]:
    """Yield what nobody can know of a record that was rebuilt."""
    last = record.generation.last
    if traces.known is Known.TEXT:
        yield "its runs bear the marker of another task with the same text: it is taken for that one under a new name"
    match text:
        case Text.PASSING:
            yield "it was asked another text, which `rerun` lets pass: in what it differs is not known"
        case Text.OTHER:
            yield "it was asked another text, of which only that is known"
        case Text.UNKNOWN:
            yield "the results that its text was made of are not there, so that nobody can tell what it was asked"
        case Text.DECLARED:
            pass
    if last is not None and last.status == Status.Stopped:
        yield "why its run was stopped is not known: it counts as stopped by hand, and no further attempt is granted"
    if last is not None and last.rejudged:
        yield "whether it was accepted before its assertions changed is not known: no further attempt is granted"
    if last is not None and last.status in ENDED and not isinstance(world.seen.get(last.run or ""), Present):
        yield "its run has ended and could not be read: the next apply judges it"
    active = [
        one.run.id for one in traces.runs if one.run.status in ACTIVE and one.run.id != (last.run if last else "")
    ]
    if active:
        yield f"an earlier run of it may be at work: {', '.join(active)}"
    if task.agent != record.agent:
        yield f"its run is one of the agent `{record.agent}`"


def contents_of(made: Iterable[Rebuilt]) -> dict[str, str]:
    """Return all results that some records name, by digest."""
    return {digest: content for one in made for digest, content in one.results.items()}
