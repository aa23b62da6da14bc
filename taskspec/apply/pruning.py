"""Pruning: results that are kept no longer, as changes of the state, and the lines of the history. Stores nothing."""

from collections.abc import Iterator, Sequence

from taskspec.plan.keeping import PRUNED
from taskspec.plan.retaining import Expendable
from taskspec.state.model import DropResult, Note, StateChange


def pruned(found: Sequence[Expendable], at: float, *, plan: str | None) -> Iterator[StateChange]:
    """Yield what removes results, and tells which; `plan` is None where a person asks. `at` as in notes."""
    for digest in sorted({digest for one in found for digest in one.digests}):
        yield DropResult(digest=digest)
    by = {"by": "hand"} if plan is None else {"plan": plan}
    for one in found:
        data = {"generations": list(one.generations), "results": sorted(one.digests), **by}
        yield Note(address=one.address, at=at, what=PRUNED, data=data)
