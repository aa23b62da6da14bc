"""What templates gave, checked as if the author had written it. Renders nothing, and shows no secret."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from taskspec.contracts import SHOWN, Contract, InvalidSchemaError, Violation
from taskspec.desired.dotted import is_template
from taskspec.desired.normalising import SENT_ONLY
from taskspec.desired.templating import RenderedSpec
from taskspec.diagnostics import Diagnostic, path_text
from taskspec.documents.checking import rendered_spec_contract
from taskspec.documents.declaring import unknown_agent
from taskspec.documents.hinting import way_out
from taskspec.documents.model import Project, TaskDocument
from taskspec.documents.violating import SECRET

_SHOWN: Final = ("agent", "files", *SENT_ONLY)
"""Fields that are shown in plans, in lists of the remote too, and in file names: no secret may stand there."""
TRIGGERS: Final = ("rerun", "triggers")
_NO_JSON: Final = frozenset({"text", "markdown", "voice"})


def recheck(task: TaskDocument, rendered: RenderedSpec, project: Project) -> Iterator[Diagnostic]:
    """Find what is wrong with the values that templates gave."""
    spec = {name: value for name, value in rendered.real.items() if value is not None}
    found = [*_misfits(task, rendered, spec), *_shown_secrets(task, rendered)]
    yield from found
    if not found:
        yield from _agent(task, spec, project)
        yield from _output(task, spec, has_secrets=rendered.masked is not rendered.real)


def unfit_triggers(task: TaskDocument, triggers: Mapping[str, tuple[Any, Any]]) -> Iterator[Diagnostic]:
    """Find the triggers that are secret, which plans would show, and those that are no single value.

    Each is given as it is, and masked.
    """
    for name, (value, masked) in triggers.items():
        if value is not masked:
            yield Diagnostic(
                summary="Secret in a field that is shown",
                detail=f"A sensitive variable is used in the trigger `{name}`, which is shown in plans.",
                hint="Use a value that changes with the secret: its version, or the date of its rotation.",
                position=task.source.position((*TRIGGERS, name)),
            )
        elif not isinstance(value, str | int | float):
            detail = f"The template of the trigger `{name}` gives {'nothing' if value is None else 'a list or a map'}."
            yield _misfit(task, (*TRIGGERS, name), detail, "Let it give a text, a number, or true or false.")


def _misfits(task: TaskDocument, rendered: RenderedSpec, spec: Mapping[str, Any]) -> Iterator[Diagnostic]:
    has_secrets = rendered.masked is not rendered.real or not SECRET.isdisjoint(spec)
    for violation in rendered_spec_contract().violations(spec, masked=has_secrets):
        empty = [name for name in violation.detail["names"] if name in task.spec] if not violation.path else []
        for name in empty:
            yield _misfit(task, (name,), f"`{name}` gets no value from its template.", "Give one, or `default('…')`.")
        if not empty:
            value = _value(spec, violation.path)
            given = "" if has_secrets or violation.keyword != "type" else f" ({_shown(value)})"
            detail = f"`{path_text(violation.path) or 'spec'}` {violation.message}{given}."
            yield _misfit(task, violation.path, detail, _way(violation, value, shown=not has_secrets))


def _way(violation: Violation, value: Any, *, shown: bool) -> str:
    if violation.keyword == "type":
        return "A template that stands alone in its quotes keeps the type of its value: let it give the right one."
    return (way_out(violation, value) if shown else "") or "See what the template at this place gives."


def _misfit(task: TaskDocument, path: tuple[str | int, ...], detail: str, hint: str) -> Diagnostic:
    position = task.source.position(path)
    return Diagnostic(summary="Wrong value after rendering", detail=detail, hint=hint, position=position)


def _value(spec: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        spec = spec[step]
    return spec


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _shown_secrets(task: TaskDocument, rendered: RenderedSpec) -> Iterator[Diagnostic]:
    for name in _SHOWN:
        if rendered.real.get(name) is not rendered.masked.get(name):
            yield Diagnostic(
                summary="Secret in a field that is shown",
                detail=f"A sensitive variable is used in `{name}`, which is shown in plans and lists.",
                hint="Use it in `userTokens`, `mcpServers` or the prompt.",
                position=task.source.position((name,)),
            )


def _agent(task: TaskDocument, spec: Mapping[str, Any], project: Project) -> Iterator[Diagnostic]:
    if is_template(task.spec["agent"]):
        unknown = unknown_agent(spec["agent"], project, task.source.position(("agent",)))
        if unknown is not None:
            yield unknown


def _output(task: TaskDocument, spec: Mapping[str, Any], *, has_secrets: bool) -> Iterator[Diagnostic]:
    schema, form = spec.get("outputSchema"), spec.get("outputFormat", "json")
    if schema is None or (schema == task.spec.get("outputSchema") and form == task.spec.get("outputFormat", "json")):
        return
    position = task.source.position(("outputSchema",))
    if form in _NO_JSON:
        yield Diagnostic(
            summary="Contradicting fields",
            detail=f"`outputFormat` gives `{form}`, and `outputSchema` asks for JSON.",
            hint="Let `outputFormat` give `json`, or remove the schema.",
            position=position,
        )
    try:
        Contract(schema)
    except InvalidSchemaError as trouble:
        words = f"what stands at `{path_text(trouble.path)}` does not fit" if has_secrets else str(trouble)
        yield Diagnostic(
            summary="Invalid JSON Schema",
            detail=f"`outputSchema` gives no valid JSON Schema: {words}.",
            hint="See what the template at this place gives.",
            position=task.source.position(("outputSchema", *trouble.path)),
        )
