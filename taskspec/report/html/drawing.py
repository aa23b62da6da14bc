"""The graph of the tasks as a picture: who waits for whom. Lays nothing out itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from taskspec.address import Address, task_name
from taskspec.report.account import TaskTold
from taskspec.report.html.icons import WORST_LAST, Tone, health_word, of_health
from taskspec.report.html.layering import layered
from taskspec.report.html.markup import Attribute, Element, Node, el
from taskspec.report.html.places import place_of_task
from taskspec.report.html.placing import Box, placed

FOLDED: Final = 150
"""With more tasks than this, the cells of a task are one node, and so are tasks with the same neighbours."""
MOST: Final = 600
"""How many nodes are drawn."""
MOST_EDGES: Final = 6_000
_LETTER: Final = 7.3
"""How wide a letter of a node's name is, in pixels: the script has one width."""
_NAME: Final = 30
_MARGIN: Final = 8.0


@dataclass(kw_only=True, slots=True)
class Knot:
    """A node of the picture: one task, or several as one."""

    name: str
    addresses: list[Address] = field(default_factory=list)
    tone: Tone = Tone.IDLE
    word: str = ""
    is_critical: bool = False

    @property
    def label(self) -> str:
        """Return its name, as much as there is room for, and of how many it stands."""
        name = self.name if len(self.name) <= _NAME else f"{self.name[: _NAME - 1]}…"
        return f"{name} ×{len(self.addresses)}" if len(self.addresses) > 1 else name


def graph(tasks: Sequence[TaskTold], critical: Sequence[Address]) -> Iterator[Node]:
    """Yield the picture, and what it leaves out."""
    knots, of = _knots(tasks, frozenset(critical))
    upstream = _upstream(tasks, knots, of)
    if len(knots) > FOLDED:
        knots, upstream = _alike(knots, upstream)
        of = {address: name for name, knot in knots.items() for address in knot.addresses}
    drawn = dict(list(upstream.items())[:MOST])
    edges, kept = 0, {}
    for name, firsts in drawn.items():
        kept[name] = firsts[: max(MOST_EDGES - edges, 0)]
        edges += len(firsts)
    yield from _remarks(tasks, knots, drawn, edges)
    found = layered(kept)
    place = placed(found, {name: len(knots[name].label) * _LETTER + 40 for name in kept})
    names = [of[address] for address in critical if address in of]
    chain = {*pairwise(names)}
    width, height = place.width + 2 * _MARGIN, place.height + 2 * _MARGIN
    attributes: dict[str, Attribute] = {
        "viewBox": f"{-_MARGIN:g} {-_MARGIN:g} {width:.0f} {height:.0f}",
        "width": f"{width:.0f}",
        "height": f"{height:.0f}",
        "class": "graph",
        "role": "group",
        "aria-label": "Tasks, each with a line to those that wait for it",
    }
    picture = el(
        "svg",
        attributes,
        [_edge(way, is_critical=(first, then) in chain) for (first, then), way in place.ways.items()],
        [_knot(knots[name], box) for name, box in place.boxes.items()],
    )
    frame: dict[str, Attribute] = {
        "class": "scroll",
        "tabindex": 0,
        "role": "region",
        "aria-label": "Graph of the tasks",
    }
    yield el("div", frame, picture)


def _knots(tasks: Sequence[TaskTold], critical: frozenset[Address]) -> tuple[dict[str, Knot], dict[Address, str]]:
    """Return the nodes by their names, and of which node each task is."""
    folds = len(tasks) > FOLDED
    knots: dict[str, Knot] = {}
    of: dict[Address, str] = {}
    for task in tasks:
        name = task_name(task.address) if folds else task.address
        knot = knots.setdefault(name, Knot(name=name))
        tone = of_health(task.health)
        if not knot.addresses or WORST_LAST.index(tone) > WORST_LAST.index(knot.tone):
            knot.tone, knot.word = tone, health_word(task.health)
        knot.addresses.append(task.address)
        knot.is_critical = knot.is_critical or task.address in critical
        of[task.address] = name
    return knots, of


