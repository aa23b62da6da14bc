"""What a document violates of the published contract, in words for its author. Judges nothing beyond the contract."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from taskspec.contracts import Contract, Violation, load_schema
from taskspec.diagnostics import Diagnostic, path_text
from taskspec.documents import misnaming
from taskspec.documents.hinting import way_out
from taskspec.documents.model import Document
from taskspec.documents.templates import Path, value_at

API_VERSION: Final = "taskspec/v1"
SCHEMA: Final = "manifest.v1"
LATER: Final[Mapping[str, frozenset[str]]] = {
    "Task": frozenset(),
    "Project": frozenset(),
}
"""Fields of the language that later versions know: refused, never ignored."""
SECRET: Final = frozenset({"userTokens", "userOidcToken", "mcpServers"})
"""Fields of a task that are secret by schema, as a whole or in part."""
SENSITIVE: Final = SECRET | {"default", "apiKey", "baseUrl"}
"""Fields whose values no message shows."""
WRONG_VALUE: Final = "Wrong value"
_ADDED: Final = {"apiVersion": f"Write `apiVersion: {API_VERSION}`.", "kind": "Write `kind: Task` or `kind: Project`."}


@cache
def manifest_contract() -> Contract:
    """Return the contract of a document as it is written."""
    return Contract(load_schema(SCHEMA))


def violations(document: Document) -> Iterator[Diagnostic]:
    """Find everything in which a document is not as the contract says."""
    contract = manifest_contract()
    open_words = contract.violations(document.value)
    if not open_words:
        return
    masked = {(v.path, v.keyword): v for v in contract.violations(document.value, masked=True)}
    unknown = {v.path: v.detail for v in open_words if v.keyword == "additionalProperties"}
    empty = {v.path for v in open_words if v.keyword == "minLength"}
    for violation in open_words:
        if violation.keyword == "pattern" and violation.path in empty:
            continue
        hidden = any(step in SENSITIVE for step in violation.path)
        shown = masked.get((violation.path, violation.keyword), violation) if hidden else violation
        findings = _explained(document, _still_missing(shown, unknown.get(shown.path)))
        yield from (replace(finding, quotable=False) for finding in findings) if hidden else findings


def _still_missing(violation: Violation, unknown: Mapping[str, Any] | None) -> Violation:
    """Leave out the fields that are missing only because their names, or where they stand, are wrong."""
    if violation.keyword != "required" or unknown is None:
        return violation
    path, known = violation.path, unknown["known"]
    left = tuple(n for n in violation.detail["names"] if not misnaming.lacks_anyway(n, unknown["names"], path, known))
    return replace(violation, detail={**violation.detail, "names": left})


def _explained(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    path, names = violation.path, violation.detail["names"]
    match violation.keyword:
        case "required":
            for name in names:
                yield Diagnostic(
                    summary="Missing field",
                    detail=f"`{name}` is missing in {_where(document, path)}.",
                    hint=_ADDED.get(name, f"Add `{name}: …`."),
                    position=document.position(path, key=True),
                )
        case "additionalProperties":
            for name in names:
                yield _unknown(document, path, name, violation.detail["known"])
        case "propertyNames":
            for name in names:
                yield Diagnostic(
                    summary="Wrong name",
                    detail=f"The name `{name}` in {_where(document, path)} {violation.detail['says']}.",
                    hint=f"Write, for example, `{misnaming.fitting(name, path)}`.",
                    position=document.position((*path, name), key=True),
                )
        case "false":
            yield Diagnostic(
                summary="Field at the wrong place",
                detail=f"`{path[-1]}` cannot stand in {_where(document, path[:-1])}.",
                hint="Write it in the task itself.",
                position=document.position(path, key=True),
            )
        case _:
            yield _wrong(document, violation)


def _unknown(document: Document, path: Path, name: str, known: tuple[str, ...]) -> Diagnostic:
    position = document.position((*path, name), key=True)
    later = LATER["Task"] if "defaults" in path else LATER.get(document.kind, ())
    if name in later:
        detail = f"`{name}` is not supported by this version yet."
        return Diagnostic(summary="Not supported yet", detail=detail, hint=f"Remove `{name}`.", position=position)
    field, colon, _ = name.partition(":")
    name = f"{field}:…" if colon and field in SENSITIVE else name
    hint = misnaming.way_out(name, path, document.kind, known, later if path == ("spec",) else ())
    detail = f"`{name}` is not a field of {_where(document, path)}."
    return Diagnostic(summary="Unknown field", detail=detail, hint=hint, position=position)


def _wrong(document: Document, violation: Violation) -> Diagnostic:
    path = violation.path
    position = document.position(path)
    if violation.keyword == "uniqueItems":
        position = document.position((*path, _repeated(value_at(document, path))))
    words = violation.message
    if violation.keyword == "type" and (violation.detail["says"] or "").startswith("must be "):
        words = f"{violation.detail['says']}, {words.rpartition(', ')[2]}"
    hint = way_out(violation, value_at(document, path))
    return Diagnostic(
        summary=WRONG_VALUE,
        detail=f"`{path_text(path)}` {words}." if path else f"The document {words}.",
        hint=hint,
        position=position,
    )


def _repeated(items: list[Any]) -> int:
    """Return the index of the first item that stands before already."""
    return next((index for index, item in enumerate(items) if item in items[:index]), 0)


def _where(document: Document, path: Path) -> str:
    owner = document.kind.lower()
    match path:
        case ():
            return f"a {owner}" if owner in {"task", "project"} else "a document"
        case ("metadata",):
            return f"a {owner}'s metadata"
        case ("spec",):
            return f"a {owner}'s spec"
        case _:
            return f"`{path_text(path)}`"
