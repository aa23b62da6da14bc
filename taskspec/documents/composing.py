"""A task's document over what the project's defaults give it → the task that is declared. Renders nothing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from taskspec.address import Address
from taskspec.diagnostics import Diagnostic
from taskspec.documents.checking import output_trouble
from taskspec.documents.defaulting import TASK_POLICIES, Defaults
from taskspec.documents.durations import seconds
from taskspec.documents.model import (
    Document,
    OnChangeActive,
    OnRemove,
    Policies,
    Rerun,
    Retention,
    Retry,
    Source,
    TaskDocument,
    When,
)
from taskspec.documents.overlaying import Overlay

_USUAL: Final = Policies()
REQUIRED: Final = ("agent", "prompt")
"""What every task must have, from its own document or from the project's defaults."""


def declare_task(document: Document, defaults: Defaults, sound_fields: Mapping[str, Any] | None = None) -> TaskDocument:
    """Return the task that a checked document declares, over what the project's defaults give it.

    Of one that is wrong, `sound_fields` are what is right of its spec.
    """
    metadata = document.value["metadata"]
    spec = document.value["spec"] if sound_fields is None else sound_fields
    labels = metadata.get("labels", {})
    places = document.without_values()
    source = Source(document=places)
    if (overlay := defaults.overlay(labels)) is not None:
        _lay_own(spec, overlay)
        spec, source = overlay.value, Source(document=places, given=overlay.given)
    return TaskDocument(
        address=Address(metadata["name"]),
        document=places,
        spec=spec,
        source=source,
        labels=labels,
        policies=policies_of(spec),
    )


def policies_of(spec: Mapping[str, Any]) -> Policies:
    """Return the policies that an effective spec holds."""
    if not any(name in spec for name in TASK_POLICIES):
        return _USUAL
    retry, usual = spec.get("retry", {}), Retry()
    return Policies(
        rerun=_rerun(spec.get("rerun", {})),
        retry=Retry(
            max_attempts=retry.get("maxAttempts", usual.max_attempts),
            statuses=tuple(retry.get("statuses", usual.statuses)),
            backoff=seconds(retry["backoff"]) if "backoff" in retry else usual.backoff,
        ),
        on_change_active=OnChangeActive(spec.get("onChangeActive", OnChangeActive.REPLACE)),
        on_remove=OnRemove(spec.get("onRemove", OnRemove.STOP)),
        protect=spec.get("protect", False),
        side_effects=spec.get("sideEffects", False),
        timeout=seconds(spec["timeout"]) if "timeout" in spec else None,
        retention=_retention(spec.get("retention", {})),
    )


def _retention(written: Mapping[str, Any]) -> Retention:
    age = written.get("age")
    return Retention(generations=written.get("generations"), age=None if age is None else seconds(age))


def _rerun(written: str | Mapping[str, Any]) -> Rerun:
    """Return when a task runs again; a plain word is short for `when`."""
    given = {"when": written} if isinstance(written, str) else written
    return Rerun(
        when=When(given.get("when", When.ON_CHANGE)),
        after=seconds(given["after"]) if "after" in given else None,
        ignore=frozenset(given.get("ignore", ())),
    )


def _lay_own(spec: Mapping[str, Any], overlay: Overlay) -> None:
    """Lay a task's own fields over what it begins with; one with side effects begins with no `retry`."""
    if spec.get("sideEffects", overlay.value.get("sideEffects", False)):
        overlay.drop("retry")
    overlay.lay(spec, None)


def check_task(task: TaskDocument) -> Iterator[Diagnostic]:
    """Find what is wrong with a task only together with what the project's defaults give it."""
    for name in REQUIRED:
        if name not in task.spec:
            yield Diagnostic(
                summary="Missing field",
                detail=f"`{name}` is missing in a task's spec.",
                hint=f"Add `{name}: …`.",
                position=task.document.position(("spec",), key=True),
            )
    if task.source.given:
        yield from output_trouble(task.spec, task.source)
    if "matrix" in task.spec and "forEach" in task.spec:
        yield Diagnostic(
            summary="Contradicting fields",
            detail="A task has either a `matrix` or a `forEach`.",
            hint="Remove one; a list can be an axis of a matrix.",
            position=task.source.position(("forEach",), key=True),
        )
