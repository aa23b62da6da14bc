"""What can follow on a command line that is being typed: selectors, fields. Says nothing, whatever is wrong."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from taskspec.documents.glancing import Glance
    from taskspec.documents.model import Document

PATIENCE: Final = 1.0
"""So many seconds are spent on reading manifests; what was found until then is offered."""
_SIGN: Final = re.compile(r"[0-9]*\+")
"""What may stand before a criterion of a selector."""
_PIECE: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|.', re.DOTALL)

Item = CompletionItem[str]


def words(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Item]:
    """Return the selectors that a word can become; files where it looks like a path, or there are none."""
    given = list(ctx.params.get("words") or ())
    may_be_target = param.name == "words" and not given and ctx.params.get("project") is None
    files: list[Item] = [CompletionItem(incomplete, type="file")] if may_be_target else []
    if files and incomplete.startswith((".", "/", "~")):
        return files
    before, begun = _last_criterion(incomplete)
    found = [before + word for word in _candidates(_target(ctx, given), begun)]
    return [CompletionItem(word) for word in found if word not in given] or files


def guards(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Item]:
    """Return what `--override` takes that a word can become: what is in every project, and the policies of this one."""
    from taskspec.runner.guarding import OVERRIDABLE

    given = list(ctx.params.get("words") or ())
    names = [*OVERRIDABLE, *_policies(_target(ctx, given))]
    return [CompletionItem(name) for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _policies(target: Path) -> list[str]:
    """Return the names of a project's policies, of all its environments, as far as it can be read."""
    from taskspec.documents.glancing import glance
    from taskspec.errors import UsageError

    try:
        spec = glance(target).spec
    except (UsageError, OSError):
        return []
    environments = spec.get("environments")
    owners = [spec, *(environments.values() if isinstance(environments, Mapping) else ())]
    lists = [owner.get("policies") for owner in owners if isinstance(owner, Mapping)]
    written = [policy for found in lists if isinstance(found, list) for policy in found if isinstance(policy, Mapping)]
    return [name for policy in written if isinstance(name := policy.get("name"), str)]


def fields(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Item]:
    """Return the fields that a word can become: names, and paths once it has a dot."""
    from taskspec.documents.describing import manifest_fields
    from taskspec.documents.language import field_names

    known = [name for name in field_names(manifest_fields()) if ("." in name) == ("." in incomplete)]
    return [CompletionItem(name) for name in known if name.startswith(incomplete)]


def _target(ctx: click.Context, given: list[str]) -> Path:
    from taskspec.cli.options import is_target

    project = ctx.params.get("project")
    if project is not None:
        return Path(project)
    return Path(given[0]) if given and is_target(given[0]) else Path()


def _last_criterion(word: str) -> tuple[str, str]:
    """Cut a word before the criterion that is being typed: what a comma or a `+` separates stays as it is."""
    start = place = depth = 0
    for piece in _PIECE.findall(word):
        place += len(piece)
        depth += (piece == "[") - (piece == "]")
        if piece == "," and depth == 0:
            start = place
    sign = _SIGN.match(word, start)
    start = sign.end() if sign else start
    return word[:start], word[start:]


def _candidates(target: Path, begun: str) -> list[str]:
    method, colon, value = begun.partition(":")
    if not colon:
        name = begun.partition("[")[0]
        methods = [f"{known}:" for known in _methods() if begun and known.startswith(begun)]
        return [*_found(target, name, _addresses, begun), *methods]
    if method == "label":
        return _found(target, value.partition("=")[0], _labels, begun)
    return [f"{method}:{known}" for known in _methods().get(method, ()) if known.startswith(value)]


def _methods() -> Mapping[str, list[str]]:
    """Return the methods of selection, each with the values that are always the same."""
    from taskspec.selecting.model import NEVER, Comparison
    from taskspec.selecting.parsing import METHODS
    from taskspec.state.model import Verdict

    fixed = {"state": [*map(str, Comparison)], "result": [*map(str, Verdict), NEVER]}
    return {method: fixed.get(method, []) for method in METHODS}


def _found(target: Path, wanted: str, of: "Callable[[Glance, Document], Iterator[str]]", begun: str) -> list[str]:
    """Return what the tasks of those files have that hold a text, as far as they could be read in time."""
    from taskspec.documents.glancing import glance
    from taskspec.errors import UsageError

    deadline = time.monotonic() + PATIENCE
    found: dict[str, None] = {}
    try:
        project = glance(target)
        for document in project.tasks(wanted):
            found |= dict.fromkeys(word for word in of(project, document) if word.startswith(begun))
            if time.monotonic() > deadline:
                break
    except (UsageError, OSError):
        return []
    return sorted(found)


def _addresses(project: "Glance", document: "Document") -> Iterator[str]:
    from taskspec.cli.foreseeing import foreseen

    variables = project.spec.get("variables")
    return foreseen(document, variables if isinstance(variables, Mapping) else {})


def _labels(_: "Glance", document: "Document") -> Iterator[str]:
    metadata: Any = document.value.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    if isinstance(labels, Mapping):
        yield from (f"label:{name}={value}" for name, value in labels.items() if isinstance(value, str))
