"""The events of a command as a table: when, what, and all that they tell. Hides no event, whatever it is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any, Final

from taskspec.events import Event
from taskspec.moments import iso
from taskspec.report.account import Heard
from taskspec.report.html.markup import Element, Node, el
from taskspec.report.html.showing import Purse, inline
from taskspec.report.text import duration

MOST: Final = 200
"""How many events of one task are shown: the first and the last."""
LONGEST: Final = 600
_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def event_table(heard: Sequence[Heard], began: float, purse: Purse, command: str) -> Iterator[Node]:
    """Yield a table of events."""
    half = MOST // 2
    shown = heard if len(heard) <= MOST else [*heard[:half], *heard[-half:]]
    rows = []
    for one in shown:
        if purse.is_empty:
            break
        rows.append(_row(one, began, purse))
    head = el("tr", None, [el("th", {"scope": "col"}, name) for name in ("Time (UTC)", "After", "What", "Details")])
    yield el("table", {"class": "events"}, el("thead", None, head), el("tbody", None, rows))
    if len(rows) < len(heard):
        yield el(
            "p",
            {"class": "left-out"},
            f"Left out here: {len(heard) - len(rows)} events. ",
            el("code", None, inline(command, 700)),
            " shows what the run did.",
        )


def _row(one: Heard, began: float, purse: Purse) -> Element:
    details = ", ".join(_details(one.event))[: LONGEST * 4]
    purse.pay(len(details) + 200)
    return el(
        "tr",
        None,
        el("td", {"class": "number"}, clock(one.at)),
        el("td", {"class": "number"}, f"+{duration(one.at - began)}"),
        el("td", None, event_word(one.event)),
        el("td", None, inline(details, LONGEST)),
    )


def event_word(event: Event) -> str:
    """Return what an event is called, in words: `Run created`."""
    return _WORD.sub(" ", type(event).__name__).capitalize()


def clock(at: float) -> str:
    """Return the time of day of a moment, in UTC."""
    found = iso(at)
    return found[11:19] if found else "?"


def _details(event: Event) -> Iterator[str]:
    for field in fields(event):
        value: Any = getattr(event, field.name)
        if field.name == "address" or value is None or value == "":
            continue
        if isinstance(value, float):
            value = duration(value)
        elif isinstance(value, tuple):
            value = ", ".join(map(str, value))
        yield f"{field.name} {value}"
