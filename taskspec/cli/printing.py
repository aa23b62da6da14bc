"""Printing: what a command writes to stdout and stderr, in colour where somebody looks. Decides no words."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final, TextIO

from taskspec.report.text import Paint, in_json, visible
from taskspec.settings import from_environ

_NOTHING: Final[Mapping[str, Any]] = {}


def paint_for(stream: TextIO) -> Paint:
    """Return colours for a terminal that wants them, and where they are asked for; none elsewhere (no-color.org)."""
    settings = from_environ()
    return Paint(settings.color and (stream.isatty() or settings.color_forced))


def width_of(stream: TextIO) -> int | None:
    """Return how many characters a line of a terminal has; None where it is none."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def say(lines: Iterable[str]) -> None:
    """Write lines to stdout."""
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say_wrapped(lines: Iterable[str]) -> None:
    """Write lines to stdout, on a terminal no longer than it is wide."""
    from taskspec.report.wrapping import wrapped

    say(wrapped(lines, width_of(sys.stdout)))


def note(text: str) -> None:
    """Write a remark to stderr, out of the way of what a pipe reads."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def say_text(text: str) -> None:
    """Write a result to stdout: byte for byte into a pipe, made harmless on a terminal."""
    if sys.stdout.isatty():
        sys.stdout.write(visible(text) + ("" if text.endswith("\n") else "\n"))
    else:
        sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
    sys.stdout.flush()


def say_json(document: Any) -> None:
    """Write one JSON document to stdout."""
    sys.stdout.write(in_json(json.dumps(document, indent=2, ensure_ascii=True)) + "\n")
    sys.stdout.flush()


def say_json_list(name: str, items: Iterable[Any], beside: Mapping[str, Any] = _NOTHING) -> None:
    """Write a JSON document of one list to stdout, item by item: only one of them is in memory.

    `beside` is what else the document says, before the list.
    """
    sys.stdout.write("{\n" + "".join(f'  "{key}": {json.dumps(value)},\n' for key, value in beside.items()))
    sys.stdout.write(f'  "{name}": [')
    between = "\n"
    try:
        for item in items:
            sys.stdout.write(between + in_json(json.dumps(item, ensure_ascii=True)))
            between = ",\n"
    finally:
        sys.stdout.write("\n  ]\n}\n")
    sys.stdout.flush()


def say_pieces(pieces: Iterable[str]) -> None:
    """Write a text to stdout piece by piece, as it is."""
    for piece in pieces:
        sys.stdout.write(piece)
    sys.stdout.flush()


def silence_stdout() -> None:
    """Let what is written from now on go nowhere: whoever read it has gone, and the interpreter flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
