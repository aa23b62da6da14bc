"""Nodes in layers → nodes at places: wide enough for their names, near their neighbours, never upon each other.

Lengths are pixels. Decides no order and draws nothing.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Generic, TypeVar

from taskspec.report.html.layering import Bend, Layers

HEIGHT: Final = 34.0
GAP: Final = 12.0
BEND: Final = 10.0
"""How much room a bend takes: less than a node."""
BETWEEN: Final = 56.0
"""Between two layers."""
ROUNDS: Final = 6
WIDEST: Final = 1040.0
"""How wide the rows are of nodes that stand apart."""

N = TypeVar("N", bound=Hashable)


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """Where a node is."""

    x: float
    y: float
    width: float
    height: float = HEIGHT

    @property
    def middle(self) -> float:
        """Return the height of its middle."""
        return self.y + self.height / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed(Generic[N]):
    """Boxes, and the ways of the edges from box to box: each a list of points."""

    boxes: Mapping[N, Box]
    ways: Mapping[tuple[N, N], Sequence[tuple[float, float]]]
    width: float
    height: float


def placed(found: Layers[N], widths: Mapping[N, float]) -> Placed[N]:
    """Return where everything stands."""
    middles = _middles(found)
    boxes: dict[N, Box] = {}
    points: dict[Bend[N], tuple[float, float, float]] = {}
    left = 0.0
    for layer in found.layers:
        width = max((widths[one] for one in layer if not isinstance(one, Bend)), default=0.0)
        for one in layer:
            if isinstance(one, Bend):
                points[one] = (left, left + width, middles[one])
            else:
                boxes[one] = Box(x=left, y=middles[one] - HEIGHT / 2, width=widths[one])
        left += width + BETWEEN
    bottom = max((box.y + HEIGHT for box in boxes.values()), default=-GAP * 2)
    width = max(left - BETWEEN, 0.0)
    bottom, broad = _apart(found.apart, widths, bottom + GAP * 2, boxes, max(width, WIDEST))
    return Placed(
        boxes=boxes,
        ways=_ways(found, boxes, points),
        width=max(width, broad),
        height=max(bottom, 0.0),
    )


def _middles(found: Layers[N]) -> dict[N | Bend[N], float]:
    """Return the height of the middle of everything: in its order, and as near to its neighbours as there is room."""
    near = _neighbours(found)
    middles: dict[N | Bend[N], float] = {}
    for layer in found.layers:
        top = 0.0
        for one in layer:
            middles[one] = top + _half(one)
            top += 2 * _half(one) + GAP
    for number in range(ROUNDS):
        for layer in found.layers if number % 2 == 0 else found.layers[::-1]:
            wanted = [
                sum(middles[other] for other in near[one]) / len(near[one]) if near.get(one) else middles[one]
                for one in layer
            ]
            middles.update(zip(layer, _spread(layer, wanted), strict=True))
    top = min((middle - _half(one) for one, middle in middles.items()), default=0.0)
    return {one: middle - top for one, middle in middles.items()}


def _spread(layer: Sequence[N | Bend[N]], wanted: Sequence[float]) -> list[float]:
    """Return the heights nearest to those that are wanted which keep the order and the gaps.

    Blocks of what touches move together, to where they want to be on average (pool adjacent violators).
    """
    offsets: list[float] = []
    reach = 0.0
    for number, one in enumerate(layer):
        reach += (_half(layer[number - 1]) + GAP + _half(one)) if number else 0.0
        offsets.append(reach)
    blocks: list[tuple[float, int]] = []  # what its members want on average, and how many they are
    for want, offset in zip(wanted, offsets, strict=True):
        value, count = want - offset, 1
        while blocks and blocks[-1][0] > value:
            other, more = blocks.pop()
            value, count = (value * count + other * more) / (count + more), count + more
        blocks.append((value, count))
    bases = [value for value, count in blocks for _ in range(count)]
    return [base + offset for base, offset in zip(bases, offsets, strict=True)]


def _half(one: N | Bend[N]) -> float:
    return (BEND if isinstance(one, Bend) else HEIGHT) / 2


def _neighbours(found: Layers[N]) -> dict[N | Bend[N], list[N | Bend[N]]]:
    near: dict[N | Bend[N], list[N | Bend[N]]] = {}
    for chain in _chains(found).values():
        for one, other in pairwise(chain):
            near.setdefault(one, []).append(other)
            near.setdefault(other, []).append(one)
    return near


def _chains(found: Layers[N]) -> dict[tuple[N, N], list[N | Bend[N]]]:
    """Return what each edge leads through, its ends included."""
    bends: dict[tuple[N, N], list[N | Bend[N]]] = {}
    for layer in found.layers:
        for one in layer:
            if isinstance(one, Bend):
                bends.setdefault((one.first, one.then), []).append(one)
    return {(first, then): [first, *bends.get((first, then), ()), then] for first, then in found.edges}


def _ways(
    found: Layers[N], boxes: Mapping[N, Box], points: Mapping[Bend[N], tuple[float, float, float]]
) -> dict[tuple[N, N], list[tuple[float, float]]]:
    ways: dict[tuple[N, N], list[tuple[float, float]]] = {}
    for (first, then), chain in _chains(found).items():
        way = [(boxes[first].x + boxes[first].width, boxes[first].middle)]
        for one in chain[1:-1]:
            if isinstance(one, Bend):
                begin, end, middle = points[one]
                way += [(begin, middle), (end, middle)]
        ways[first, then] = [*way, (boxes[then].x, boxes[then].middle)]
    return ways


def _apart(
    nodes: Sequence[N], widths: Mapping[N, float], top: float, boxes: dict[N, Box], widest: float
) -> tuple[float, float]:
    """Put what has no edge in rows below, in columns; return how far down and how far right that is."""
    if not nodes:
        return top - GAP * 2, 0.0
    column = max(widths[node] for node in nodes) + GAP
    per_row = max(int((widest + GAP) // column), 1)
    for number, node in enumerate(nodes):
        row, place = divmod(number, per_row)
        boxes[node] = Box(x=place * column, y=top + row * (HEIGHT + GAP), width=column - GAP)
    rows = -(-len(nodes) // per_row)
    return top + rows * (HEIGHT + GAP) - GAP, min(len(nodes), per_row) * column - GAP
