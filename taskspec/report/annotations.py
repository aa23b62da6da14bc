"""Diagnostics and other trouble as workflow commands of GitHub Actions. Reads nothing, and trusts no text.

One command is one line, and its texts are escaped as GitHub's runner reads them: `%`, CR and LF everywhere, `:` and `,`
in properties too. So no name of a file and no word of a manifest can begin a command of its own.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from taskspec.diagnostics import Diagnostic, Position, Severity
from taskspec.report.account import Account
from taskspec.report.overlooking import overlooked_lines
from taskspec.report.refusing import refused, way_out
from taskspec.report.text import one_line, visible
from taskspec.report.twins import twins
from taskspec.report.unwell import GOOD, is_unwell, place_in, reasons_of, word_of
from taskspec.report.verdicts import has_begun, verdict

MOST: Final = 9
_DATA: Final[Mapping[str, str]] = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY: Final[Mapping[str, str]] = {**_DATA, ":": "%3A", ",": "%2C"}


def annotations(diagnostics: Iterable[Diagnostic], here: Path, workspace: Path | None) -> Iterator[str]:
    """Yield a line for each diagnostic, in the order of their places.

    The files of diagnostics are relative to `here`, those of annotations to the `workspace`, the repository's folder.
    """
    for diagnostic in sorted(diagnostics, key=lambda d: (d.position, d.summary)):
        command = "error" if diagnostic.severity is Severity.ERROR else "warning"
        place = _place(diagnostic.position, here, workspace)
        words = "\n→ ".join(part for part in (diagnostic.detail, diagnostic.hint) if part)
        yield _command(command, {**place, "title": diagnostic.summary}, words or diagnostic.summary)


def annotation(message: str, hint: str = "") -> str:
    """Return the line for an error that has no place."""
    return _command("error", {}, "\n→ ".join(part for part in (message, hint) if part))


def of_account(account: Account, here: Path, workspace: Path | None) -> Iterator[str]:
    """Yield a line for whatever is wrong with an account: its diagnostics, its trouble, and each task that is not well.

    GitHub shows ten errors of a step, so no more than that are told one by one.
    """
    if account.diagnostics:
        yield from annotations(account.diagnostics, here, workspace)
    elif account.trouble is not None:
        yield annotation(account.trouble.message, account.trouble.hint)
    found = [task for task in account.tasks if is_unwell(task)]
    for task in found[:MOST]:
        place = _place(position, here, workspace) if (position := place_in(task)) is not None else {}
        title = f"{task.address}: {word_of(task)}"
        yield _command("error", {**place, "title": title}, one_line(next(reasons_of(task), "") or title, 500))
    if len(found) > MOST:
        yield annotation(f"{len(found) - MOST} more tasks are not well.", "The summary of the job tells which.")
    of_all = [*_of_all(account)]
    yield from of_all
    come = verdict(account)
    if come.code not in GOOD and not (found or of_all or account.diagnostics or account.trouble):
        why = one_line(" ".join(account.notes), 1000) or "The summary of the job tells why."
        yield annotation(f"{come.text} taskspec ended with exit code {int(account.code)}.", why)


def _of_all(account: Account) -> Iterator[str]:
    """Yield a line for what stands against a plan, or what was done, as a whole."""
    plan = account.plan
    if plan is not None:
        yield from map(annotation, overlooked_lines(plan))
        for refusal in () if has_begun(account) else plan.refusals[:MOST]:
            yield annotation(refused(refusal), way_out(refusal))
    for _, said in islice(twins(account), MOST):
        yield annotation(said)


def _place(position: Position, here: Path, workspace: Path | None) -> dict[str, str]:
    """Return where something stands; nothing where that is no file."""
    if not position.line:
        return {}
    file = here / position.file
    inside = workspace is not None and file.is_relative_to(workspace)
    shown = str(file.relative_to(workspace)) if workspace is not None and inside else position.file
    return {"file": shown, "line": str(position.line), "col": str(position.column)}


def _command(name: str, properties: Mapping[str, str], message: str) -> str:
    told = ",".join(f"{key}={_escaped(value, _PROPERTY)}" for key, value in properties.items())
    return f"::{name}{' ' if told else ''}{told}::{_escaped(message, _DATA)}"


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    # a line end that is part of the text is kept, everything else that steers a terminal is made visible
    return "".join(escapes.get(character) or visible(character) for character in text)
