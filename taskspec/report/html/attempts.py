"""The attempts of a generation as a table. Judges none."""

from collections.abc import Sequence
from typing import Final

from taskspec.plan.spending import total
from taskspec.report.html.icons import of_verdict, state
from taskspec.report.html.markup import Element, Node, el
from taskspec.report.html.showing import Purse, inline
from taskspec.report.text import duration
from taskspec.state.model import Attempt

MOST: Final = 30
"""How many attempts of one generation are shown: the last."""


def attempts_table(attempts: Sequence[Attempt], purse: Purse) -> Element | None:
    """Return the attempts of a generation as a table."""
    if not attempts:
        return None
    shown = attempts[-MOST:]
    purse.pay(sum(600 + len(attempt.detail[:500]) for attempt in shown))
    names = ("Attempt", "Verdict", "Run", "Took", "Tokens", "What was said")
    head = el("tr", None, [el("th", {"scope": "col"}, name) for name in names])
    return el("table", {"class": "attempts"}, el("thead", None, head), el("tbody", None, map(_attempt, shown)))


def _attempt(attempt: Attempt) -> Element:
    verdict = attempt.verdict or attempt.sending
    tokens = total(attempt.tokens)
    cells: dict[str, Node] = {
        "Attempt": str(attempt.number),
        "Verdict": state(of_verdict(attempt.verdict), str(verdict)),
        "Run": el("code", None, inline(attempt.run or "–")),
        "Took": duration(attempt.seconds) if attempt.seconds is not None else "–",
        "Tokens": f"{tokens:,}" if tokens is not None else "–",
        "What was said": inline(attempt.detail, 500) if attempt.detail else "–",
    }
    return el("tr", None, [el("td", {"data-name": name}, value) for name, value in cells.items()])
