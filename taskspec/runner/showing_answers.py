"""The answers that a report tells of: read from the state that is open, within a bound. Changes nothing.

What cannot be read or has no room is counted, and told in notes.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Final

from taskspec.address import Address
from taskspec.desired.model import DesiredTask
from taskspec.documents.model import Project
from taskspec.errors import StateError, TaskspecError
from taskspec.plan.causes import Reason
from taskspec.plan.finishing import finished, recorded_results
from taskspec.plan.foreseeing import LARGEST
from taskspec.plan.model import Action, Change, Declared
from taskspec.report.account import Answer, GenerationTold
from taskspec.report.text import plural
from taskspec.runner.generations import answer_of
from taskspec.runner.model import Ports
from taskspec.state.migrating import require_here
from taskspec.state.model import Accepted, Record, ResultRef, Snapshot
from taskspec.state.store import StateReader

MOST: Final = 128 * 1024 * 1024
"""Bytes of all the contents together that an account holds."""

Generations = Callable[[StateReader, Address, Record | None], Sequence[GenerationTold]]
"""Tells everything that was asked for under an address, newest first; may raise StateError."""


@dataclass(kw_only=True, slots=True)
class _Doubts:
    """What could not be told of the answers."""

    unreadable: int = 0
    left_out: int = 0
    untold: list[str] = field(default_factory=list)


class Answers:
    """Reads answers from a state that is open, and knows how much of their contents may still be read."""

    def __init__(self, store: StateReader, snapshot: Snapshot) -> None:
        self.store = store
        self.records = snapshot.records
        self._left = MOST
        self._read: dict[str, str] = {}
        """By digest: what several tasks show or use is read once, and counted each time."""
        self._doubts = _Doubts()

    def answer(self, accepted: Accepted | None, *, is_shown: bool) -> Answer | None:
        """Return an accepted result, with its content where that is to be shown."""
        if accepted is None:
            return None
        found = answer_of(accepted)
        return replace(found, content=self._content(accepted.result)) if is_shown else found

    def returning(self, change: Change) -> Answer | None:
        """Return the kept result that a change accepts again."""
        kept = change.kept
        if kept is None or change.action is not Action.ADOPT:
            return None
        return replace(answer_of(kept), content=self._content(kept.result))

    def filled(self, task: Declared) -> Declared:
        """Return a task with the accepted results that it uses, where all of them are kept and none is large."""
        if isinstance(task, DesiredTask):
            return task
        used = [record.accepted.result for one in task.uses if (record := self.records.get(one)) and record.accepted]
        contents: dict[str, str] = {}
        for result in used:
            if result.size <= min(LARGEST, self._left):
                with suppress(StateError):  # then what uses it is shown as it is declared
                    contents[result.digest] = self._text(result)
        results = recorded_results(task, self.records, contents)
        made = results if isinstance(results, Reason) else finished(task, results)
        return task if isinstance(made, Reason) else made

    def generations(self, address: Address, ask: Generations | None) -> Sequence[GenerationTold]:
        """Return what was asked for under an address; nothing where nobody asks, or it cannot be read."""
        if ask is None:
            return ()
        try:
            return ask(self.store, address, self.records.get(address))
        except StateError as error:
            self._doubts.untold.append(f"The history of `{address}` cannot be read: {_said(error)}.")
            return ()

    def has_moved_on(self, head: str) -> bool:
        """Tell whether the history does not end with what a command has ended it with; `head`: nothing, for none."""
        try:
            return bool(head) and self.store.head() != head
        except StateError:
            return True

    def notes(self) -> Iterator[str]:
        """Yield what a reader has to know of the answers that are not there."""
        if self._doubts.unreadable:
            yield f"{plural(self._doubts.unreadable, 'answer')} cannot be read from the state any more."
        if self._doubts.left_out:
            yield f"{plural(self._doubts.left_out, 'answer')} left out: all together they are too large for a report."
        yield from self._doubts.untold[:5]

    def _content(self, result: ResultRef) -> str | None:
        if result.size > self._left:
            self._doubts.left_out += 1
            return None
        try:
            return self._text(result)
        except StateError:
            self._doubts.unreadable += 1
            return None

    def _text(self, result: ResultRef) -> str:
        if result.digest not in self._read:
            self._read[result.digest] = self.store.result(result)
        self._left -= result.size
        return self._read[result.digest]


def _said(error: TaskspecError) -> str:
    return error.message.rstrip(".")


@contextmanager
def answers_of(project: Project | None, ports: Ports, notes: list[str]) -> Iterator[Answers | None]:
    """Open the state; yield nothing where it cannot be read, and note why."""
    if project is None:
        notes.append("The answers are not shown: the project of the state cannot be read.")
        yield None
        return
    try:
        store = ports.open_state(project, read_only=True)
    except TaskspecError as error:
        notes.append(f"The answers are not shown: {_said(error)}.")
        yield None
        return
    kept: Answers | None = None
    try:
        try:
            require_here(store)
            kept = Answers(store, store.read())
        except TaskspecError as error:
            notes.append(f"The answers are not shown: {_said(error)}.")
        yield kept
    finally:
        store.close()
