"""Arguments and options that commands share, and how they become an invocation. Runs nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from taskspec.address import Address, is_address
from taskspec.errors import UsageError
from taskspec.runner.model import Invocation, Refresh
from taskspec.settings import from_environ

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from taskspec.apply.model import Options

F = TypeVar("F", bound=Callable[..., Any])


class Duration(click.ParamType[float]):
    """A time such as `30s`, `15m` or `2h`; becomes seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds of a text."""
        if isinstance(value, float):
            return value
        from taskspec.documents.durations import seconds

        try:
            return seconds(str(value))
        except ValueError:
            self.fail(f"`{value}` is no duration; write it like 30s, 15m or 2h.", param, ctx)


def targets(command: F) -> F:
    """Add `[TARGET] [ADDRESS]…` and `-C`."""
    command = click.argument("words", nargs=-1, metavar="[TARGET] [ADDRESS]...", shell_complete=_complete)(command)
    return _project("Project folder or single file; then every argument is an address.")(command)


def target(command: F) -> F:
    """Add `[TARGET]` and `-C`, for a command that concerns no single task."""
    command = click.argument("words", nargs=-1, metavar="[TARGET]")(command)
    return _project("Project folder or single file.")(command)


def project(command: F) -> F:
    """Add `-C` alone, for a command whose words are ids of the remote."""
    return _project("Project folder or single file (default: the current folder).")(command)


def _project(described: str) -> Callable[[F], F]:
    return click.option("-C", "--project", "project", type=click.Path(path_type=Path), help=described)


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    from taskspec.cli.completing import words

    return words(ctx, param, incomplete)


def variables(command: F) -> F:
    """Add `--var`."""
    return click.option(
        "--var", "given", multiple=True, metavar="NAME=VALUE", help="Give a variable a value. May be repeated."
    )(command)


def refreshing(command: F) -> F:
    """Add `--refresh`."""
    return click.option(
        "--refresh",
        type=click.Choice([mode.value for mode in Refresh]),
        default=Refresh.ACTIVE.value,
        show_default=True,
        help="Which runs to look at: those that are not settled, all, or none.",
    )(command)


def as_json(command: F) -> F:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON, for machines.")(command)


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """How a plan is to be carried out, and whether without asking."""

    yes: bool
    options: "Options"


def execution(command: F) -> F:
    """Add what `apply` and `retry` share."""
    for option in reversed(_EXECUTION):
        command = option(command)
    return command


def execution_of(given: Mapping[str, Any]) -> Execution:
    """Return what the options of `execution` say."""
    from taskspec.apply.model import Options

    return Execution(
        yes=given["yes"],
        options=Options(
            parallelism=given["parallelism"],
            wait=given["wait"],
            wait_timeout=given["wait_timeout"],
            hold_unknown=given["on_unknown"] == "hold",
        ),
    )


_EXECUTION = (
    click.option("-y", "--yes", is_flag=True, help="Carry the plan out without asking."),
    click.option(
        "--parallelism", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many runs at once."
    ),
    click.option("--wait/--no-wait", default=True, help="Wait for runs to end, or leave them running."),
    click.option(
        "--wait-timeout",
        type=Duration(),
        metavar="DURATION",
        help="Wait no longer than this, and exit with 4. Runs go on only on a hosted remote or under `taskspec serve`.",
    ),
    click.option(
        "--on-unknown",
        type=click.Choice(["wait", "hold"]),
        default="wait",
        show_default=True,
        help="A run whose outcome is unknown: wait until it can be decided, or leave it.",
    ),
)


def invocation(
    words: Sequence[str],
    project: Path | None,
    given: Sequence[str] = (),
    refresh: str = Refresh.ACTIVE.value,
) -> Invocation:
    """Return what a command line asks for: its first word is the target where it is no address, or names a project."""
    rest = list(words)
    if project is None:
        project = Path(rest.pop(0)) if rest and is_target(rest[0]) else Path()
    for word in rest:
        if not is_address(word):
            raise UsageError(
                f"`{word}` is neither a folder, nor a YAML file, nor an address.",
                hint="Addresses are the names of tasks: lower-case letters, digits, `-` and `_`.",
            )
    return Invocation(
        target=project,
        addresses=tuple(Address(word) for word in rest),
        variables=_assigned(given),
        settings=from_environ(),
        refresh=Refresh(refresh),
    )


def invocation_of_all(words: Sequence[str], project: Path | None) -> Invocation:
    """Return what a command line asks for that takes no addresses."""
    found = invocation(words, project)
    if found.addresses:
        from taskspec.runner.planning import folder_hint

        raise UsageError(
            f"This command concerns the whole project: it takes no address such as `{found.addresses[0]}`.",
            hint=folder_hint(found.addresses[0]) or "Leave it out, or name a project folder.",
        )
    return found


def is_target(word: str) -> bool:
    """Tell whether a first word is meant as a path: a folder that is no project never hides the task of its name."""
    from taskspec.documents.locating import PROJECT_FILES

    return not is_address(word) or any((Path(word) / name).is_file() for name in PROJECT_FILES)


def _assigned(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError("--var needs a name and a value.", hint="Write --var region=emea.")
        found[name] = value
    return found
