"""The generations of an address with the texts of their answers, for the reports that show them. Changes nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from taskspec.address import Address
from taskspec.errors import StateError
from taskspec.report.account import Answer, GenerationTold
from taskspec.runner.generations import generations, generations_of
from taskspec.runner.recalling import Histories
from taskspec.state.model import Record, ResultRef
from taskspec.state.store import StateReader

MOST: Final = 64 * 1024 * 1024
"""Bytes of all the answers together that are read."""
LONGEST: Final = 4 * 1024 * 1024
"""Bytes of one answer that is read: no report shows all of a longer one."""
GENERATIONS: Final = 21
"""The answers of so many generations of one address are read: no report shows more, and the one before them."""
ANSWERS: Final = 10_000
"""So many answers are read: on another machine, each is a request."""


class Remembered:
    """Tells the generations of addresses; of each, equal answers are one text. So many bytes and answers are read."""

    def __init__(self, most: int = MOST, answers: int = ANSWERS) -> None:
        self._left = most
        self._answers = answers
        self._read: dict[str, str] = {}
        self._store: StateReader | None = None
        self._histories: Histories | None = None

    def __call__(self, store: StateReader, address: Address, record: Record | None) -> Sequence[GenerationTold]:
        """Return the generations of an address, newest first; raise StateError where its history cannot be read."""
        if self._histories is None or self._store is not store:
            self._store, self._histories = store, Histories(store)
        self._read.clear()
        told = generations_of(address, record, self._histories)
        return [self._told(one, store) if number < GENERATIONS else _dated(one) for number, one in enumerate(told)]

    def unaccepted(self, store: StateReader, _: Address, record: Record | None) -> Sequence[GenerationTold]:
        """Return the newest generation of an address alone, where its answer was not accepted: asks no history."""
        self._read.clear()
        told = generations(record, ())[:1]
        return [self._told(one, store) for one in told if one.unaccepted is not None]

    def _told(self, one: GenerationTold, store: StateReader) -> GenerationTold:
        answer, unaccepted = (self._with_text(answer, store) for answer in (one.answer, one.unaccepted))
        return replace(_dated(one), answer=answer, unaccepted=unaccepted)

    def _with_text(self, answer: Answer | None, store: StateReader) -> Answer | None:
        return None if answer is None else replace(answer, content=self._content(answer, store))

    def _content(self, answer: Answer, store: StateReader) -> str | None:
        """Return the text of an answer; None where it cannot be read, or is too much."""
        known = self._read.get(answer.digest)
        if known is not None or not self._answers or answer.size > min(self._left, LONGEST):
            return known
        self._answers -= 1
        try:
            content = store.result(ResultRef(digest=answer.digest, size=answer.size, format=answer.format))
        except StateError:
            return None
        self._left -= answer.size
        self._read[answer.digest] = content
        return content


def _dated(one: GenerationTold) -> GenerationTold:
    """Return a generation with the revision at which it was asked for, as far as any attempt tells."""
    revision = next((attempt.revision for attempt in one.attempts if attempt.revision is not None), one.revision)
    return replace(one, revision=revision)
