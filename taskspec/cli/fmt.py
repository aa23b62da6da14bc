"""`taskspec fmt`."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taskspec.cli import options
from taskspec.cli.printing import note, paint_for, say, say_json, say_text
from taskspec.errors import UsageError
from taskspec.report.exiting import ExitCode
from taskspec.report.text import plural, visible

if TYPE_CHECKING:
    from taskspec.diagnostics import Diagnostic
    from taskspec.runner.formatting import Outcome, Rewrite

_STDIN = "<stdin>"
_NO_END = "\\ No newline at end of file"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_STYLES = {"+": "add", "-": "remove", "@": "accent"}


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Write nothing; name the files that would change, and exit with 1.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@options.as_json
def fmt(paths: Sequence[str], check: bool, diff: bool, as_json: bool) -> int:
    """Bring manifests into the usual form. Changes nothing of what they mean.

    Each PATH is a file or a folder (default: the project in the current folder). With `-` a manifest is read from
    standard input and written to standard output. Files that are not taskspec's are left alone.
    """
    if as_json and diff:
        raise UsageError("--diff and --json cannot both be written to standard output.", hint="Leave one of them out.")
    if "-" in paths:
        if len(paths) > 1 or as_json:
            raise UsageError("`-` stands alone: it takes no other path, and no --json.", hint="Run it by itself.")
        return _stream(check=check, diff=diff)
    from taskspec.runner.formatting import format_files

    write = not (check or diff)
    show = _silent if as_json else _show_diff if diff else _show_name
    outcome = format_files([Path(path) for path in paths] or [Path()], show, write=write)
    if as_json:
        say_json(_document(outcome))
    else:
        note(_summary(outcome, written=write))
    return _code(outcome.diagnostics, changes=check and bool(outcome.changed))


def _stream(*, check: bool, diff: bool) -> int:
    from taskspec.documents.parsing import MAX_BYTES
    from taskspec.runner.formatting import Rewrite, format_stream

    content = sys.stdin.buffer.read(MAX_BYTES + 1)
    formatted = format_stream(content, _STDIN)
    changes = formatted.content != content
    if formatted.diagnostics:
        return _code(formatted.diagnostics, changes=False)
    if diff and changes:
        _show_diff(Rewrite(file=_STDIN, before=content.decode(), after=formatted.content.decode()))
    elif check and changes:
        say([_STDIN])
    elif not (check or diff):
        say_text(formatted.content.decode())
    return _code((), changes=check and changes)


def _code(diagnostics: "Sequence[Diagnostic]", *, changes: bool) -> int:
    """Say what is wrong, and return the exit code."""
    if diagnostics:
        from taskspec.report.findings import lines

        for line in lines(diagnostics, paint_for(sys.stderr), Path.cwd()):
            note(line)
    return ExitCode.ERROR if diagnostics or changes else ExitCode.OK


def _silent(_: "Rewrite") -> None:
    pass


def _show_name(rewrite: "Rewrite") -> None:
    say([visible(rewrite.file)])


def _show_diff(rewrite: "Rewrite") -> None:
    """Write a unified diff that `patch` can read; in colours on a terminal."""
    from difflib import unified_diff

    before, after = (_LINE.findall(text) for text in (rewrite.before, rewrite.after))
    lines = unified_diff(before, after, rewrite.file, rewrite.file)
    whole = (line if line.endswith("\n") else f"{line}\n{_NO_END}\n" for line in lines)
    if sys.stdout.isatty():
        paint = paint_for(sys.stdout)
        say(paint(visible(line[:-1]), _STYLES[line[0]]) if line[0] in _STYLES else visible(line[:-1]) for line in whole)
    else:
        say_text("".join(whole))


def _summary(outcome: "Outcome", *, written: bool) -> str:
    changed = plural(len(outcome.changed), "file")
    parts = [f"{changed} formatted" if written else f"{changed} would be formatted"]
    parts.append(f"{outcome.unchanged} in the usual form")
    if outcome.skipped:
        from taskspec.cli.remarking import left_out

        parts.append(left_out(outcome.skipped))
    return f"{', '.join(parts)}."


def _document(outcome: "Outcome") -> dict[str, object]:
    return {
        "changed": list(outcome.changed),
        "unchanged": outcome.unchanged,
        "skippedFiles": outcome.skipped,
        "diagnostics": [diagnostic.as_json for diagnostic in outcome.diagnostics],
    }
