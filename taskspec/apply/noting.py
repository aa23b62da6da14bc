"""Noting: what the history says of a run that has ended, so that it can be estimated, and its result accepted later."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from taskspec.state.model import Attempt, ResultRef


def ending_facts(attempt: Attempt) -> Mapping[str, Any]:
    """Return how a run has ended, how long it took and what it used; None for what the remote does not tell."""
    tokens = attempt.tokens
    return {
        "status": attempt.status,
        "verdict": attempt.verdict,
        "seconds": attempt.seconds,
        "tokens": {"prompt": tokens.prompt, "completion": tokens.completion} if tokens else None,
    }


def result_facts(attempt: Attempt, ref: ResultRef, fingerprint: str | None) -> Mapping[str, Any]:
    """Return what names a kept result, its run, and what was asked for, when no record holds that any more.

    With that, the result counts again for a text that is declared again: that needs the whole `fingerprint`; None where
    only the marker of the run tells what it was asked.
    """
    return {
        "result": ref.digest,
        "bytes": ref.size,
        "format": ref.format,
        "run": attempt.run,
        "marker": attempt.marker,
        "fingerprint": fingerprint,
        "assertions": attempt.assertions,
        "startedAt": attempt.started_at,
        "finishedAt": attempt.finished_at,
        "remote": {name: value for name, value in asdict(attempt.remote).items() if value is not None},
    }
