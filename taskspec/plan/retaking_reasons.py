"""The reasons of a text that was asked for before: its kept result counts again, or why not. Decides nothing."""

from shlex import quote

from taskspec.desired.model import DesiredTask
from taskspec.moments import utc
from taskspec.plan.causes import Reason
from taskspec.plan.keeping import Kept
from taskspec.plan.reasons import words


def asked_before(task: DesiredTask, kept: Kept) -> Reason:
    """Say that the result of before is accepted again."""
    which = f"the result of run {kept.attempt.run}, of {utc(kept.at)}"
    text = f"asked for before as g{kept.generation}: {which}, is kept, and is accepted again without a run"
    return Reason(code="asked_before", text=text, position=task.source.position())


def made_elsewhere(kept: Kept) -> Reason:
    """Say that the result of before was made on another remote."""
    return _not_taken(kept, "it was made on another remote than the project has now")


def outlived(task: DesiredTask, kept: Kept) -> Reason:
    """Say that `rerun` asks for a newer result."""
    why = f"it is of {utc(kept.at)}, and `rerun` asks for a newer one"
    return Reason(code="kept_not_taken", text=_text(kept, why), position=task.source.position(("rerun",)))


def not_readable(kept: Kept) -> Reason:
    """Say that the result of before cannot be read."""
    return _not_taken(kept, "it cannot be read from the state any more")


def rejected_now(task: DesiredTask, kept: Kept, detail: str) -> Reason:
    """Say that the declared assertions reject the result of before, and how a person takes it all the same."""
    command = f"taskspec accept {quote(f'{task.address}@g{kept.generation}')}"
    why = f"what is declared now rejects it (`{command}` takes it all the same){words(detail)}"
    return Reason(code="kept_not_taken", text=_text(kept, why), position=task.source.position(("assertions",)))


def _not_taken(kept: Kept, why: str) -> Reason:
    return Reason(code="kept_not_taken", text=_text(kept, why))


def _text(kept: Kept, why: str) -> str:
    return f"asked for before as g{kept.generation}, but that result does not count: {why}"
