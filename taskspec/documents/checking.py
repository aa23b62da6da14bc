"""One document against the published contract, in words for its author. Opens nothing; knows no second document."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, Final

from taskspec.contracts import Contract, InvalidSchemaError, load_schema, schema_flaws
from taskspec.diagnostics import Diagnostic, Position, closest, path_text
from taskspec.documents import misnaming
from taskspec.documents.denying import policy_lists
from taskspec.documents.hinting import reference_path, schema_way_out
from taskspec.documents.model import NOT_A_DOCUMENT, Document, Source
from taskspec.documents.templates import TEMPLATE, Path, evaluated_nowhere, value_at
from taskspec.documents.violating import API_VERSION, LATER, SCHEMA, WRONG_VALUE, violations

MAX_FINDINGS: Final = 200
"""Of one document."""
_FOREIGN: Final = "If the file is not for taskspec, name yours in the project's `manifests`."


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
    for finding in evaluated_nowhere(document, () if document.kind == "Project" else ("metadata",)):
        templates.add(finding.position)
        yield finding
    if document.kind == "Task":
        templates.update(finding.position for finding in evaluated_nowhere(document, ("spec", "assertions")))
    if document.kind == "Project":
        yield from _agents(document)
        yield from _policies(document)
        for path in _default_specs(document):
            yield from _assertions(document, path)
    yield from (f for f in violations(document) if f.summary != WRONG_VALUE or f.position not in templates)
    spec = document.value.get("spec")
    if document.kind == "Task" and isinstance(spec, Mapping):
        yield from output_trouble(spec, Source(document=document))
        yield from _assertions(document, ("spec",))


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


def _agents(document: Document) -> Iterator[Diagnostic]:
    """Find agents that do not say in exactly one way who carries out their runs."""
    agents = value_at(document, ("spec", "agents"))
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
    if TEMPLATE.search(repr(schema)):
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
    if not (written := value_at(document, path)):
        return
    from taskspec.documents.asserting import wrong_assertions

    hint = "Write the value itself. For the characters: `[{]{` in a regex, `'{' + '{'` in an expression."
    templates = list(evaluated_nowhere(document, path, hint))
    yield from templates or wrong_assertions(document, path, written)


def _policies(document: Document) -> Iterator[Diagnostic]:
    """Find what is wrong with the policies of a project; without any no language of expressions is needed."""
    if any(value_at(document, path) for path in policy_lists(document)):
        from taskspec.documents.denying import wrong_policies

        yield from wrong_policies(document)


def _default_specs(document: Document) -> Iterator[Path]:
    """Yield the paths of the specs that a project gives its tasks to begin with."""
    spec = value_at(document, ("spec",))
    environments = value_at(document, ("spec", "environments"))
    owners: list[Path] = [("spec",)] if isinstance(spec, Mapping) else []
    owners += [("spec", "environments", name) for name in (environments if isinstance(environments, Mapping) else ())]
    for owner in owners:
        entries = value_at(document, (*owner, "defaults"))
        for index in range(len(entries)) if isinstance(entries, list) else ():
            yield (*owner, "defaults", index, "spec")
