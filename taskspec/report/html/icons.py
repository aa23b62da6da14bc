"""The marks of a report: each state has a colour, a word and a shape of its own. Decides no state."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from taskspec.health import Health
from taskspec.report.html.markup import Element, el


class Tone(StrEnum):
    """How something stands, from good to bad."""

    GOOD = "good"
    IDLE = "idle"
    NOTICE = "notice"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    BAD = "bad"


WORST_LAST: Final = (Tone.IDLE, Tone.GOOD, Tone.NOTICE, Tone.WAITING, Tone.UNKNOWN, Tone.BAD)

_SHAPES: Final[dict[Tone, tuple[tuple[str, dict[str, str | int | float]], ...]]] = {
    Tone.GOOD: (("circle", {"cx": 8, "cy": 8, "r": 7}), ("path", {"class": "in", "d": "M4.6 8.3l2.3 2.3 4.5-5"})),
    Tone.BAD: (
        ("path", {"d": "M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z"}),
        ("path", {"class": "in", "d": "M5.3 5.3l5.4 5.4M10.7 5.3l-5.4 5.4"}),
    ),
    Tone.WAITING: (
        ("path", {"d": "M8 1l7.4 13.6H.6z"}),
        ("path", {"class": "in", "d": "M8 5.6v4.2M8 11.9v.6"}),
    ),
    Tone.UNKNOWN: (
        ("path", {"d": "M8 .6L15.4 8 8 15.4.6 8z"}),
        ("path", {"class": "in", "d": "M6.2 6.4c.1-2.4 3.7-2.3 3.6 0 0 1.4-1.8 1.4-1.8 2.9M8 11.1v.6"}),
    ),
    Tone.NOTICE: (
        ("rect", {"x": 1.5, "y": 1.5, "width": 13, "height": 13, "rx": 3}),
        ("path", {"class": "in", "d": "M8 7.4v4M8 4.6v.5"}),
    ),
    Tone.IDLE: (("circle", {"class": "ring", "cx": 8, "cy": 8, "r": 6}),),
}


def of_health(health: Health | None) -> Tone:
    """Return the tone of a health; of what was never applied, that nothing is to be said."""
    match health:
        case None:
            return Tone.IDLE
        case Health.HEALTHY:
            return Tone.GOOD
        case Health.UNHEALTHY:
            return Tone.BAD
        case Health.NEEDS_INPUT:
            return Tone.WAITING
        case Health.UNKNOWN:
            return Tone.UNKNOWN


def health_word(health: Health | None) -> str:
    """Return a health as people say it."""
    match health:
        case None:
            return "not applied"
        case Health.NEEDS_INPUT:
            return "needs input"
        case _:
            return str(health)


def of_verdict(verdict: str | None) -> Tone:
    """Return the tone of a verdict; a word that is not known is no good news."""
    match verdict:
        case None:
            return Tone.IDLE
        case "accepted":
            return Tone.GOOD
        case "active":
            return Tone.NOTICE
        case "waiting":
            return Tone.WAITING
        case "rejected" | "failed" | "error" | "stopped":
            return Tone.BAD
        case _:
            return Tone.UNKNOWN


def mark(tone: Tone, classes: str = "") -> Element:
    """Return the mark of a tone; the word for it stands beside it."""
    attributes = {"class": f"mark {tone} {classes}".strip(), "viewBox": "0 0 16 16", "aria-hidden": "true"}
    return el("svg", attributes, el("use", {"href": f"#mark-{tone}"}))


def shapes() -> Iterator[Element]:
    """Yield the shapes of all marks, to be put on a page once."""
    for tone, parts in _SHAPES.items():
        yield el("symbol", {"id": f"mark-{tone}", "viewBox": "0 0 16 16"}, [el(tag, given) for tag, given in parts])


def state(tone: Tone, word: str) -> Element:
    """Return a mark with its word."""
    return el("span", {"class": f"state {tone}"}, mark(tone), word)
