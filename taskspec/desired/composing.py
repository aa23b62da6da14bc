"""A rendered cell → the task that it asks for: normalised, without secrets, fingerprinted. Renders nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

from taskspec.desired.dotted import is_template
from taskspec.desired.fingerprinting import fingerprint
from taskspec.desired.model import Cell, DesiredTask, LocalFile
from taskspec.desired.normalising import SENT_ONLY, normalised, without_secrets
from taskspec.desired.rechecking import TRIGGERS
from taskspec.desired.references import may_refer
from taskspec.desired.templating import RenderedSpec


def not_known_yet(cell: Cell, rendered: RenderedSpec) -> dict[str, Any]:
    """Return the words in the place of lists and maps that results are to give as a whole."""
    fields = {name: rendered.masked.get(name) for name in ("files", "payloadExtension")}
    return {name: text for name, text in fields.items() if isinstance(text, str) and may_refer(cell.task.spec[name])}


def desired_task(
    cell: Cell, rendered: RenderedSpec, files: tuple[LocalFile | str, ...], triggers: Mapping[str, Any]
) -> DesiredTask:
    """Return the task that a rendered cell asks for, with nothing secret in what is kept of it."""
    task = cell.task
    request = normalised(rendered.real)
    title = " ".join(str(request.get("title", "")).split()) or str(cell.address)
    request["title"] = title
    masked = request if rendered.masked is rendered.real else normalised(rendered.masked)
    spec = without_secrets({name: value for name, value in masked.items() if name not in SENT_ONLY})
    if files:
        request["files"] = [file.path if isinstance(file, LocalFile) else file for file in files]
        spec["files"] = [
            {"path": file.path, "sha256": file.sha256} if isinstance(file, LocalFile) else file for file in files
        ]
    if triggers:
        spec["rerun"] = {"triggers": dict(triggers)}
    return DesiredTask(
        address=cell.address,
        agent=request["agent"],
        title=title,
        spec=spec,
        fingerprint=fingerprint(spec),
        request=request,
        files=files,
        labels=task.labels,
        policies=task.policies,
        assertions=tuple(task.spec.get("assertions") or ()),
        source=task.source,
    )


def items_of(cell: Cell) -> str:
    """Return the file that holds the items of the `forEach` of a cell, where it is named as it is."""
    items = cell.task.spec.get("forEach") if cell.names else None
    file = items.get("file", "") if isinstance(items, Mapping) else ""
    return "" if is_template(file) else file


def written_triggers(cell: Cell) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the templates of `rerun.triggers`, which are rendered for themselves, each with its place in the spec."""
    rerun = cell.task.spec.get("rerun")
    triggers = rerun.get("triggers") if isinstance(rerun, Mapping) else None
    for name, text in triggers.items() if isinstance(triggers, Mapping) else ():
        if isinstance(text, str) and is_template(text):
            yield (*TRIGGERS, name), text
