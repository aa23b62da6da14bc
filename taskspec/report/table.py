"""The foot of a terminal in lines: one for the whole, and a table of what is open. Draws nothing, reads no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from taskspec.report.board import ACTIVE, Board, Phase, Row, counted
from taskspec.report.estimates import token_words
from taskspec.report.text import Paint, duration, one_line, some

MOST: Final = 12
"""So many lines it has at most, and no more than a third of the terminal's."""
_GAP: Final = 2
_LONGEST_BAR: Final = 24
_SHORTEST_BAR: Final = 8
_ROW_BAR: Final = 10
_NARROWEST_NAME: Final = 12
_LONGEST_NAME: Final = 520
_NAMED: Final = 3
"""So many of the tasks that another waits for are named."""

_STYLES: Final = {
    Phase.NEEDS_INPUT: "warning",
    Phase.LATE: "warning",
    Phase.SETTLING: "warning",
    Phase.EXECUTING: "accent",
    Phase.BACKOFF: "change",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Signs:
    """The signs that lines are drawn with."""

    full: str
    rest: str
    more: str


UNICODE: Final = Signs(full="━", rest="─", more="…")
ASCII: Final = Signs(full="#", rest="-", more="...")


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """How much room there is, in characters and in lines of the terminal, and what can be drawn in it."""

    width: int
    height: int
    signs: Signs = UNICODE

    @property
    def lines(self) -> int:
        """Return how many lines may be used."""
        return max(1, min(MOST, self.height // 3))


def lines(board: Board, room: Room, paint: Paint) -> list[str]:
    """Return what stands at the foot of a terminal, without line ends: nothing where nothing was planned."""
    if not board.planned:
        return []
    rows = board.rows()
    width = max(room.width, 1)
    head = _head(board, rows, width, room.signs, paint)
    free = room.lines - 1
    shown = rows if len(rows) <= free else rows[: max(free - 1, 0)]
    hidden = rows[len(shown) :]
    more = [_more(hidden, bool(shown), width, room.signs, paint)] if hidden and free else []
    return [head, *_table(shown, width, room.signs, paint), *more]


def progress(board: Board) -> str:
    """Return one line for where nothing can be drawn: `3 of 12 finished, 4 active: extract 2m10s, …`."""
    active = [row for row in board.rows() if row.phase in ACTIVE]
    said = f"{board.finished} of {board.planned} finished"
    if not active:
        return ", ".join(filter(None, (said, _left(board))))
    named = ", ".join(_in_words(row) for row in active[:_NAMED])
    more = f" and {len(active) - _NAMED} more" if len(active) > _NAMED else ""
    left = f" ({_left(board)})" if _left(board) else ""
    return f"{said}, {len(active)} active: {named}{more}{left}"


def _in_words(row: Row) -> str:
    time = f" {_time(row.elapsed)}" if row.elapsed is not None else ""
    if row.countdown is not None:
        time = f" for {_time(row.countdown)}"
    phase = "" if row.phase is Phase.EXECUTING else f" {row.phase.word}"
    return f"{one_line(row.address, _LONGEST_NAME)}{phase}{time}"


def _head(board: Board, rows: Sequence[Row], width: int, signs: Signs, paint: Paint) -> str:
    active = sum(row.phase in ACTIVE for row in rows)
    done = f"{board.finished} of {board.planned} finished"
    parts = {
        "active": f"{active} active" if active else "",
        "elapsed": _time(board.elapsed),
        "left": _left(board),
        "tokens": f"{token_words(board.tokens)} tokens" if board.tokens is not None else "",
    }
    shorter = (("tokens", ""), ("active", ""), ("left", _left(board, short=True)), ("elapsed", ""), ("left", ""))
    for name, short in shorter:
        if _cells(", ".join(filter(None, [done, *parts.values()]))) > width:
            parts[name] = short
    told = ", ".join(filter(None, parts.values()))
    room = width - _cells(done) - _cells(told) - 2 * _GAP
    if room < _SHORTEST_BAR or not told:
        return _fitted([(done, "strong"), (f", {told}" if told else "", "dim")], width, signs, paint)
    bar = _bar(board.finished / board.planned if board.planned else 1.0, min(room, _LONGEST_BAR), signs)
    gap = " " * _GAP
    return _fitted([(done, "strong"), (gap, ""), *bar, (f"{gap}{told}", "dim")], width, signs, paint)


def _left(board: Board, *, short: bool = False) -> str:
    """Return how much longer it is likely to take; nothing where nothing is left."""
    if board.finished == board.planned:
        return ""
    left = board.left()
    if left.seconds is None:
        return "time left unknown"
    if short and left.unknown:
        return f">{_time(left.seconds)} left"
    more = f" + {left.unknown} unknown" if left.unknown else ""
    return f"~{_time(left.seconds)} left{more}"


def _more(hidden: Sequence[Row], beside: bool, width: int, signs: Signs, paint: Paint) -> str:
    kinds = ", ".join(f"{count} {phase.word}" for phase, count in counted(hidden).items())
    start = f"  {signs.more} and {len(hidden)} more: " if beside else "  "
    return _fitted([(f"{start}{kinds}", "dim")], width, signs, paint)


Cell = tuple[str, str]
"""A text and its style."""


def _table(rows: Sequence[Row], width: int, signs: Signs, paint: Paint) -> list[str]:
    """Return a line for each row; where it is narrow, the least important columns are left out."""
    if not rows:
        return []
    columns: dict[str, list[list[Cell]]] = {
        "name": [[(one_line(row.address, _LONGEST_NAME), "strong")] for row in rows],
        "agent": [[(one_line(row.agent, 20), "dim")] for row in rows],
        "which": [[(_which(row), "dim")] for row in rows],
        "phase": [[(_phase(row), _STYLES.get(row.phase, "dim"))] for row in rows],
        "time": [[_timing(row)] for row in rows],
        "bar": [_row_bar(row, signs) for row in rows],
    }
    columns = {name: column for name, column in columns.items() if any(_size(cell) for cell in column)}
    for least in ("bar", "agent", "which"):
        if _needed(columns, _NARROWEST_NAME) > width:
            columns.pop(least, None)
    sizes = {name: max(map(_size, column)) for name, column in columns.items()}
    beside = sum(size + _GAP for name, size in sizes.items() if name != "name")
    sizes["name"] = max(min(sizes["name"], width - _GAP - beside), min(_NARROWEST_NAME, sizes["name"]))
    found = []
    for i, row in enumerate(rows):
        cells = [(column[i], sizes[name]) for name, column in columns.items()]
        if row.behind:  # it has no time: what it waits for is the end of its line, as long as it is
            waited = [(f"for {some(row.behind, _NAMED)}", "dim")]
            cells = [*cells[: list(columns).index("phase") + 1], (waited, _size(waited))]
        found.append(_fitted(_joined(cells, signs), width, signs, paint))
    return found


def _needed(columns: dict[str, list[list[Cell]]], narrowest: int) -> int:
    sizes = {name: max(map(_size, column)) for name, column in columns.items()}
    sizes["name"] = min(sizes["name"], narrowest)
    return sum(size + _GAP for size in sizes.values())


def _joined(cells: Sequence[tuple[list[Cell], int]], signs: Signs) -> list[Cell]:
    found: list[Cell] = []
    for cell, size in cells:
        cut = _cut(cell, size, signs)
        found += [(" " * _GAP, ""), *cut, (" " * (size - _size(cut)), "")]
    return found


def _which(row: Row) -> str:
    if not row.generation:
        return ""
    return f"g{row.generation}" if row.attempt <= 1 else f"g{row.generation} attempt {row.attempt}"


def _phase(row: Row) -> str:
    if row.phase is Phase.PENDING and row.status:
        return one_line(row.status, 20)
    return "executing" if row.phase is Phase.LATE else row.phase.word


def _timing(row: Row) -> Cell:
    """Return how long it has been so and how long that takes, or what is waited for and how much longer."""
    match row.phase:
        case Phase.BACKOFF if row.countdown is not None:
            return f"attempt {row.attempt} in {_time(row.countdown)}", ""
        case Phase.SETTLING if row.countdown is not None:
            return f"known in {_time(row.countdown)}" if row.countdown else "about to be known", ""
        case _ if row.elapsed is not None:
            likely = f" / ~{_time(row.likely.p50)}" if row.likely is not None else ""
            late = " late" if row.phase is Phase.LATE else ""
            return f"{_time(row.elapsed)}{likely}{late}", "warning" if late else ""
        case _ if row.likely is not None and row.phase in {Phase.PENDING, Phase.READY}:
            return f"~{_time(row.likely.p50)}", "dim"
        case _:
            return "", ""


def _row_bar(row: Row, signs: Signs) -> list[Cell]:
    if row.elapsed is None or row.likely is None:
        return []
    return _bar(row.elapsed / row.likely.p50 if row.likely.p50 > 0 else 1.0, _ROW_BAR, signs)


def _bar(share: float, size: int, signs: Signs) -> list[Cell]:
    full = int(min(max(share, 0.0), 1.0) * size)
    return [(signs.full * full, "accent"), (signs.rest * (size - full), "dim")]


def _time(seconds: float) -> str:
    """Return a time in whole seconds, so that nothing flickers."""
    whole = int(max(seconds, 0.0))
    return f"{whole}s" if whole < 10 else duration(whole)


def _fitted(cells: Sequence[Cell], width: int, signs: Signs, paint: Paint) -> str:
    """Return the cells as one line that is no wider than told."""
    kept = _ended(_cut(_ended(cells), width, signs))
    return "".join(paint(text, style) if style else text for text, style in kept)


def _ended(cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells without the room behind the last word."""
    last = max((place for place, (text, _) in enumerate(cells) if text.strip()), default=-1)
    return list(cells[: last + 1])


def _cut(cells: Sequence[Cell], width: int, signs: Signs) -> list[Cell]:
    from rich.cells import set_cell_size

    if _size(cells) <= width:
        return list(cells)
    more = signs.more if width > len(signs.more) else ""
    room, kept = width - len(more), list[Cell]()
    for text, style in cells:
        size = _cells(text)
        if size > room:
            return [*kept, (set_cell_size(text, room).rstrip(" ") + more, style)]
        kept.append((text, style))
        room -= size
    return kept


def _size(cells: Sequence[Cell]) -> int:
    return sum(_cells(text) for text, _ in cells)


def _cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
