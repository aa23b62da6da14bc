"""One document against the published contract, in words for its author. Opens nothing; knows no second document."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any, Final

from taskspec.contracts import Contract, InvalidSchemaError, Violation, load_schema, schema_flaws
from taskspec.diagnostics import Diagnostic, Position, closest, path_text
from taskspec.documents import misnaming
from taskspec.documents.hinting import reference_path, schema_way_out, way_out
from taskspec.documents.model import NOT_A_DOCUMENT, Document, Source

Path = tuple[str | int, ...]

API_VERSION: Final = "taskspec/v1"
SCHEMA: Final = "manifest.v1"
MAX_FINDINGS: Final = 200
"""Of one document."""
LATER: Final[Mapping[str, frozenset[str]]] = {
    "Task": frozenset({"rerun", "onChangeActive", "protect", "sideEffects", "moved"}),
    "Project": frozenset({"budget", "policies"}),
}
"""Fields of the language that later versions know: refused, never ignored."""
SECRET: Final = frozenset({"userTokens", "userOidcToken", "mcpServers"})
"""Fields of a task that are secret by schema, as a whole or in part."""
SENSITIVE: Final = SECRET | {"default", "apiKey", "baseUrl"}
"""Fields whose values no message shows."""
_BELONGS: Final = "Templates belong into the `spec` of a task, or of an entry of `defaults`."
_FOREIGN: Final = "If the file is not for taskspec, name yours in the project's `manifests`."
_WRONG_VALUE: Final = "Wrong value"
_NOT_EVALUATED: Final = "Template not evaluated here"
_ADDED: Final = {"apiVersion": f"Write `apiVersion: {API_VERSION}`.", "kind": "Write `kind: Task` or `kind: Project`."}
_TEMPLATE: Final = re.compile(r"\{\{|\{%")


def check(document: Document) -> list[Diagnostic]:
    """Return everything that is wrong with one document by itself: a judgement that nothing but its value decides."""
    if document.checked:
        return []
    return [*islice(_findings(document), MAX_FINDINGS)]


def _findings(document: Document) -> Iterator[Diagnostic]:
    version = _version(document)
    if version:
        yield from version
        return
    templates: set[Position] = set()
    for finding in _evaluated_nowhere(document, () if document.kind == "Project" else ("metadata",)):
        templates.add(finding.position)
        yield finding
    if document.kind == "Task":
        templates.update(finding.position for finding in _evaluated_nowhere(document, ("spec", "assertions")))
    if document.kind == "Project":
        yield from _agents(document)
        for path in _default_specs(document):
            yield from _assertions(document, path)
    yield from (f for f in _violations(document) if f.summary != _WRONG_VALUE or f.position not in templates)
    spec = document.value.get("spec")
    if document.kind == "Task" and isinstance(spec, Mapping):
        yield from output_trouble(spec, Source(document=document))
        yield from _assertions(document, ("spec",))


@cache
def manifest_contract() -> Contract:
    """Return the contract of a document as it is written."""
    return Contract(load_schema(SCHEMA))


@cache
def rendered_spec_contract() -> Contract:
    """Return the contract of a task's `spec` after rendering: the same, without the templates."""
    strict = _without_templates(load_schema(SCHEMA))
    required = ["agent", "prompt"]
    return Contract(
        {"$schema": strict["$schema"], "$ref": "#/$defs/taskSpec", "required": required, "$defs": strict["$defs"]}
    )


