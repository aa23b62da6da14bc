"""Results as one document for other programs: JSON or CSV, row by row. Reads no state, and writes no file."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from taskspec.address import Address, task_name
from taskspec.moments import iso
from taskspec.report.text import in_json
from taskspec.state.encoding import revision_object
from taskspec.state.model import Accepted

FORMAT: Final = 1
"""The number of the documents' own format."""
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # spreadsheets read them so
"""What a cell that is a formula begins with, for some program that opens CSV."""
_FIRST: Final = ("address", "task")
_NEXT: Final = (
    "generation", "verdict", "agent", "agentVersion", "run", "promptTokens", "completionTokens", "seconds",
    "startedAt", "finishedAt", "acceptedAt", "commit", "plan", "fingerprint", "format", "sha256", "content",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """A result that is exported: which, of what, and how it is read. `axes` are what tells the cells of its task."""

    address: Address
    accepted: Accepted
    axes: Mapping[str, str] = field(default_factory=dict)
    is_current: bool = True
    """It is the accepted result of its address now."""
    read: Callable[[], str] = field(repr=False)


def export_object(one: Export) -> dict[str, Any]:
    """Return a result with its text and all that is known of it, for machines; null for what nobody tells."""
    accepted, attempt = one.accepted, one.accepted.attempt
    tokens, revision = attempt.tokens, attempt.revision
    return {
        "address": one.address,
        "task": task_name(one.address),
        "axes": dict(one.axes),
        "generation": accepted.generation,
        "verdict": attempt.verdict,
        "current": one.is_current,
        "agent": accepted.agent or None,
        "agentVersion": accepted.agent_version,
        "run": accepted.run or None,
        "tokens": {"prompt": tokens.prompt, "completion": tokens.completion} if tokens is not None else None,
        "seconds": attempt.seconds,
        "startedAt": _moment(attempt.started_at),
        "finishedAt": _moment(attempt.finished_at),
        "acceptedAt": _moment(accepted.at),
        "revision": None if revision is None else revision_object(revision),
        "plan": accepted.plan or None,
        "fingerprint": accepted.fingerprint or None,
        "format": accepted.result.format,
        "sha256": accepted.result.digest,
        "content": one.read(),
    }


def json_pieces(head: Mapping[str, Any], exports: Iterable[Export]) -> Iterator[str]:
    """Yield one JSON document, a result at a time; nothing in it is more than a letter of ASCII."""
    begin = {"format": FORMAT, **head}
    yield "{\n" + "".join(f'  "{name}": {json.dumps(value)},\n' for name, value in begin.items()) + '  "results": ['
    between = "\n    "
    for one in exports:
        yield between + in_json(json.dumps(export_object(one), ensure_ascii=True))
        between = ",\n    "
    yield "\n  ]\n}\n"


def csv_pieces(axes: Sequence[str], exports: Iterable[Export], *, raw: bool) -> Iterator[str]:
    """Yield a table, a result a row; `raw` leaves a cell as it is that a spreadsheet would take for a formula."""
    cell = str if raw else harmless
    yield _line([cell(name) for name in (*_FIRST, *(f"axis.{name}" for name in axes), *_NEXT)])
    for one in exports:
        told = export_object(one)
        tokens, revision = told["tokens"] or {}, told["revision"] or {}
        told |= {
            "promptTokens": tokens.get("prompt"),
            "completionTokens": tokens.get("completion"),
            "commit": revision.get("commit"),
        }
        values = [*(told[name] for name in _FIRST), *(one.axes.get(name) for name in axes), *(told[n] for n in _NEXT)]
        yield _line(["" if value is None else cell(str(value)) for value in values])


def harmless(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: one that could be is a text, behind an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _line(cells: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)  # the line end of RFC 4180: so a cell with either half of it is quoted
    return written.getvalue()


def _moment(at: float | None) -> str | None:
    return None if at is None else iso(at)
