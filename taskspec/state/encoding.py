"""The values of the state as JSON and back, format 7. Opens nothing and keeps nothing.

Every key is always written, and a key that is missing, unknown or of another type is refused: whatever changes these
shapes raises `FORMAT` and adds a step to `upgrading`, so that no taskspec ever drops what a newer one wrote.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from sys import intern
from typing import Any, Final

from taskspec.address import Address
from taskspec.ci import Revision
from taskspec.documents.model import OnRemove
from taskspec.inputs import Input
from taskspec.state.model import (
    Accepted,
    Attempt,
    Generation,
    Note,
    Record,
    ResultRef,
    Sending,
    StopCause,
    Verdict,
)
from taskspec.state.shapes import JSON, Shape, checked
from taskspec.state.upgrading import upgraded
from taskspec.taskapi.records import Tokens
from taskspec.taskapi.remotes import RemoteIdentity

FORMAT: Final = 7

_NONE: Final = type(None)
_TEXT_OR_NONE: Final = (str, _NONE)
_NUMBER: Final = (float, int)
_NUMBER_OR_NONE: Final = (float, int, _NONE)
_OBJECT_OR_NONE: Final = (dict, _NONE)

_RECORD: Final[Shape] = {
    "address": str,
    "agent": str,
    "generation": dict,
    "accepted": _OBJECT_OR_NONE,
    "onRemove": str,
    "protect": bool,
    "spent": int,
    "unsent": _OBJECT_OR_NONE,
    "file": str,
}
_GENERATION: Final[Shape] = {
    "number": int,
    "fingerprint": str,
    "spec": dict,
    "plan": str,
    "attempts": list,
    "inputs": _OBJECT_OR_NONE,
}
_INPUT: Final[Shape] = {"digest": str, "giver": str}
_ATTEMPT: Final[Shape] = {
    "number": int,
    "nonce": str,
    "marker": str,
    "bodyDigest": str,
    "intendedAt": _NUMBER,
    "sendDeadline": _NUMBER,
    "remote": dict,
    "sending": str,
    "run": _TEXT_OR_NONE,
    "title": str,
    "status": _TEXT_OR_NONE,
    "verdict": _TEXT_OR_NONE,
    "stop": _TEXT_OR_NONE,
    "startedAt": _NUMBER_OR_NONE,
    "finishedAt": _NUMBER_OR_NONE,
    "detail": str,
    "result": _OBJECT_OR_NONE,
    "tokens": _OBJECT_OR_NONE,
    "assertions": _TEXT_OR_NONE,
    "rejudged": bool,
    "revision": _OBJECT_OR_NONE,
}
_REMOTE: Final[Shape] = {
    "type": str,
    "url": _TEXT_OR_NONE,
    "organization": _TEXT_OR_NONE,
    "instance": _TEXT_OR_NONE,
}
_REVISION: Final[Shape] = {
    "commit": _TEXT_OR_NONE,
    "isDirty": bool,
    "branch": _TEXT_OR_NONE,
    "author": _TEXT_OR_NONE,
    "request": (int, _NONE),
    "job": _TEXT_OR_NONE,
}
_ACCEPTED: Final[Shape] = {
    "generation": int,
    "fingerprint": str,
    "plan": str,
    "agent": str,
    "agentVersion": _TEXT_OR_NONE,
    "attempt": (int, dict),
    "result": dict,
    "at": _NUMBER,
    "acknowledged": _TEXT_OR_NONE,
}
_RESULT: Final[Shape] = {"digest": str, "size": int, "format": str}
_TOKENS: Final[Shape] = {"prompt": int, "completion": int}
_SENDINGS: Final = {sending.value: sending for sending in Sending}
_VERDICTS: Final = {verdict.value: verdict for verdict in Verdict}
_CAUSES: Final = {cause.value: cause for cause in StopCause}
"""Enumerations by their values: looked up faster than called, for values that come by the hundred thousand."""
_NOTE: Final[Shape] = {"address": str, "at": _NUMBER, "what": str, "data": dict}


def encode_record(record: Record) -> str:
    """Return a record as JSON."""
    return JSON.encode(record_object(record))


def record_object(record: Record) -> dict[str, Any]:
    """Return a record as an object of JSON."""
    accepted = record.accepted
    return {
        "address": record.address,
        "agent": record.agent,
        "generation": _generation_object(record.generation),
        "accepted": None if accepted is None else _accepted_object(accepted, record.generation.attempts),
        "onRemove": record.on_remove.value,
        "protect": record.protect,
        "spent": record.spent,
        "unsent": None if record.unsent is None else dict(record.unsent),
        "file": record.file,
    }


def decode_record(text: str, form: int = FORMAT) -> Record:
    """Return the record that a JSON text holds; raise ValueError where it is not one of that format."""
    return record_of(json.loads(text), form)


def record_of(value: Any, form: int = FORMAT) -> Record:
    """Return the record that an object of JSON is; raise ValueError where it is none of that format."""
    return _record(upgraded(value, form))


def decode_records(texts: Sequence[str], form: int = FORMAT) -> list[Record]:
    """Return what `decode_record` returns of each, faster: one parse remembers the keys that all of them share."""
    return [_record(upgraded(value, form)) for value in json.loads(f"[{','.join(texts)}]")]


def encode_note(note: Note) -> str:
    """Return a note of the history as JSON."""
    return JSON.encode(note_object(note))


def note_object(note: Note) -> dict[str, Any]:
    """Return a note of the history as an object of JSON."""
    return {"address": note.address, "at": note.at, "what": note.what, "data": dict(note.data)}


def decode_note(text: str) -> Note:
    """Return the note that a JSON text holds; raise ValueError where it is none."""
    return note_of(json.loads(text))


def note_of(value: Any) -> Note:
    """Return the note that an object of JSON is; raise ValueError where it is none."""
    value = checked(value, _NOTE)
    return Note(address=Address(value["address"]), at=value["at"], what=value["what"], data=value["data"])


def _record(value: Any) -> Record:
    value = checked(value, _RECORD)
    accepted = value["accepted"]
    generation = _generation(value["generation"])
    return Record(
        address=Address(intern(value["address"])),
        agent=intern(value["agent"]),
        generation=generation,
        accepted=None if accepted is None else _accepted(accepted, generation.attempts),
        on_remove=OnRemove(value["onRemove"]),
        protect=value["protect"],
        spent=value["spent"],
        unsent=value["unsent"],
        file=intern(value["file"]),
    )


def _generation_object(generation: Generation) -> dict[str, Any]:
    return {
        "number": generation.number,
        "fingerprint": generation.fingerprint,
        "spec": dict(generation.spec),
        "plan": generation.plan,
        "attempts": [_attempt_object(attempt) for attempt in generation.attempts],
        "inputs": None if generation.inputs is None else _inputs_object(generation.inputs),
    }


def _inputs_object(inputs: Mapping[str, Input]) -> dict[str, Any]:
    return {name: {"digest": one.digest, "giver": one.giver} for name, one in inputs.items()}


def _generation(value: Any) -> Generation:
    value = checked(value, _GENERATION)
    return Generation(
        number=value["number"],
        fingerprint=intern(value["fingerprint"]),
        spec=_shared(value["spec"]),
        plan=intern(value["plan"]),
        attempts=tuple([_attempt(item) for item in value["attempts"]]),
        inputs=None
        if value["inputs"] is None
        else {intern(name): _input(one) for name, one in value["inputs"].items()},
    )


def _input(value: Any) -> Input:
    value = checked(value, _INPUT)
    return _known_input(value["digest"], value["giver"])


@lru_cache(4096)
def _known_input(digest: str, giver: str) -> Input:
    """Return the one value that stands for an input in all records that depended on it."""
    return Input(digest=digest, giver=giver)


def _attempt_object(attempt: Attempt) -> dict[str, Any]:
    remote, result, tokens, revision = attempt.remote, attempt.result, attempt.tokens, attempt.revision
    return {
        "number": attempt.number,
        "nonce": attempt.nonce,
        "marker": attempt.marker,
        "bodyDigest": attempt.body_digest,
        "intendedAt": attempt.intended_at,
        "sendDeadline": attempt.send_deadline,
        "remote": {name: getattr(remote, name) for name in _REMOTE},
        "sending": attempt.sending.value,
        "run": attempt.run,
        "title": attempt.title,
        "status": attempt.status,
        "verdict": None if attempt.verdict is None else attempt.verdict.value,
        "stop": None if attempt.stop is None else attempt.stop.value,
        "startedAt": attempt.started_at,
        "finishedAt": attempt.finished_at,
        "detail": attempt.detail,
        "result": None if result is None else _result_object(result),
        "tokens": None if tokens is None else {"prompt": tokens.prompt, "completion": tokens.completion},
        "assertions": attempt.assertions,
        "rejudged": attempt.rejudged,
        "revision": None if revision is None else revision_object(revision),
    }


def _attempt(value: Any) -> Attempt:
    value = checked(value, _ATTEMPT)
    verdict, stop, result, tokens = value["verdict"], value["stop"], value["result"], value["tokens"]
    status, revision = value["status"], value["revision"]
    return Attempt(
        number=value["number"],
        nonce=value["nonce"],
        marker=value["marker"],
        body_digest=value["bodyDigest"],
        intended_at=value["intendedAt"],
        send_deadline=value["sendDeadline"],
        remote=_identity(*map(checked(value["remote"], _REMOTE).__getitem__, _REMOTE)),
        sending=_SENDINGS.get(value["sending"]) or Sending(value["sending"]),
        run=value["run"],
        title=intern(value["title"]),
        status=None if status is None else intern(status),
        verdict=None if verdict is None else _VERDICTS.get(verdict) or Verdict(verdict),
        stop=None if stop is None else _CAUSES.get(stop) or StopCause(stop),
        started_at=value["startedAt"],
        finished_at=value["finishedAt"],
        detail=value["detail"],
        result=None if result is None else _result(result),
        tokens=None if tokens is None else Tokens(**checked(tokens, _TOKENS)),
        assertions=value["assertions"],
        rejudged=value["rejudged"],
        revision=None if revision is None else revision_of(revision),
    )


def _shared(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec whose texts are one with those of the declared task, where they are equal: they are large."""
    return {name: intern(value) if value.__class__ is str else value for name, value in spec.items()}


