"""Recalling: kept results for a decision, read when they are asked for, so that one at a time is in memory."""

from collections.abc import Iterator, Mapping

from taskspec.desired.model import Desired
from taskspec.errors import StateError
from taskspec.plan.regrading import concerned
from taskspec.state.model import ResultRef, Snapshot
from taskspec.state.store import StateReader


class KeptResults(Mapping[str, str]):
    """The contents of the results whose assertions changed, by digest; one that cannot be read is not there.

    Works as long as its store is open.
    """

    def __init__(self, desired: Desired, snapshot: Snapshot, store: StateReader) -> None:
        self._refs: Mapping[str, ResultRef] = {ref.digest: ref for ref in concerned(desired, snapshot)}
        self._store = store

    def __getitem__(self, digest: str) -> str:
        try:
            return self._store.result(self._refs[digest])
        except StateError as error:
            raise KeyError(digest) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._refs)

    def __len__(self) -> int:
        return len(self._refs)
