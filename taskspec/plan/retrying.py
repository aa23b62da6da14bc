"""Retrying: whether a task's policy grants a further attempt. Starts none, and knows nothing of requests by hand."""

from taskspec.documents.model import Retry
from taskspec.state.model import Generation, StopCause, Verdict


def grants_another(retry: Retry, generation: Generation) -> bool:
    """Tell whether the policy grants one more attempt after the last of a generation, as it is recorded."""
    last = generation.last
    if last is None or not last.counts:
        return False
    return grants(retry, generation, last.verdict, last.stop)


def grants(retry: Retry, generation: Generation, verdict: Verdict | None, stop: StopCause | None) -> bool:
    """Tell whether the policy grants one more attempt after one that ended with a verdict, stopped by us or not.

    Attempts that never reached an agent do not count. A rejection by judging a kept result again earns none.
    """
    if not _names(verdict, stop) & set(retry.statuses):
        return False
    counting = [attempt for attempt in generation.attempts if attempt.counts]
    if counting and counting[-1].rejudged:
        return False
    return len(counting) < retry.max_attempts


def _names(verdict: Verdict | None, stop: StopCause | None) -> set[str]:
    """Return by which names `retry.statuses` may list an end: our own time-out is a failure too."""
    match verdict:
        case Verdict.FAILED if stop is StopCause.TIMEOUT:
            return {"failed", "timeout"}
        case Verdict.FAILED | Verdict.REJECTED | Verdict.ERROR:
            return {verdict.value}
        case Verdict.STOPPED if stop is None:
            return {"stopped"}
        case _:
            return set()
