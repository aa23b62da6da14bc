"""What can follow on a command line that is being typed: addresses, labels, fields. Says nothing, whatever is wrong."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

PATIENCE: Final = 1.0
"""So many seconds are spent on reading manifests; what was found until then is offered."""
_LABEL: Final = "label:"
_SIGNS: Final = "+"
"""What may stand before an address in a selector."""

Item = CompletionItem[str]


def words(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Item]:
    """Return the addresses and labels that a word can become; files where it looks like a path, or there are none."""
    given = list(ctx.params.get("words") or ())
    first = not given and ctx.params.get("project") is None
    if first and incomplete.startswith((".", "/", "~")):
        return [CompletionItem(incomplete, type="file")]
    found = [CompletionItem(word) for word in _candidates(_target(ctx, given), incomplete) if word not in given]
    return found or ([CompletionItem(incomplete, type="file")] if first else [])


def fields(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Item]:
    """Return the fields that a word can become: names, and paths once it has a dot."""
    from taskspec.documents.describing import manifest_fields
    from taskspec.documents.language import field_names

    known = field_names(manifest_fields())
    return [
        CompletionItem(word) for word in known if word.startswith(incomplete) and ("." in word) == ("." in incomplete)
    ]


def _target(ctx: click.Context, given: list[str]) -> Path:
    from taskspec.cli.options import is_target

    project = ctx.params.get("project")
    if project is not None:
        return Path(project)
    return Path(given[0]) if given and is_target(given[0]) else Path()


def _candidates(target: Path, incomplete: str) -> list[str]:
    signs = incomplete[: len(incomplete) - len(incomplete.lstrip(_SIGNS))]
    begun = incomplete[len(signs) :]
    label = begun.startswith(_LABEL)
    wanted = begun.removeprefix(_LABEL).partition("=")[0] if label else begun.partition("[")[0]
    found = dict.fromkeys(
        word
        for document in _in_time(target, wanted)
        for word in (_labels(document.value) if label else _addresses(document.value))
        if word.startswith(begun)
    )
    # the prefix alone, so that whoever types `la` finds out that there are labels
    more = [_LABEL] if not label and begun and _LABEL.startswith(begun) else []
    return [signs + word for word in (*sorted(found), *more)]


def _in_time(target: Path, wanted: str) -> Iterator[Any]:
    from taskspec.documents.glancing import glance
    from taskspec.errors import UsageError

    deadline = time.monotonic() + PATIENCE
    try:
        for document in glance(target, wanted):
            yield document
            if time.monotonic() > deadline:
                return
    except (UsageError, OSError):
        return


def _addresses(document: Mapping[str, Any]) -> Iterator[str]:
    name = _metadata(document).get("name")
    if isinstance(name, str):
        yield name


def _labels(document: Mapping[str, Any]) -> Iterator[str]:
    labels = _metadata(document).get("labels")
    if isinstance(labels, Mapping):
        yield from (f"{_LABEL}{name}={value}" for name, value in labels.items() if isinstance(value, str))


def _metadata(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found = document.get("metadata")
    return found if isinstance(found, Mapping) else {}
