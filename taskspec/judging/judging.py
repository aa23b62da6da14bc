"""From what a run shows to our verdict: only a completed run whose answer keeps its contract is accepted.

Asks nobody and keeps nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never

from taskspec.diagnostics import path_text
from taskspec.jsontext import NotJsonError, is_text, parse
from taskspec.judging.asserting import Answer, Assertion, unmet
from taskspec.state.model import StopCause, Verdict
from taskspec.taskapi.records import AgentExecutionStatus as Status

SHOWN_VIOLATIONS: Final = 5
DETAIL_LIMIT: Final = 4000
"""How many characters of somebody else's words a detail may hold."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """What was asked for. A schema asks for JSON, whatever the format."""

    output_format: str | None = None
    output_schema: Mapping[str, Any] | None = None
    assertions: tuple[Assertion, ...] = ()

    @classmethod
    def of(cls, spec: Mapping[str, Any], assertions: tuple[Assertion, ...]) -> "Expectation":
        """Return what a recorded or declared spec asks for, and what else must hold."""
        return cls(
            output_format=spec.get("outputFormat"), output_schema=spec.get("outputSchema"), assertions=assertions
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """A verdict, and why: empty only where there is nothing to say."""

    verdict: Verdict
    detail: str = ""


def judge(status: str, result: str | None, expectation: Expectation, stop: StopCause | None) -> Judgement:
    """Return what we say of a run; `stop` is why we stopped it, if we did."""
    try:
        known = Status(status)
    except ValueError:
        words = f"the remote shows the status {status!r}, which this version does not know"
        return Judgement(verdict=Verdict.UNKNOWN, detail=_bounded(words))
    match known:
        case Status.Completed:
            return _weigh(result, expectation)
        case Status.Failed:
            return Judgement(verdict=Verdict.FAILED, detail=_words(result, "the agent failed and did not say why"))
        case Status.Error:
            return Judgement(verdict=Verdict.ERROR, detail=_words(result, "the remote reports an error of its own"))
        case Status.Stopped:
            return _stopped(stop)
        case Status.Paused:
            return Judgement(verdict=Verdict.WAITING, detail="the run is paused: it waits for a person")
        case Status.Pending | Status.Executing:
            return Judgement(verdict=Verdict.ACTIVE)
        case _:
            assert_never(known)


def _weigh(result: str | None, expectation: Expectation) -> Judgement:
    fault = _fault(result, expectation)
    if fault is None:
        return Judgement(verdict=Verdict.ACCEPTED)
    return Judgement(verdict=Verdict.REJECTED, detail=_bounded(fault))


def _fault(result: str | None, expectation: Expectation) -> str | None:
    """Return why a completed run's answer is not acceptable, or None."""
    if result is None or not any(map(_is_visible, result)):
        return "the run completed with an empty answer"
    if not is_text(result):
        return "the answer holds half of a character (an unpaired surrogate)"
    schema = expectation.output_schema
    is_json = expectation.output_format == "json" or schema is not None
    if is_json:
        try:
            value = parse(result)
        except NotJsonError as error:
            return f"the answer is not the JSON that was asked for: {error}"
        if schema is not None and (unfit := _unfit(value, schema)) is not None:
            return unfit
    broken = list(unmet(expectation.assertions, Answer(result, is_json=is_json))) if expectation.assertions else []
    return _listed(broken) if broken else None


def _unfit(value: Any, schema: Mapping[str, Any]) -> str | None:
    from taskspec.contracts import Contract, InvalidSchemaError

    try:
        violations = Contract(schema).violations(value)
    except InvalidSchemaError as error:
        return f"outputSchema is not a valid JSON Schema, so no answer can fit it: {error}"
    if not violations:
        return None
    said = [f"{path_text(violation.path, '$')}: {violation.message}" for violation in violations]
    return f"the answer does not fit outputSchema: {_listed(said)}"


def _listed(faults: Sequence[str]) -> str:
    left = len(faults) - SHOWN_VIOLATIONS
    return "; ".join([*faults[:SHOWN_VIOLATIONS], *([f"and {left} more"] if left > 0 else [])])


def _stopped(cause: StopCause | None) -> Judgement:
    if cause is StopCause.TIMEOUT:
        return Judgement(
            verdict=Verdict.FAILED, detail="stopped because it took longer than its timeout (cause: timeout)"
        )
    by = "by someone else" if cause is None else f"by taskspec (cause: {cause})"
    return Judgement(verdict=Verdict.STOPPED, detail=f"stopped {by}")


def _is_visible(character: str) -> bool:
    return character.isprintable() and not character.isspace()


def _words(said: str | None, otherwise: str) -> str:
    return _bounded(said.strip()) if said and said.strip() else otherwise


def _bounded(words: str) -> str:
    """Cut long words in their middle: how a trouble begins and how it ends tell most."""
    words = words.encode(errors="replace").decode()
    if len(words) <= DETAIL_LIMIT:
        return words
    half = DETAIL_LIMIT // 2
    return f"{words[:half]} … ({len(words) - 2 * half} characters left out) … {words[-half:]}"