@lru_cache
def _identity(type: str, url: str | None, organization: str | None, instance: str | None) -> RemoteIdentity:  # noqa: A002 - the key
    """Return the one value that stands for a remote in all records that name it."""
    return RemoteIdentity(type=type, url=url, organization=organization, instance=instance)


def revision_object(revision: Revision) -> dict[str, Any]:
    """Return a revision as an object of JSON."""
    return {
        "commit": revision.commit,
        "isDirty": revision.is_dirty,
        "branch": revision.branch,
        "author": revision.author,
        "request": revision.request,
        "job": revision.job,
    }


def revision_of(value: Any) -> Revision:
    """Return the revision that an object of JSON is; raise ValueError where it is none."""
    return _known_revision(*map(checked(value, _REVISION).__getitem__, _REVISION))


@lru_cache(4096)
def _known_revision(
    commit: str | None,
    is_dirty: bool,
    branch: str | None,
    author: str | None,
    request: int | None,
    job: str | None,
) -> Revision:
    """Return the one value that stands for a revision in all attempts that were asked for at it."""
    return Revision(commit=commit, is_dirty=is_dirty, branch=branch, author=author, request=request, job=job)


def _accepted_object(accepted: Accepted, current: tuple[Attempt, ...]) -> dict[str, Any]:
    """Return the object of a result; an attempt that stands in the record already is named by its number only."""
    stands_there = _numbered(current, accepted.attempt.number) == accepted.attempt
    return {
        "generation": accepted.generation,
        "fingerprint": accepted.fingerprint,
        "plan": accepted.plan,
        "agent": accepted.agent,
        "agentVersion": accepted.agent_version,
        "attempt": accepted.attempt.number if stands_there else _attempt_object(accepted.attempt),
        "result": _result_object(accepted.result),
        "at": accepted.at,
        "acknowledged": accepted.acknowledged,
    }


def _accepted(value: Any, current: tuple[Attempt, ...]) -> Accepted:
    value = checked(value, _ACCEPTED)
    given = value["attempt"]
    attempt = _attempt(given) if isinstance(given, dict) else _numbered(current, given)
    if attempt is None:
        raise ValueError("the attempt of the accepted result is missing")
    result = _result(value["result"])
    return Accepted(
        generation=value["generation"],
        fingerprint=intern(value["fingerprint"]),
        plan=intern(value["plan"]),
        agent=intern(value["agent"]),
        agent_version=value["agentVersion"],
        attempt=attempt,
        result=attempt.result if attempt.result == result else result,
        at=value["at"],
        acknowledged=value["acknowledged"],
    )


def _numbered(attempts: tuple[Attempt, ...], number: int) -> Attempt | None:
    return next((attempt for attempt in attempts if attempt.number == number), None)


def _result_object(result: ResultRef) -> dict[str, Any]:
    return {"digest": result.digest, "size": result.size, "format": result.format}


def _result(value: Any) -> ResultRef:
    return ResultRef(**checked(value, _RESULT))
