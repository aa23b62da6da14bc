"""One document against the published contract, in words for its author. Opens nothing; knows no second document."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from taskspec.contracts import Contract, InvalidSchemaError, Violation, load_schema
from taskspec.diagnostics import Diagnostic, nearest, path_text
from taskspec.documents.hinting import later_field, way_out
from taskspec.documents.model import Document, Source

Path = tuple[str | int, ...]

API_VERSION: Final = "taskspec/v1"
SCHEMA: Final = "manifest.v1"
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
_TEMPLATE: Final = re.compile(r"\{\{|\{%")


def check(document: Document) -> list[Diagnostic]:
    """Return everything that is wrong with one document by itself: a judgement that nothing but its value decides."""
    if document.checked:
        return []
    version = _version(document)
    if version:
        return version
    found = list(_violations(document))
    if document.kind == "Project":
        found += _evaluated_nowhere(document, ())
        found += _agents(document)
        for path in _default_specs(document):
            found += _assertions(document, path)
    elif document.kind == "Task":
        found += _evaluated_nowhere(document, ("metadata",))
        spec = document.value.get("spec")
        if isinstance(spec, Mapping):
            found += output_trouble(spec, Source(document=document))
        found += _assertions(document, ("spec",))
    return found


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
    if written == API_VERSION or "apiVersion" not in document.value:
        return []
    newer = isinstance(written, str) and re.fullmatch(r"taskspec/v([2-9]|[1-9][0-9]+)\b.*", written)
    what = f"`{written}` is newer than this version of taskspec" if newer else "This is not a document of taskspec"
    hint = "Update taskspec." if newer else "If the file is not for taskspec, name yours in the project's `manifests`."
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
    for violation in open_words:
        hidden = any(step in SENSITIVE for step in violation.path)
        yield from _explained(
            document, masked.get((violation.path, violation.keyword), violation) if hidden else violation
        )


def _explained(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    path, names = violation.path, violation.detail["names"]
    match violation.keyword:
        case "required":
            for name in names:
                yield Diagnostic(
                    summary="Missing field",
                    detail=f"`{name}` is missing in {_where(document, path)}.",
                    hint=f"Write `apiVersion: {API_VERSION}`." if name == "apiVersion" else f"Add `{name}: …`.",
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
                    position=document.position((*path, name), key=True),
                )
        case _:
            yield _wrong(document, violation)


def _unknown(document: Document, path: Path, name: str, known: tuple[str, ...]) -> Diagnostic:
    position = document.position((*path, name), key=True)
    later = LATER["Task"] if "defaults" in path else LATER.get(document.kind, ())
    if name in later:
        detail = f"`{name}` is not supported by this version yet."
        return Diagnostic(summary="Not supported yet", detail=detail, hint=f"Remove `{name}`.", position=position)
    hint = nearest(name, known)
    if not hint and path in {(), ("metadata",)} and name in _fields("taskSpec"):
        hint = "It belongs into `spec`."
    if unseen := next((character for character in name if not character.isprintable()), None):
        hint = f"It holds an invisible character (U+{ord(unseen):04X}): type it anew."
    if not hint and path == ("spec",):
        hint = later_field(name, LATER.get(document.kind, ()))
    hint = hint or f"Known fields: {', '.join(f'`{field}`' for field in known)}."
    detail = f"`{name}` is not a field of {_where(document, path)}."
    return Diagnostic(summary="Unknown field", detail=detail, hint=hint, position=position)


def _fields(definition: str) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = load_schema(SCHEMA)["$defs"][definition]["properties"]
    return fields


def _wrong(document: Document, violation: Violation) -> Diagnostic:
    path = violation.path
    position = document.position(path)
    words = violation.message
    if violation.keyword == "type" and (violation.detail["says"] or "").startswith("must be "):
        words = f"{violation.detail['says']}, {words.rpartition(', ')[2]}"
    if path == ("spec", "state"):
        words = "is not supported by this version yet where it is not `local`"
    return Diagnostic(
        summary="Wrong value",
        detail=f"`{path_text(path)}` {words}." if path else f"The document {words}.",
        hint=way_out(violation, _value(document, path)),
        position=position,
    )


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
                summary="Template not evaluated here",
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
        if "command" not in written and "worker" not in written:
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
    except InvalidSchemaError as trouble:
        yield Diagnostic(
            summary="Invalid JSON Schema",
            detail=f"`spec.outputSchema` is not a valid JSON Schema: {trouble}.",
            position=source.position(("outputSchema", *trouble.path)),
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
