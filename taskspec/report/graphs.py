"""The graph of tasks in the languages of drawing programs: Mermaid and DOT. Draws nothing itself."""

from collections.abc import Iterator, Mapping, Sequence

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, DesiredTask

Tasks = Mapping[Address, DesiredTask | DeferredTask]


def mermaid(tasks: Tasks) -> Iterator[str]:
    """Yield a flow chart: an arrow leads to whoever waits, a dotted one where only the order counts."""
    yield "flowchart LR"
    numbers = {address: f"t{number}" for number, address in enumerate(tasks)}
    for address, name in numbers.items():
        yield f'  {name}["{_for_mermaid(address)}"]'
    for first, then, used in _edges(tasks):
        yield f"  {numbers[first]} {'-->' if used else '-.->'} {numbers[then]}"


def dot(tasks: Tasks) -> Iterator[str]:
    """Yield a directed graph: an arrow leads to whoever waits, a dotted one where only the order counts."""
    yield "digraph tasks {"
    yield "  rankdir=LR;"
    yield "  node [shape=box];"
    for address in tasks:
        yield f"  {_for_dot(address)};"
    for first, then, used in _edges(tasks):
        yield f"  {_for_dot(first)} -> {_for_dot(then)}{'' if used else ' [style=dotted]'};"
    yield "}"


def as_json(tasks: Tasks) -> dict[str, Sequence[object]]:
    """Return the graph as JSON."""
    return {
        "tasks": list(tasks),
        "edges": [{"from": first, "to": then, "usesResult": used} for first, then, used in _edges(tasks)],
    }


def _edges(tasks: Tasks) -> Iterator[tuple[Address, Address, bool]]:
    """Yield who comes first, who waits for it, and whether its result is used; both are among the tasks."""
    for address, task in tasks.items():
        uses = task.uses if isinstance(task, DeferredTask) else frozenset()
        for upstream in task.upstream:
            if upstream in tasks:
                yield upstream, address, upstream in uses


def _for_mermaid(text: str) -> str:
    return "".join(f"#{ord(c)};" if c in _MERMAID or not c.isprintable() else c for c in text)


def _for_dot(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in escaped)}"'


_MERMAID = frozenset('#"<>&;`{}')
