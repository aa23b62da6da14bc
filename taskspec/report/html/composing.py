"""A report as one page of HTML that needs nothing but itself. Says nothing of its own: every part is made elsewhere."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Final

from taskspec.report.account import Account
from taskspec.report.html.commands import Commands
from taskspec.report.html.drawing import graph
from taskspec.report.html.icons import shapes
from taskspec.report.html.listing import MOST, pressing, task_list
from taskspec.report.html.markup import Attribute, Element, Node, el, rendered
from taskspec.report.html.overview import KINDS, overview
from taskspec.report.html.showing import PAGE, Purse
from taskspec.report.html.spans import critical_chain, spans
from taskspec.report.html.tasks import Surroundings
from taskspec.report.html.timeline import timeline
from taskspec.report.verdicts import verdict

_POLICY: Final = (
    "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)


def page(account: Account, *, most: int = PAGE) -> Iterator[str]:
    """Yield a report, piece by piece; its texts take at most so many characters."""
    style, script = _asset("report.css"), _asset("report.js")
    yield "<!doctype html>\n"
    yield '<html lang="en">\n<head>\n'
    yield from rendered(_head(account, _POLICY.format(_hash(style), _hash(script))))
    yield f"<style>{style}</style>\n</head>\n<body>\n"
    for part in _body(account, most):
        yield from rendered(part)
        yield "\n"
    yield f"<script>{script}</script>\n</body>\n</html>\n"


def _head(account: Account, policy: str) -> Iterator[Node]:
    yield el("meta", {"charset": "utf-8"})
    yield el("meta", {"http-equiv": "Content-Security-Policy", "content": policy})
    yield el("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    yield el("meta", {"name": "color-scheme", "content": "light dark"})
    yield el("meta", {"name": "referrer", "content": "no-referrer"})
    yield el("meta", {"name": "robots", "content": "noindex"})
    yield el("title", None, f"{verdict(account).text} {account.project[:200]} · {KINDS[account.kind]} · taskspec")


def _body(account: Account, most: int) -> Iterator[Node]:
    found = spans(account)
    critical = critical_chain(account, found)
    tasks = pressing(account.tasks)
    shown = tasks[:MOST]
    addresses = frozenset(task.address for task in shown)
    drawn = [task for task in account.tasks if task.address in addresses]
    around = Surroundings(account=account, purse=Purse(most), commands=Commands(account.environment), shown=addresses)
    yield el("a", {"class": "skip", "href": "#tasks"}, "Skip to the tasks")
    yield el(
        "svg",
        {"class": "shapes", "width": 0, "height": 0, "aria-hidden": "true"},
        el("defs", None, shapes(), _hatched()),
    )
    sections = [("overview", "Overview")]
    sections += [("tasks", "Tasks")] if shown else []
    sections += [("timeline", "Timeline")] if found else []
    sections += [("graph", "Graph")] if len(account.tasks) > 1 else []
    yield _navigation(sections)
    parts = [
        _section("tasks", "Tasks", task_list(shown, around, len(tasks) - len(shown))) if shown else None,
        _section("timeline", "Timeline", timeline(found, critical, addresses)) if found else None,
        _section("graph", "Graph", graph(drawn, critical)) if len(account.tasks) > 1 else None,
    ]
    yield el("main", None, overview(account), parts)
    yield el("footer", None, el("p", None, "Written by taskspec. This page needs nothing else, and asks nobody."))


def _navigation(sections: list[tuple[str, str]]) -> Element:
    links = [el("li", None, el("a", {"href": f"#{name}"}, word)) for name, word in sections]
    button = el("button", {"type": "button", "id": "scheme", "aria-pressed": "false", "hidden": True}, "Dark mode")
    return el(
        "nav", {"aria-label": "Sections"}, el("p", {"class": "wordmark"}, "taskspec"), el("ul", None, links), button
    )


def _section(name: str, title: str, *children: Node) -> Element:
    return el(
        "section", {"id": name, "aria-labelledby": f"{name}-title"}, el("h2", {"id": f"{name}-title"}, title), children
    )


def _hatched() -> Element:
    attributes: dict[str, Attribute] = {
        "id": "hatched",
        "width": 6,
        "height": 6,
        "patternUnits": "userSpaceOnUse",
        "patternTransform": "rotate(45)",
    }
    return el("pattern", attributes, el("line", {"x1": 0, "x2": 0, "y1": 0, "y2": 6, "class": "hatch"}))


@lru_cache
def _asset(name: str) -> str:
    """Return a file of the package; it holds nothing that could end the element in which it stands."""
    text = files("taskspec.report.html").joinpath(name).read_text("utf-8")
    assert not any(end in text for end in ("</", "<!--"))
    return text


def _hash(text: str) -> str:
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()
