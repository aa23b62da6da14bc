"""A kept result that is to be accepted by hand, in words: which it is, and what it is to count for. Decides nothing."""

from collections.abc import Iterator

from taskspec.moments import utc
from taskspec.plan.accepting import Acceptance
from taskspec.report.differences import difference_lines
from taskspec.report.text import Paint, in_line, plural, some
from taskspec.state.model import Verdict


def acceptance_lines(acceptance: Acceptance, paint: Paint) -> Iterator[str]:
    """Yield which result is to be accepted, in what its text differs from the declared one, and who uses it."""
    kept = acceptance.kept
    attempt, result = kept.attempt, kept.result
    name = paint(acceptance.address, "strong")
    yield f"{paint('<', 'change')} {name}  accepts the result of g{kept.generation} by hand"
    verdict = attempt.verdict or Verdict.UNKNOWN
    because = f": {attempt.detail}" if attempt.detail else ""
    yield f"      result   {plural(result.size, 'byte')} of {result.format}, {utc(kept.at)}"
    yield f"      run      {in_line(attempt.run or '-')}"
    yield f"      verdict  {in_line(f'{verdict}{because}', 300)}"
    yield f"      becomes  the accepted result of g{acceptance.generation}"
    yield from _differences(acceptance, paint)
    record = acceptance.record
    replaced = record.accepted if record is not None else None
    if replaced is not None and not kept.is_accepted:
        yield f"    {paint('!', 'warning')} the result of g{replaced.generation} is accepted no longer; it stays kept"
    if acceptance.dependents:
        used = f"{some(acceptance.dependents)} use or wait for it: plan afterwards"
        yield f"    {paint('!', 'warning')} {used}"


def _differences(acceptance: Acceptance, paint: Paint) -> Iterator[str]:
    if acceptance.stays:
        return
    diffs = acceptance.diffs
    if diffs is None:
        yield f"    {paint('!', 'warning')} what was asked for then is not recorded: it may be another text"
    elif not diffs:
        yield "      its text is the declared one"
    else:
        yield f"    {paint('!', 'warning')} it will count for the declared text, which is not the one that it answers:"
        for one in diffs:
            yield from difference_lines(one, paint)
