"""The generations of an address with the texts of their answers, for the reports that show them. Changes nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from taskspec.address import Address
from taskspec.errors import StateError
from taskspec.report.account import Answer, GenerationTold
from taskspec.runner.generations import generations_of
from taskspec.runner.recalling import Histories
from taskspec.state.model import Record, ResultRef
from taskspec.state.store import StateReader

MOST: Final = 64 * 1024 * 1024
"""Bytes of all the answers together that are read."""
LONGEST: Final = 4 * 1024 * 1024
"""Bytes of one answer that is read: no report shows all of a longer one."""


class Remembered:
    """Tells the generations of addresses; equal answers are one text, and after `most` bytes no further one is read."""

    def __init__(self, most: int = MOST) -> None:
        self._left = most
        self._read: dict[str, str] = {}
        self._store: StateReader | None = None
        self._histories: Histories | None = None

    def __call__(self, store: StateReader, address: Address, record: Record | None) -> Sequence[GenerationTold]:
        """Return the generations of an address, newest first; raise StateError where its history cannot be read."""
        if self._histories is None or self._store is not store:
            self._store, self._histories = store, Histories(store)
        self._read.clear()
        return [self._with_answer(one, store) for one in generations_of(address, record, self._histories)]

    def _with_answer(self, one: GenerationTold, store: StateReader) -> GenerationTold:
        revision = next((attempt.revision for attempt in one.attempts if attempt.revision is not None), one.revision)
        answer = None if one.answer is None else replace(one.answer, content=self._content(one.answer, store))
        return replace(one, answer=answer, revision=revision)

    def _content(self, answer: Answer, store: StateReader) -> str | None:
        """Return the text of an answer; None where it cannot be read, or is too much."""
        known = self._read.get(answer.digest)
        if known is not None or answer.size > min(self._left, LONGEST):
            return known
        try:
            content = store.result(ResultRef(digest=answer.digest, size=answer.size, format=answer.format))
        except StateError:
            return None
        self._left -= answer.size
        self._read[answer.digest] = content
        return content
