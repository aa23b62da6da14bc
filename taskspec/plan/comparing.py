"""Comparing: what the rendering of a task depends on, as it is recorded and as it is now. Decides nothing."""

from dataclasses import dataclass

from taskspec.desired.giving import given_at
from taskspec.diagnostics import Position
from taskspec.inputs import Input
from taskspec.plan.causes import CausingLine
from taskspec.plan.model import Change


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One input of a rendering; a side is None where it was not used, or where nobody noted it."""

    name: str
    before: Input | None
    now: Input | None
    is_noted: bool
    """Whether it was noted at all what the recorded rendering depended on."""
    position: Position | None = None

    @property
    def differs(self) -> bool | None:
        """Tell whether it is not as it was; None where nobody can tell: of a secret, and where nothing was noted."""
        if not self.is_noted:
            return None
        if self.before is None or self.now is None:
            return True
        if not self.before.digest or not self.now.digest:
            return True if self.before.giver != self.now.giver else None
        return self.before.digest != self.now.digest

    @property
    def line(self) -> CausingLine | None:
        """Return the line that gives it."""
        return CausingLine(self.position.file, self.position.line) if self.position is not None else None


def compared(change: Change) -> tuple[Compared, ...]:
    """Return every input of a task, recorded or used now, by name."""
    making = change.task.making if change.task is not None else None
    now = making.inputs() if making is not None else {}
    before = change.record.generation.inputs if change.record is not None else None
    return tuple(
        Compared(
            name=name,
            before=(before or {}).get(name),
            now=now.get(name),
            is_noted=before is not None,
            position=given_at(making, name) if making is not None and name in now else None,
        )
        for name in sorted({**(before or {}), **now})
    )
