"""Resembling: tasks that are new, and like one that is declared no longer: it may have another name. Moves nothing."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from taskspec.address import Address, task_name
from taskspec.desired.model import Desired
from taskspec.plan.causes import Reason
from taskspec.plan.model import Declared
from taskspec.plan.move_reasons import may_be_renamed
from taskspec.state.model import Record

ALIKE: Final = 0.6
"""So much of two prompts has to be the same."""
MOST: Final = 20
"""So many names of each side are compared with each other."""
_LONGEST: Final = 4_000
"""Characters of a prompt that are compared."""
_WORD: Final = re.compile(r"\w+|[^\w\s]")


def resembling(desired: Desired, records: Mapping[Address, Record]) -> Iterator[tuple[Address, Reason]]:
    """Yield for the cells of new tasks that they may be those of another name; `records` are those after all moves."""
    recorded, declared = set(map(task_name, records)), set(map(task_name, desired.tasks))
    gone: dict[str, dict[Address, Record]] = {}
    for address in sorted(records.keys() - desired.tasks.keys()):
        if (name := task_name(address)) not in declared:
            gone.setdefault(name, {})[address] = records[address]
    new: dict[str, dict[Address, Declared]] = {}
    for address, task in desired.tasks.items() if gone else ():
        if (name := task_name(address)) not in recorded:
            new.setdefault(name, {})[address] = task
    for name, cells in list(new.items())[:MOST]:
        found = {before: _likeness(name, before, cells, gone[before]) for before in list(gone)[:MOST]}
        before = max(found, key=lambda one: found[one])
        if found[before] >= ALIKE:
            for address, task in cells.items():
                yield address, may_be_renamed(task, before)


def _likeness(name: str, before: str, cells: Mapping[Address, Declared], former: Mapping[Address, Record]) -> float:
    """Return how much of a text is the same, of two cells of the same values; 0 where there are no two such."""
    for address, task in cells.items():
        record = former.get(Address(before + address[len(name) :]))
        if record is not None:
            return _alike(record, task)
    return 0.0


def _alike(record: Record, task: Declared) -> float:
    from difflib import SequenceMatcher

    spec = record.generation.spec
    if record.agent != task.agent:
        return 0.0
    matcher = SequenceMatcher(None, _words(spec.get("prompt")), _words(task.spec.get("prompt")), autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= ALIKE else 0.0


def _words(prompt: Any) -> list[str]:
    return _WORD.findall(str(prompt or "")[:_LONGEST])
