"""Diagnostics in words: file:line:column, what is wrong, the line itself, and a way out. Reads only the named files."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from taskspec.diagnostics import Diagnostic, Position, Severity
from taskspec.report.text import Paint, plural, visible
from taskspec.report.withholding import may_show_a_secret

WIDEST = 160
"""How much of a source line is shown, in characters."""
MOST = 1_100_000
"""How much of a file is read for its lines, in bytes: more than a manifest or an included text may have."""


def lines(diagnostics: Sequence[Diagnostic], paint: Paint, root: Path) -> Iterator[str]:
    """Yield diagnostics in the order of their places; `root` is what their files are relative to."""
    ordered = sorted(diagnostics, key=lambda d: (d.position, d.summary))
    sources: dict[str, _Source] = {}
    for diagnostic in ordered:
        style = "error" if diagnostic.severity is Severity.ERROR else "warning"
        place = paint(visible(str(diagnostic.position)), "strong")
        yield f"{place}: {paint(diagnostic.severity, style)}: {visible(diagnostic.summary)}"
        if diagnostic.quotable:
            yield from _excerpt(diagnostic.position, sources, root, paint)
        if diagnostic.detail:
            yield f"    {visible(diagnostic.detail)}"
        if diagnostic.hint:
            yield f"    {paint('→', 'accent')} {visible(diagnostic.hint)}"
        yield ""
    yield _total(ordered)


def _total(diagnostics: Iterable[Diagnostic]) -> str:
    listed = list(diagnostics)
    errors = sum(d.severity is Severity.ERROR for d in listed)
    warnings = len(listed) - errors
    parts = [plural(errors, "error")] if errors else []
    if warnings:
        parts.append(plural(warnings, "warning"))
    return f"{' and '.join(parts)}."


class _Source:
    """The lines of a file, and which of them may be quoted: each is judged once, however much is wrong with it."""

    def __init__(self, path: Path, *, is_manifest: bool) -> None:
        self._lines = _read(path)
        self._is_manifest = is_manifest
        self._withheld: dict[int, bool] = {}

    def quotable(self, number: int) -> str | None:
        """Return the beginning of a line, counted from 1; None where it is not there, or may hold a secret."""
        if not 1 <= number <= len(self._lines):
            return None
        if self._is_manifest and number not in self._withheld:
            self._withheld[number] = may_show_a_secret(self._lines, number)
        return None if self._withheld.get(number) else self._lines[number - 1][:WIDEST]


def _excerpt(position: Position, sources: dict[str, _Source], root: Path, paint: Paint) -> Iterator[str]:
    if position.file not in sources:
        sources.clear()  # in the order of their places, no file comes again
        sources[position.file] = _Source(root / position.file, is_manifest=_is_manifest(position))
    line = sources[position.file].quotable(position.line)
    if line is None:
        return
    gutter = f"{position.line:>5} | "
    yield paint(gutter, "dim") + visible(line)
    if 1 <= position.column <= len(line) + 1:
        before = len(visible(line[: position.column - 1]))
        yield paint(" " * (len(gutter) - 2) + "| ", "dim") + " " * before + paint("^", "accent")


def _is_manifest(position: Position) -> bool:
    return position.file.endswith((".yaml", ".yml"))


def _read(path: Path) -> list[str]:
    try:
        if not path.is_file():  # a pipe would be waited for
            return []
        with path.open("rb") as file:
            content = file.read(MOST)
        return (
            content.decode("utf-8-sig", "replace")
            .replace("\r\n", "\n")
            .replace("\r", "\n")
            .replace("\t", " ")
            .split("\n")
        )
    except OSError:
        return []
