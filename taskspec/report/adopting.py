"""A run that is to be adopted, in words. Decides nothing."""

from collections.abc import Iterator

from taskspec.moments import utc
from taskspec.plan.adopting import Candidate, doubts
from taskspec.report.text import Paint, one_line


def candidate_lines(candidate: Candidate, paint: Paint) -> Iterator[str]:
    """Yield what the remote shows of a run, what its marker says, and what is doubtful about it."""
    run = candidate.run
    yield f"{paint('<', 'change')} {paint(candidate.address, 'strong')}  adopts run {one_line(run.id)}"
    yield f"      title    {one_line(run.title or '(none)')}"
    yield f"      status   {one_line(run.status)}"
    yield f"      created  {_moment(run.created_at)}"
    yield f"      marker   {candidate.bearing}"
    for doubt in doubts(candidate):
        yield f"    {paint('!', 'warning')} {one_line(doubt)}"


def _moment(seconds: float | None) -> str:
    return "the remote does not say" if seconds is None else utc(seconds)
