"""The formats of a report, and how an account becomes one. Writes nothing, and loads only what is asked for."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskspec.report.account import Account

_ROOMS = {
    "markdown": "taskspec.report.markdown",
    "html": "taskspec.report.html",
    "junit": "taskspec.report.junit",
    "jsonl": "taskspec.report.lines",
}


def formats() -> Sequence[str]:
    """Return the formats that a report can have."""
    return list(_ROOMS)


def pieces(form: str, account: "Account") -> Iterable[str]:
    """Return a report, piece by piece; the name of its format is one of `formats`."""
    from importlib import import_module

    made = import_module(_ROOMS[form]).page(account)
    return (made,) if isinstance(made, str) else made
