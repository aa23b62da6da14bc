"""The order of tasks: each behind its upstream, else as declared; and the circles, each in full. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from taskspec.address import Address

MAX_CIRCLES: Final = 20
"""So many circles are told; a few tasks can make millions."""


def ordered(upstream: Mapping[Address, Iterable[Address]]) -> tuple[list[Address], list[Sequence[Address]]]:
    """Return the addresses in order, and the circles: `[a, b]` where a waits for b, and b for a.

    `upstream` names for each address those that it waits for; what is not among its keys is left out.
    """
    done: list[Address] = []
    circles: list[Sequence[Address]] = []
    finished: set[Address] = set()
    for start in upstream:
        if start not in finished:
            _visit(start, upstream, finished, done, circles)
    return done, circles


def _visit(
    start: Address,
    upstream: Mapping[Address, Iterable[Address]],
    finished: set[Address],
    done: list[Address],
    circles: list[Sequence[Address]],
) -> None:
    """Go through everything that `start` waits for, deepest first; a stack of its own, as chains may be long."""
    path: list[Address] = [start]
    place: dict[Address, int] = {start: 0}
    waiting = [iter(upstream[start])]
    while path:
        following = next(waiting[-1], None)
        if following is None:
            waiting.pop()
            address = path.pop()
            del place[address]
            finished.add(address)
            done.append(address)
        elif following in place and len(circles) < MAX_CIRCLES:
            circles.append(path[place[following] :])
        elif following in upstream and following not in finished and following not in place:
            place[following] = len(path)
            path.append(following)
            waiting.append(iter(upstream[following]))
