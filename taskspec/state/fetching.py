"""Pieces of a register, fetched side by side and held against their digests. Understands none of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from taskspec.state.pages import Segment
from taskspec.state.register import Register
from taskspec.state.segments import digest
from taskspec.state.trouble import damaged

_SIDE_BY_SIDE: Final = 8

_Asked = TypeVar("_Asked")
_Found = TypeVar("_Found")


class MissingPieceError(Exception):
    """A piece is not there: others have replaced it meanwhile, or it is lost."""


def fetched(register: Register, segments: Iterable[Segment]) -> Mapping[str, bytes]:
    """Return the pieces of segments by their names; raise MissingPieceError, or StateError for one that was changed."""
    # The newest are the smallest, and the first to be replaced.
    wanted = sorted(segments, key=lambda segment: segment.start, reverse=True)
    return dict(side_by_side(lambda segment: (segment.piece, _piece(register, segment)), wanted))


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