def _alike(
    knots: Mapping[str, Knot], upstream: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Knot], dict[str, list[str]]]:
    """Make one node of nodes that have the same neighbours."""
    after: dict[str, list[str]] = {name: [] for name in knots}
    for then, firsts in upstream.items():
        for first in firsts:
            after[first].append(then)
    groups: dict[tuple[frozenset[str], frozenset[str]], str] = {}
    kept: dict[str, Knot] = {}
    of: dict[str, str] = {}
    for name, knot in knots.items():
        own = groups.setdefault((frozenset(upstream[name]), frozenset(after[name])), name)
        of[name] = own
        if own == name:
            kept[name] = knot
            continue
        other = kept[own]
        other.addresses += knot.addresses
        other.is_critical = other.is_critical or knot.is_critical
        if WORST_LAST.index(knot.tone) > WORST_LAST.index(other.tone):
            other.tone, other.word = knot.tone, knot.word
    return kept, {name: list(dict.fromkeys(of[first] for first in upstream[name])) for name in kept}


def _upstream(tasks: Sequence[TaskTold], knots: Mapping[str, Knot], of: Mapping[Address, str]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {name: {} for name in knots}
    for task in tasks:
        own = of[task.address]
        for address in task.upstream:
            other = of.get(address)
            if other is not None and other != own:
                found[own][other] = None
    return {name: list(firsts) for name, firsts in found.items()}


def _remarks(
    tasks: Sequence[TaskTold], knots: Mapping[str, Knot], drawn: Mapping[str, object], edges: int
) -> Iterator[Node]:
    if len(knots) < len(tasks):
        yield el(
            "p",
            {"class": "quiet"},
            f"{len(tasks)} tasks are drawn as {len(knots)} nodes: the cells of one task are one node, "
            "and so are tasks that wait for the same and are waited for by the same. It stands as the worst of them.",
        )
    if len(drawn) < len(knots):
        yield el("p", {"class": "left-out"}, f"{len(knots) - len(drawn)} more nodes are not drawn.")
    if edges > MOST_EDGES:
        yield el("p", {"class": "left-out"}, f"{edges - MOST_EDGES} more lines are not drawn.")


def _edge(way: Sequence[tuple[float, float]], *, is_critical: bool) -> Element:
    (x, y), *others = way
    parts = [f"M{x:.1f} {y:.1f}"]
    for right, low in others:
        middle = (x + right) / 2
        if y == low:
            parts.append(f"H{right:.1f}")
        else:
            parts.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {low:.1f} {right:.1f} {low:.1f}")
        x, y = right, low
    return el("path", {"class": "edge critical" if is_critical else "edge", "d": "".join(parts)})


def _knot(knot: Knot, box: Box) -> Element:
    many = f", {len(knot.addresses)} tasks" if len(knot.addresses) > 1 else ""
    classes = f"knot {knot.tone}{' critical' if knot.is_critical else ''}"
    said = f"{knot.name}: {knot.word}{many}"
    x, y = f"{box.x:.1f}", f"{box.y:.1f}"
    return el(
        "a",
        {"href": f"#{place_of_task(knot.addresses[0])}", "class": classes, "aria-label": said},
        el("title", None, said),
        el("rect", {"x": x, "y": y, "width": f"{box.width:.1f}", "height": f"{box.height:g}", "rx": 6}),
        el(
            "use",
            {
                "class": f"mark {knot.tone}",
                "href": f"#mark-{knot.tone}",
                "x": f"{box.x + 9:.1f}",
                "y": f"{box.y + 9.5:.1f}",
                "width": 15,
                "height": 15,
            },
        ),
        el("text", {"x": f"{box.x + 31:.1f}", "y": f"{box.middle + 4.2:.1f}"}, knot.label),
    )
