"""`taskspec explain`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskspec.address import is_address
from taskspec.cli import options
from taskspec.cli.printing import paint_for, say, say_json
from taskspec.errors import UsageError
from taskspec.runner.model import Invocation

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from taskspec.documents.language import Field


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    from taskspec.cli.completing import fields

    return fields(ctx, param, incomplete)


@click.command()
@click.argument("word", metavar="FIELD|ADDRESS", shell_complete=_complete)
@click.option("--recursive", is_flag=True, help="Show all the fields below it, without their descriptions.")
@options.project
@options.variables
@options.as_json
def explain(word: str, project: Path | None, given: Sequence[str], recursive: bool, as_json: bool) -> int:
    """Say what a field of the manifests means, or where each value of a task comes from.

    FIELD is a path, such as task.spec.retry or project.spec.variables, or only its end: retry, retry.backoff. What
    stands in a list, or under a name of your own, is left out of it: project.spec.agents.command.

    ADDRESS is that of a declared task: each effective value is shown with what gave it. A word that is both is the
    field; with -C it is the address.
    """
    from taskspec.documents.describing import manifest_fields
    from taskspec.documents.language import find

    found = find(manifest_fields(), word) if project is None else []
    if found:
        return _explain_fields(word, found, recursive=recursive, as_json=as_json)
    if not is_address(word) or (project is None and not _is_project()):
        raise _unknown(word)
    return _explain_task(options.invocation([word], project or Path(), given), as_json=as_json)


def _is_project() -> bool:
    from taskspec.documents.project_files import PROJECT_FILES

    return any(Path(name).is_file() for name in PROJECT_FILES)


def _explain_task(invocation: Invocation, *, as_json: bool) -> int:
    import sys

    from taskspec.cli.wiring import Wiring
    from taskspec.desired.tracing import trace
    from taskspec.report import origins
    from taskspec.runner.planning import selected_tasks
    from taskspec.runner.preparing import prepare

    ports = Wiring(invocation.settings)
    prepared = prepare(invocation, ports, traceable=True)
    traced = {address: trace(prepared.desired, address) for address in selected_tasks(prepared, invocation, ports)}
    if as_json:
        say_json({"tasks": [origins.as_json(address, values) for address, values in traced.items()]})
        return 0
    for index, (address, values) in enumerate(traced.items()):
        say([*([""] if index else []), *origins.lines(address, values, paint_for(sys.stdout))])
    return 0


def _explain_fields(word: str, found: "list[Field]", *, recursive: bool, as_json: bool) -> int:
    if as_json:
        say_json({"fields": [_document(field, recursive=recursive) for field in found]})
    else:
        say(_lines(word, found, recursive=recursive))
    return 0


def _lines(word: str, found: "list[Field]", *, recursive: bool) -> Iterator[str]:
    import sys

    from taskspec.report.fields import explained, places

    first, *others = found
    if any(other.told != first.told for other in others):
        yield from places(word, found)
        yield ""
        yield f"Name one of them: taskspec explain {first.written}"
        return
    yield from explained(first, paint_for(sys.stdout), recursive=recursive)
    if others:
        yield ""
        yield f"The same stands in {', '.join(other.written for other in others)}."


def _unknown(word: str) -> UsageError:
    from taskspec.diagnostics import nearest
    from taskspec.documents.describing import manifest_fields
    from taskspec.documents.language import field_names, find

    roots = manifest_fields()
    parent, _, last = word.rpartition(".")
    above = find(roots, parent) if parent else []
    below = {inner.name: None for field in above for inner in field.whole if not inner.is_slot and inner is not field}
    hint = nearest(last, below) or nearest(word, field_names(roots))
    return UsageError(
        f"There is no field `{word}` in the manifests.",
        hint=hint
        or "`taskspec explain task --recursive` shows all fields of a task; addresses are those of a project here.",
    )


def _document(field: "Field", *, recursive: bool) -> dict[str, Any]:
    return {
        "path": field.written,
        "title": field.title,
        "description": field.description,
        "kinds": list(field.kinds),
        "required": field.required,
        **({"default": field.default} if field.has_default else {}),
        "allowed": list(field.allowed),
        "limits": list(field.limits),
        "template": field.template,
        "secret": field.secret,
        "runRelevant": field.run_relevant,
        "examples": list(field.examples),
        "fields": [
            _document(below, recursive=True) if recursive or below.is_slot else below.written for below in field.fields
        ],
    }
