"""When did what run, as bars on one scale: waiting is thin, working is full. Finds out no time itself."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from taskspec.address import Address
from taskspec.moments import utc
from taskspec.report.html.happenings import clock
from taskspec.report.html.icons import of_verdict
from taskspec.report.html.markup import Attribute, Element, Node, el
from taskspec.report.html.places import link_to
from taskspec.report.html.spans import Scale, Span, scale
from taskspec.report.text import duration, plural

MOST: Final = 150
"""How many tasks have a row: of more, those that worked for the longest, and the longest chain."""
_MOST_SPANS: Final = 40
_TICKS: Final = 5
_NARROWEST: Final = 0.25
"""Percent of the width that a bar takes at least."""
_DAY: Final = 86_400.0


def timeline(
    found: Mapping[Address, Sequence[Span]], critical: Sequence[Address], shown: Collection[Address]
) -> Iterator[Node]:
    """Yield the rows, those of the longest chain marked; nothing has to be said where nothing ran."""
    rows = sorted(found, key=lambda address: (found[address][0].asked, address))
    longest = sorted(rows, key=lambda address: -_worked(found[address]))[:MOST]
    kept = frozenset((*critical, *longest))
    chosen = [address for address in rows if address in kept]
    on = scale(found)
    yield from _remarks(found, critical, on)
    chain = frozenset(critical) if len(critical) > 1 else frozenset()
    ticks = [*_ticks(on)]
    yield el(
        "div",
        {"class": "timeline"},
        el("div", {"class": "row axis", "aria-hidden": "true"}, el("span"), _axis(ticks), el("span")),
        el(
            "ol",
            None,
            [_row(address, found[address], on, ticks, address in chain, address in shown) for address in chosen],
        ),
    )
    if len(chosen) < len(rows):
        yield el(
            "p",
            {"class": "left-out"},
            f"{len(rows) - len(chosen)} more tasks ran, for no longer than these, and have no row here.",
        )


def _remarks(found: Mapping[Address, Sequence[Span]], critical: Sequence[Address], on: Scale) -> Iterator[Node]:
    begin, end = on.knots[0][0], on.knots[-1][0]
    runs = sum(len(some) for some in found.values())
    yield el(
        "p", {"class": "quiet"}, f"{plural(runs, 'run')} between {utc(begin)} and {utc(end)}, {_long(end - begin)}."
    )
    key = [
        ("waiting", "waiting for the agent"),
        ("working", "at work"),
        ("critical", "longest chain: what the whole had to wait for"),
    ]
    yield el(
        "ul",
        {"class": "key"},
        [el("li", None, _swatch(name), words) for name, words in key if name != "critical" or len(critical) > 1],
    )
    if on.breaks:
        yield el(
            "p",
            {"class": "quiet"},
            f"Where nothing ran for long, time is shortened ({plural(len(on.breaks), 'place')}, hatched).",
        )


def _swatch(name: str) -> Element:
    shapes = {
        "waiting": el("line", {"class": "waiting", "x1": 0, "x2": 26, "y1": 6, "y2": 6}),
        "working": el("rect", {"class": "bar good", "x": 0, "width": 26, "y": 1, "height": 10, "rx": 2}),
        "critical": el("rect", {"class": "chain", "x": 1, "width": 24, "y": 1, "height": 10, "rx": 2}),
    }
    return el("svg", {"class": "swatch", "viewBox": "0 0 26 12", "aria-hidden": "true"}, shapes[name])


def _axis(ticks: Sequence[tuple[float, str]]) -> Element:
    labels = []
    for number, (place, text) in enumerate(ticks):
        anchor = "start" if number == 0 else "end" if number == len(ticks) - 1 else "middle"
        labels.append(
            el("text", {"x": f"{place * 100:.2f}%", "y": 13, "text-anchor": anchor, "class": f"tick{number % 2}"}, text)
        )
    return el("svg", {"class": "track head", "height": 18, "width": "100%"}, labels)


def _ticks(on: Scale) -> Iterator[tuple[float, str]]:
    """Yield places with their times: even ones, or the ends where time is shortened between them."""
    begin, end = on.knots[0][0], on.knots[-1][0]
    if not on.breaks:
        for number in range(_TICKS):
            moment = begin + (end - begin) * number / (_TICKS - 1)
            yield on.place(moment), clock(moment) if end - begin >= 30 else f"+{duration(moment - begin)}"
        return
    yield 0.0, utc(begin)[:16]
    yield 1.0, utc(end)[:16]


def _row(
    address: Address,
    some: Sequence[Span],
    on: Scale,
    ticks: Sequence[tuple[float, str]],
    is_critical: bool,
    is_here: bool,
) -> Element:
    return el(
        "li",
        {"class": "row critical" if is_critical else "row"},
        el("span", {"class": "who"}, link_to(address, is_here=is_here)),
        el(
            "svg",
            {
                "class": "track",
                "height": 18,
                "width": "100%",
                "role": "img",
                "aria-label": _words(some, is_critical=is_critical),
            },
            [
                el(
                    "line",
                    {"class": "grid", "x1": f"{place * 100:.2f}%", "x2": f"{place * 100:.2f}%", "y1": 0, "y2": 18},
                )
                for place, _ in ticks
            ],
            [_break(before, after, on) for before, after in on.breaks],
            [_span(span, on, is_critical=is_critical) for span in some[-_MOST_SPANS:]],
        ),
        el("span", {"class": "number quiet"}, _long(_worked(some)) + (f", {len(some)} runs" if len(some) > 1 else "")),
    )


def _worked(some: Sequence[Span]) -> float:
    return sum(span.worked for span in some)


def _span(span: Span, on: Scale, *, is_critical: bool) -> Iterator[Node]:
    asked, began, ended = (on.place(moment) * 100 for moment in (span.asked, span.began, span.ended))
    left = min(began, 100 - _NARROWEST)
    width = max(ended - left, _NARROWEST)
    if began > asked:
        yield el("line", {"class": "waiting", "x1": f"{asked:.2f}%", "x2": f"{began:.2f}%", "y1": 9, "y2": 9})
    place: dict[str, Attribute] = {"x": f"{left:.2f}%", "width": f"{width:.2f}%", "rx": 2}
    tone = of_verdict(span.verdict)
    yield el(
        "rect",
        {**place, "class": f"bar {tone}{'' if span.is_over else ' open'}", "y": 4, "height": 10},
        el("title", None, _said(span)),
    )
    if is_critical:
        yield el("rect", {**place, "class": "chain", "y": 2, "height": 14, "rx": 3})


def _break(before: float, after: float, on: Scale) -> Element:
    left, right = on.place(before) * 100, on.place(after) * 100
    return el(
        "rect",
        {
            "class": "break",
            "x": f"{left:.2f}%",
            "width": f"{right - left:.2f}%",
            "y": 0,
            "height": 18,
            "fill": "url(#hatched)",
        },
    )


def _words(some: Sequence[Span], *, is_critical: bool) -> str:
    told = "; ".join(map(_said, some[-5:]))
    return f"{told}{'; on the longest chain' if is_critical else ''}"


def _said(span: Span) -> str:
    waited = f"waited {_long(span.waited)}, " if span.waited >= 0.05 else ""
    verdict = span.verdict or "not settled"
    again = f"attempt {span.attempt}: " if span.attempt > 1 else ""
    work = "worked" if span.is_over else "has been at work for"
    return f"{again}asked for at {clock(span.asked)}, {waited}{work} {_long(span.worked)}: {verdict}"


def _long(seconds: float) -> str:
    return duration(seconds) if seconds < 2 * _DAY else plural(round(seconds / _DAY), "day")
