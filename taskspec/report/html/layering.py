"""A layout of tasks in layers, from left to right: who waits stands right of what it waits for. Draws nothing.

Time grows with the nodes and edges, and with the logarithm of how many stand in a layer. Equal graphs are laid out
equally.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

SWEEPS: Final = 7
"""How many times the layers are ordered by their neighbours, forth and back."""
MOST_BENDS: Final = 4_000
"""So many places in the layers between are kept free for edges; further edges go straight."""

N = TypeVar("N", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Bend(Generic[N]):
    """A place that an edge takes in a layer between its ends."""

    first: N
    then: N
    layer: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Layers(Generic[N]):
    """Nodes in layers, each in its order, with the bends of long edges among them; those without an edge apart."""

    layers: Sequence[Sequence[N | Bend[N]]]
    edges: Sequence[tuple[N, N]]
    apart: Sequence[N] = ()


def layered(upstream: Mapping[N, Iterable[N]]) -> Layers[N]:
    """Return the layers of a graph; edges from what is no node, and from a node to itself, are left out.

    Of a cycle, which no plan has, an edge may lead back.
    """
    edges = [(first, then) for then, firsts in upstream.items() for first in dict.fromkeys(firsts) if first in upstream]
    edges = [(first, then) for first, then in edges if first != then]
    touched = {node for edge in edges for node in edge}
    nodes = [node for node in upstream if node in touched]
    depth = _depths(nodes, edges)
    layers: list[list[N | Bend[N]]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in _by_component(nodes, edges):
        layers[depth[node]].append(node)
    pairs = _bent(layers, edges, depth)
    _order(layers, pairs)
    return Layers(layers=layers, edges=edges, apart=[node for node in upstream if node not in touched])


def _depths(nodes: Sequence[N], edges: Sequence[tuple[N, N]]) -> dict[N, int]:
    """Return for each node the length of the longest way that leads to it; roots stand just before who needs them."""
    after: dict[N, list[N]] = {node: [] for node in nodes}
    waiting = dict.fromkeys(nodes, 0)
    for first, then in edges:
        after[first].append(then)
        waiting[then] += 1
    depth = dict.fromkeys(nodes, 0)
    ready = deque(node for node in nodes if not waiting[node])
    roots = list(ready)
    while ready:
        node = ready.popleft()
        for then in after[node]:
            depth[then] = max(depth[then], depth[node] + 1)
            waiting[then] -= 1
            if not waiting[then]:
                ready.append(then)
    for root in roots:
        nearest = min((depth[then] for then in after[root]), default=1)
        depth[root] = max(nearest - 1, 0)
    return depth


def _by_component(nodes: Sequence[N], edges: Sequence[tuple[N, N]]) -> list[N]:
    """Return the nodes so that those which hang together stand together, in the order of their first."""
    beside: dict[N, list[N]] = {node: [] for node in nodes}
    for first, then in edges:
        beside[first].append(then)
        beside[then].append(first)
    seen: set[N] = set()
    ordered: list[N] = []
    for node in nodes:
        if node in seen:
            continue
        seen.add(node)
        queue = deque([node])
        while queue:
            one = queue.popleft()
            ordered.append(one)
            for other in beside[one]:
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
    return ordered


def _bent(
    layers: list[list[N | Bend[N]]], edges: Sequence[tuple[N, N]], depth: Mapping[N, int]
) -> list[tuple[N | Bend[N], N | Bend[N]]]:
    """Put the bends of long edges into their layers, and return all pieces of edges between neighbouring layers."""
    pairs: list[tuple[N | Bend[N], N | Bend[N]]] = []
    left = MOST_BENDS
    for first, then in sorted(edges, key=lambda edge: abs(depth[edge[1]] - depth[edge[0]])):
        between = range(depth[first] + 1, depth[then])
        if len(between) > left:
            continue
        left -= len(between)
        one: N | Bend[N] = first
        for layer in between:
            bend = Bend(first, then, layer)
            layers[layer].append(bend)
            pairs.append((one, bend))
            one = bend
        pairs.append((one, then))
    return pairs


def _order(layers: list[list[N | Bend[N]]], pairs: Iterable[tuple[N | Bend[N], N | Bend[N]]]) -> None:
    """Order each layer by where the neighbours of its nodes stand on average, forth and back."""
    before: dict[N | Bend[N], list[N | Bend[N]]] = {}
    after: dict[N | Bend[N], list[N | Bend[N]]] = {}
    for first, then in pairs:
        before.setdefault(then, []).append(first)
        after.setdefault(first, []).append(then)
    place: dict[N | Bend[N], float] = {}
    for layer in layers:
        _place(layer, place)
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        neighbours = before if forth else after
        for layer in layers[1:] if forth else layers[-2::-1]:
            wanted = {
                node: sum(place[other] for other in near) / len(near) if (near := neighbours.get(node)) else place[node]
                for node in layer
            }
            layer.sort(key=lambda node: (wanted[node], place[node]))  # sorted at once
            _place(layer, place)


def _place(layer: Sequence[N | Bend[N]], place: dict[N | Bend[N], float]) -> None:
    """Take down where the nodes of a layer stand, from 0 to 1."""
    for number, node in enumerate(layer):
        place[node] = (number + 0.5) / len(layer)
