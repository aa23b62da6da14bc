"""Printing: what a command writes to stdout and stderr, in colour where somebody looks. Decides no words."""

import json
import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from taskspec.report.text import Paint


def paint_for(stream: TextIO) -> Paint:
    """Return colours for a terminal that wants them; none elsewhere (no-color.org)."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Paint(wanted and stream.isatty())


def say(lines: Iterable[str]) -> None:
    """Write lines to stdout."""
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Write a remark to stderr, out of the way of what a pipe reads."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def say_json(document: Any) -> None:
    """Write one JSON document to stdout."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()
