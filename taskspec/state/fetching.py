"""Pieces of a register, fetched side by side and held against their digests. Understands none of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from taskspec.state.pages import Segment
from taskspec.state.register import Register
from taskspec.state.segments import digest
from taskspec.state.trouble import damaged

_SIDE_BY_SIDE: Final = 8
_SMALL: Final = 1024 * 1024

_Asked = TypeVar("_Asked")
_Found = TypeVar("_Found")


class MissingPieceError(Exception):
    """A piece is not there: others have replaced it meanwhile, or it is lost."""


def fetched(register: Register, segments: Sequence[Segment]) -> Iterator[tuple[Segment, bytes]]:
    """Yield segments with their pieces, in their order; few of the large ones are in memory at a time.

    Raises MissingPieceError, and StateError for a piece that was changed.
    """

    def fetch(some: Iterable[Segment]) -> dict[str, bytes]:
        return dict(side_by_side(lambda one: (one.piece, _piece(register, one)), list(some)))

    # The small ones come first: they are the newest, and are replaced the soonest.
    pieces = fetch(one for one in reversed(segments) if one.size <= _SMALL)
    for begin in range(0, len(segments), _SIDE_BY_SIDE):
        some = segments[begin : begin + _SIDE_BY_SIDE]
        pieces |= fetch(one for one in some if one.piece not in pieces)
        for one in some:
            yield one, pieces.pop(one.piece)


def part(register: Register, piece: str, start: int, length: int) -> bytes:
    """Return a part of a piece."""
    try:
        return register.get(piece, start, length)
    except KeyError as error:
        raise MissingPieceError(piece) from error


def side_by_side(fetch: Callable[[_Asked], _Found], asked: Sequence[_Asked]) -> list[_Found]:
    """Return what is fetched for each, in their order; several at a time, since each waits for a server."""
    if len(asked) < 2:
        return [fetch(one) for one in asked]
    with ThreadPoolExecutor(min(len(asked), _SIDE_BY_SIDE)) as pool:
        return list(pool.map(fetch, asked))


def _piece(register: Register, segment: Segment) -> bytes:
    try:
        content = register.get(segment.piece)
    except KeyError as error:
        raise MissingPieceError(segment.piece) from error
    if digest(content) != segment.digest:
        raise damaged(register.place, f"its piece {segment.piece} was changed or cut")
    return content
