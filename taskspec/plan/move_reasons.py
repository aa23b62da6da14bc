"""The reasons that lie in another name: what a task was before, and what would say so. Decides nothing."""

from collections.abc import Sequence
from typing import Final

from taskspec.address import Address
from taskspec.plan.causes import Reason
from taskspec.plan.model import Declared

SHOWN: Final = 5
"""How many addresses a sentence names."""


def moved(task: Declared, before: Address, *, said: bool) -> Reason:
    """Say under which address a task is recorded so far, and how that is known."""
    how = "as `moved` says" if said else "which asked for the very same"
    source = task.source
    position = source.position(("moved", "from")) if said else source.document.position(("metadata", "name"))
    return Reason(code="moved", text=f"it was `{before}`, {how}: its record goes on", position=position)


def ambiguous(task: Declared, olds: Sequence[Address], news: Sequence[Address]) -> Reason:
    """Say that a task may be one that was recorded before, and that it is not plain which."""
    which = f"which of {_named(news)} that is" if len(news) > 1 else "which of them this is"
    text = (
        f"{_named(olds)} asked for the very same before, and nothing declares {'it' if len(olds) == 1 else 'them'} any "
        f"more: {which}, is not plain. `moved: {{from: {_quoted(olds[0])}}}` in the right one keeps the result, and "
        "saves a run"
    )
    return Reason(code="move_ambiguous", text=text, position=task.source.position())


def may_be_renamed(task: Declared, before: str) -> Reason:
    """Say that a new task is like one that is declared no longer, and what would say that it is the same."""
    text = f"it may be `{before}`, which is declared no longer: `moved: {{from: {before}}}` keeps its record"
    return Reason(code="may_be_renamed", text=text, position=task.source.document.position(("metadata", "name")))


def recorded_anew(task: Declared, before: Address) -> Reason:
    """Say of a former address why its record is not moved."""
    text = f"`{task.address}` says that it was `{before}`, and has a record of its own already"
    return Reason(code="move_too_late", text=text, position=task.source.position(("moved", "from")))


def cells_renamed(task: Declared, field: str, olds: Sequence[Address], runs: int, way: str) -> Reason:
    """Say what it costs that all cells of a task have new names, and how they keep what is recorded of them."""
    price = "1 run is paid anew" if runs == 1 else f"{runs} runs are paid anew"
    text = f"its cells have other names than before ({_named(olds)}), so that {price}; to keep what is recorded: {way}"
    return Reason(code="cells_renamed", text=text, position=task.source.position((field,), key=True))


def _named(addresses: Sequence[Address]) -> str:
    shown = [f"`{address}`" for address in addresses[:SHOWN]]
    if len(addresses) > SHOWN:
        return f"{', '.join(shown)} and {len(addresses) - SHOWN} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _quoted(address: Address) -> str:
    """Return an address as it is written in a manifest."""
    return address if "[" not in address else f"'{address}'"
