"""A field of a declared task that is not as it was asked for last, with all that its causes are found by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from taskspec.address import Address
from taskspec.desired.making import Looked, Making
from taskspec.desired.model import DesiredTask
from taskspec.plan.cell_reasons import Cells
from taskspec.plan.model import Change, FieldDiff
from taskspec.state.model import Record

MOST: Final = 5
"""How many causes are told of one reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedField:
    """A field of a declared task that differs from what was asked for last."""

    name: str
    diffs: tuple[FieldDiff, ...]
    task: DesiredTask
    making: Making
    record: Record
    looked: Looked
    done: Mapping[Address, Change]
    siblings: Mapping[str, Cells]

    @property
    def first(self) -> FieldDiff:
        return self.diffs[0]
