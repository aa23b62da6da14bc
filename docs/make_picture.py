"""Draws docs/quickstart.svg from a real session: the quickstart, applied in a terminal of its own. Edits nothing else.

    python docs/make_picture.py

The session runs in a copy of the quickstart, on a pseudo-terminal. What the program wrote there, cursor movements
included, is played back into lines of text, which rich draws.
"""

import os
import pty
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).with_name("quickstart.svg")
QUICKSTART = Path(__file__).parents[1] / "examples" / "quickstart"
WIDTH = 96
SHOWN: Sequence[tuple[str, ...]] = (
    ("apply", "growth", "regions"),
    ("apply", "growth", "regions", "--var", "region=apac"),
    ("plan", "growth", "regions", "--var", "region=apac"),
)
"""The commands of the session; the first is run and not shown."""

FONT = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
"""No font is fetched: a picture in a page may load nothing."""

_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_CONTROL = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])|(\r\n|\r|\n)")


def played(written: str) -> list[str]:
    """Return the lines that stand on the terminal in the end; colours stay in them."""
    lines = [""]
    row = place = 0
    for found in _CONTROL.finditer(written):
        _put(lines, row, written[place : found.start()])
        place = found.end()
        argument, letter, ending = found.groups()
        if ending in {"\n", "\r\n"}:
            row += 1
            if row == len(lines):
                lines.append("")
        elif letter == "A":
            row -= int(argument or "1")
        elif letter == "K":
            lines[row] = ""
        elif letter == "m":
            _put(lines, row, found.group())
    _put(lines, row, written[place:])
    return lines


def _put(lines: list[str], row: int, text: str) -> None:
    lines[row] += text


def session(arguments: Sequence[str], folder: Path, environ: Mapping[str, str]) -> str:
    """Run taskspec on a pseudo-terminal, say yes where it asks, and return everything that it wrote."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-m", "taskspec", *arguments], dict(environ))  # noqa: S606
    written, answered = b"", False
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            piece = b""
        if not piece:
            break
        written += piece
        if not answered and b"[y/N]" in written:
            answered = bool(os.write(terminal, b"y\n"))
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit(f"taskspec {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return written.decode()


def main() -> None:
    """Run the session and write the picture."""
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115, PTH123
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "quickstart"
        shutil.copytree(QUICKSTART, folder, ignore=shutil.ignore_patterns(".taskspec", "results", "__pycache__"))
        environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(WIDTH), "XDG_CACHE_HOME": scratch}
        environ.pop("NO_COLOR", None)
        for number, arguments in enumerate(SHOWN):
            lines = played(session(arguments, folder, environ))
            if number == 0:
                continue
            if number > 1:
                console.print()
            console.print(Text.assemble(("$ ", "dim"), f"taskspec {' '.join(arguments)}"))
            for line in "\n".join(lines).rstrip().split("\n"):
                console.print(Text.from_ansi(line), soft_wrap=True)
    picture = console.export_svg(title="taskspec", unique_id="taskspec")
    picture = _FONT_FACE.sub("", picture).replace("Fira Code, monospace", FONT)
    picture = picture.replace("<svg ", '<svg xml:space="preserve" ', 1)
    PICTURE.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
