"""Facts as a list of terms and values. Knows none of them."""

from collections.abc import Container, Iterable

from taskspec.report.html.markup import Element, Node, el


def fact_list(facts: Iterable[tuple[str, Node]], classes: str = "facts", broad: Container[str] = ()) -> Element | None:
    """Return facts as a list, those that are `broad` with more room; None where there are none."""
    rows = [
        el("div", {"class": "broad"} if name in broad else None, el("dt", None, name), el("dd", None, value))
        for name, value in facts
    ]
    return el("dl", {"class": classes}, rows) if rows else None
