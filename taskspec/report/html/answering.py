"""The results of a task on a page: what is accepted, and what it was before. Judges no result."""

from collections.abc import Iterator

from taskspec.moments import utc
from taskspec.report.account import Answer
from taskspec.report.html.differing import text_difference
from taskspec.report.html.indenting import indented_json
from taskspec.report.html.markup import Element, Node, el
from taskspec.report.html.showing import Purse, block, inline


def answers(before: Answer | None, after: Answer | None, purse: Purse, command: str) -> Iterator[Node]:
    """Yield the accepted result, against the one before where it is another."""
    if after is None:
        if before is None:
            return
        yield el("p", None, "The result that was accepted before is accepted no longer.")
        yield from answer(before, purse, command, name="Former answer")
        return
    if before is None or before.digest == after.digest:
        yield el("p", None, about(after))
        yield from answer(after, purse, command, name="Answer")
        return
    yield el("p", {"class": "quiet"}, f"g{before.generation} → g{after.generation}")
    yield from compared(before, after, purse)
    for one, name in ((after, "New answer"), (before, "Old answer")):
        yield el(
            "details",
            {"class": "inner"},
            el("summary", None, name, " ", about(one)),
            answer(one, purse, command, name=name),
        )


def compared(before: Answer, after: Answer, purse: Purse) -> Iterator[Node]:
    """Yield in what two results differ, as far as both can be read."""
    if before.content is not None and after.content is not None:
        yield from text_difference(readable(before), readable(after), purse)


def answer(one: Answer, purse: Purse, command: str, *, name: str) -> Iterator[Node]:
    """Yield one result: JSON set out, every other text as it is."""
    if one.content is None:
        yield el(
            "p",
            {"class": "left-out"},
            f"Its {one.size:,} bytes are not in this report. ",
            el("code", None, inline(command, 700)),
            " shows them.",
        )
        return
    yield from block(readable(one), purse, command, name=name)


def readable(one: Answer) -> str:
    """Return the content of a result as it is shown."""
    content = one.content or ""
    return indented_json(content) if one.format == "json" else content


def about(one: Answer) -> Element:
    """Return what is known of a result, in a line."""
    when = f", {utc(one.at)}" if one.at is not None else ""
    return el("span", {"class": "quiet"}, f"g{one.generation}, {one.format}, {one.size:,} bytes{when}")