def _without_templates(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_templates(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("if") in ({"$ref": "#/$defs/template"}, {"$ref": "#/$defs/templated"}):
        kept = {key: value for key, value in schema.items() if key not in {"if", "else"}}
        return _without_templates(kept | schema["else"])
    return {key: _without_templates(value) for key, value in schema.items()}


def _version(document: Document) -> list[Diagnostic]:
    written = document.value.get("apiVersion")
    names = ("apiVersion", "kind")
    if document.value.keys().isdisjoint(names) and not any(closest(name, names) for name in document.value):
        detail = "This is not a document of taskspec: it has neither `apiVersion` nor `kind`."
        return [Diagnostic(summary=NOT_A_DOCUMENT, detail=detail, hint=_FOREIGN, position=document.position())]
    if written == API_VERSION or "apiVersion" not in document.value:
        return []
    newer = isinstance(written, str) and re.fullmatch(r"taskspec/v([2-9]|[1-9][0-9]+)\b.*", written)
    what = f"`{written}` is newer than this version of taskspec" if newer else "This is not a document of taskspec"
    hint = "Update taskspec." if newer else _FOREIGN
    if not newer and document.kind in LATER:
        hint = f"Write `apiVersion: {API_VERSION}`. {hint}"
    detail = f"{what}: `apiVersion` must be `{API_VERSION}`."
    return [
        Diagnostic(summary="Wrong API version", detail=detail, hint=hint, position=document.position(("apiVersion",)))
    ]


def _violations(document: Document) -> Iterator[Diagnostic]:
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
        position = document.position((*path, _repeated(_value(document, path))))
    words = violation.message
    if violation.keyword == "type" and (violation.detail["says"] or "").startswith("must be "):
        words = f"{violation.detail['says']}, {words.rpartition(', ')[2]}"
    hint = way_out(violation, _value(document, path))
    if path == ("spec", "state"):
        words = "is not supported by this version yet where it is not `local`"
        hint = "Write `state: local`, or remove it."
    return Diagnostic(
        summary=_WRONG_VALUE,
        detail=f"`{path_text(path)}` {words}." if path else f"The document {words}.",
        hint=hint,
        position=position,
    )


def _repeated(items: list[Any]) -> int:
    """Return the index of the first item that stands before already."""
    return next((index for index, item in enumerate(items) if item in items[:index]), 0)


def _evaluated_nowhere(document: Document, path: Path, hint: str = _BELONGS) -> Iterator[Diagnostic]:
    """Find templates where none is rendered; descriptions are only for people."""
    waiting: list[tuple[Path, Any]] = [(path, _value(document, path))]
    if not _holds_template(waiting[0][1]):
        return
    while waiting:
        at, value = waiting.pop()
        if _is_rendered(at):
            continue
        if isinstance(value, Mapping):
            waiting += [((*at, key), item) for key, item in value.items() if key != "description"]
        elif isinstance(value, list):
            waiting += [((*at, index), item) for index, item in enumerate(value)]
        elif isinstance(value, str) and _TEMPLATE.search(value):
            yield Diagnostic(
                summary=_NOT_EVALUATED,
                detail=f"`{path_text(at)}` holds a template, and is not evaluated.",
                hint=hint,
                position=document.position(at),
            )


def _is_rendered(path: Path) -> bool:
    """Tell whether a path of a project leads to the fields that tasks begin with."""
    return len(path) > 3 and path[-1] == "spec" and path[-3] == "defaults"


def _holds_template(value: Any) -> bool:
    """Tell whether any text in a value may be a template, without its place: for the many that have none."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if "{{" in item or "{%" in item:
                return True
        elif isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return False


def _agents(document: Document) -> Iterator[Diagnostic]:
    """Find agents that do not say in exactly one way who carries out their runs."""
    agents = _value(document, ("spec", "agents"))
    for name, written in agents.items() if isinstance(agents, Mapping) else ():
        if not isinstance(written, Mapping):
            continue
        path: Path = ("spec", "agents", name)
        position = document.position(path, key=True)
        ways = ("command", "worker")
        if not any(way in written or misnaming.lacks_anyway(way, written, path, (*ways, "timeout")) for way in ways):
            yield Diagnostic(
                summary="Missing field",
                detail=f"`{path_text(path)}` has neither a `command` nor `worker: true`.",
                hint="Add `command: [program, argument]`, or `worker: true` where workers connect to `taskspec serve`.",
                position=position,
            )
        for other in ("command", "env") if "worker" in written else ():
            if other in written:
                yield Diagnostic(
                    summary="Contradicting fields",
                    detail=f"`{path_text(path)}` has `worker`, and `{other}`, which goes with a command.",
                    hint=f"Remove `{other}`, or remove `worker`.",
                    position=document.position((*path, other), key=True),
                )


def output_trouble(spec: Mapping[str, Any], source: Source) -> Iterator[Diagnostic]:
    """Find what is wrong with the output that a spec asks for, beyond the form of its fields."""
    if not isinstance(schema := spec.get("outputSchema"), Mapping):
        return
    form = spec.get("outputFormat", "json")
    if form in {"text", "markdown", "voice"}:
        yield Diagnostic(
            summary="Contradicting fields",
            detail=f"`spec.outputFormat` is `{form}`, and `spec.outputSchema` asks for JSON.",
            hint="Write `outputFormat: json`, or remove the schema.",
            position=source.position(("outputFormat",)),
        )
    if _TEMPLATE.search(repr(schema)):
        return
    try:
        Contract(schema)
    except InvalidSchemaError as first:
        for trouble in schema_flaws(schema, first):
            yield Diagnostic(
                summary="Invalid JSON Schema",
                detail=f"`spec.outputSchema` is not a valid JSON Schema: {trouble}.",
                hint=schema_way_out(path := trouble.path or reference_path(schema, str(trouble))),
                position=source.position(("outputSchema", *path)),
            )


def _assertions(document: Document, spec: Path) -> Iterator[Diagnostic]:
    """Find what is wrong with the assertions of a spec; where there are none no language of expressions is needed."""
    path = (*spec, "assertions")
    if not (written := _value(document, path)):
        return
    from taskspec.documents.asserting import wrong_assertions

    hint = "Write the value itself. For the characters: `[{]{` in a regex, `'{' + '{'` in an expression."
    templates = list(_evaluated_nowhere(document, path, hint))
    yield from templates or wrong_assertions(document, path, written)


def _default_specs(document: Document) -> Iterator[Path]:
    """Yield the paths of the specs that a project gives its tasks to begin with."""
    spec = _value(document, ("spec",))
    environments = _value(document, ("spec", "environments"))
    owners: list[Path] = [("spec",)] if isinstance(spec, Mapping) else []
    owners += [("spec", "environments", name) for name in (environments if isinstance(environments, Mapping) else ())]
    for owner in owners:
        entries = _value(document, (*owner, "defaults"))
        for index in range(len(entries)) if isinstance(entries, list) else ():
            yield (*owner, "defaults", index, "spec")


def _value(document: Document, path: Path) -> Any:
    value: Any = document.value
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


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
