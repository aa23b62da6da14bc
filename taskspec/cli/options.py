"""Arguments and options that commands share, and how they become an invocation. Runs nothing."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from taskspec.address import is_address
from taskspec.cli.aiming import given_environment
from taskspec.errors import UsageError
from taskspec.runner.model import Invocation, Refresh
from taskspec.settings import Settings, from_environ

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from taskspec.selecting.model import Selection


F = TypeVar("F", bound=Callable[..., Any])
RISKS = (
    "new_paid_run",
    "rerun_of_accepted",
    "permission_widened",
    "model_changed",
    "acceptance_weakened",
    "secret_exposed",
    "data_to_new_host",
    "side_effects",
    "any",
)
_META = "taskspec."
_ATTACHED = "Follow only what it selects, as far as the plan runs it. May be repeated."


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
    """Add `[TARGET] [SELECTOR]…`, `--exclude` and `-C`."""
    command = click.argument("words", nargs=-1, metavar="[TARGET] [SELECTOR]...", shell_complete=_complete)(command)
    command = click.option(
        "--exclude",
        multiple=True,
        metavar="SELECTOR",
        shell_complete=_complete,
        help="Leave out what it selects. May be repeated.",
    )(command)
    return _project("Project folder or single file; then every argument is a selector.")(command)


def target(command: F) -> F:
    """Add `[TARGET]` and `-C`, for a command that concerns no single task."""
    command = click.argument("words", nargs=-1, metavar="[TARGET]")(command)
    return _project("Project folder or single file.")(command)


def project(command: F) -> F:
    """Add `-C` alone, for a command whose words are ids of the remote."""
    return _project("Project folder or single file (default: the current folder).")(command)


def _project(described: str) -> Callable[[F], F]:
    def add(command: F) -> F:
        command = _kept("--env", metavar="NAME", help="Environment of the project (default: TASKSPEC_ENV).")(command)
        return click.option("-C", "--project", "project", type=click.Path(path_type=Path), help=described)(command)

    return add


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    from taskspec.cli.completing import words

    return words(ctx, param, incomplete)


def _complete_guards(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    from taskspec.cli.completing import guards

    return guards(ctx, param, incomplete)


def variables(command: F) -> F:
    """Add `--var` and `--var-file`."""
    described = "Give variables the values in a YAML, JSON or .env file. May be repeated."
    kind = click.Path(path_type=Path)
    command = _kept("--var-file", type=kind, multiple=True, metavar="FILE", help=described)(command)
    return click.option(
        "--var", "given", multiple=True, metavar="NAME=VALUE", help="Give a variable a value. May be repeated."
    )(command)


def _kept(name: str, **more: Any) -> Callable[[F], F]:
    """Make an option whose value is kept with the invocation of the command, for `invocation` to find."""

    def keep(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        ctx.meta[_META + name] = value
        if name == "--env":
            given_environment.set(value)

    return click.option(name, expose_value=False, callback=keep, **more)


def _found(name: str) -> Any:
    context = click.get_current_context(silent=True)
    return context.meta.get(_META + name) if context else None


def given_environment_name() -> str | None:
    """Return the environment that the command line names; None where it names none."""
    found: str | None = _found("--env")
    return found


def environment_of(settings: Settings) -> str:
    """Return the environment that a command is for."""
    return _found("--env") or settings.environment


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


def overriding(command: F) -> F:
    """Add `--override`."""
    described = (
        "Go beyond a limit, the budget (maxRuns, maxTokens) or a policy of the project, or believe that so many runs "
        "are missing, this once. May be repeated."
    )
    return _kept("--override", multiple=True, metavar="NAME", shell_complete=_complete_guards, help=described)(command)


def risking(command: F) -> F:
    """Add `--fail-on-risk`."""
    described = "Refuse a plan with a change that has this risk; `any`: with any risk. May be repeated."
    kind = click.Choice(RISKS)
    return _kept("--fail-on-risk", type=kind, multiple=True, metavar="CATEGORY", help=described)(command)


def targeting(command: F) -> F:
    """Add `--target`."""
    described = "Select what it selects, and all that this depends on. May be repeated, and stand beside selectors."
    return _kept("--target", multiple=True, metavar="SELECTOR", shell_complete=_complete, help=described)(command)


def rerunning(command: F) -> F:
    """Add `--rerun`."""
    described = (
        "Make the accepted results of what it selects anew, once: each is a new run, which costs money. The old result "
        "stays accepted until the new one is. May be repeated."
    )
    return _kept("--rerun", multiple=True, metavar="SELECTOR", shell_complete=_complete, help=described)(command)


def since(command: F) -> F:
    """Add `--since`."""
    described = "Select only what the manifests ask for otherwise than at this git revision, with what depends on it."
    return _kept("--since", metavar="REV", help=described)(command)


def following(command: F) -> F:
    """Add `--follow` and `--attach`."""
    described = "Show what agents say while they work, each line behind the address of its task."
    command = _kept("--attach", multiple=True, metavar="SELECTOR", shell_complete=_complete, help=_ATTACHED)(command)
    return _kept("--follow", is_flag=True, help=described)(command)


def _followed() -> "Selection | None":
    from taskspec.selecting.parsing import parse

    attached = tuple(_found("--attach") or ())
    return parse(attached, ()) if attached or _found("--follow") else None


def locking(command: F) -> F:
    """Add `--lock-timeout`."""
    described = "How long to wait where another command has the lock of the state (default: not at all)."
    return _kept("--lock-timeout", type=Duration(), metavar="DURATION", help=described)(command)


def invocation(
    words: Sequence[str],
    project: Path | None,
    given: Sequence[str] = (),
    refresh: str = Refresh.ACTIVE.value,
    exclude: Sequence[str] = (),
) -> Invocation:
    """Return what a command line asks for: its first word may be the target, all others are selectors."""
    from taskspec.selecting.parsing import parse

    rest = list(words)
    if project is None:
        project = Path(rest.pop(0)) if rest and is_target(rest[0]) else Path()
    settings = from_environ()
    rerun = tuple(_found("--rerun") or ())
    return Invocation(
        target=project,
        environment=environment_of(settings),
        selection=parse(rest, exclude, _found("--target") or ()),
        variables=_assigned(given),
        variable_files=tuple(_found("--var-file") or ()),
        settings=settings,
        refresh=Refresh(refresh),
        overridden=frozenset(_found("--override") or ()),
        fail_on=frozenset(_found("--fail-on-risk") or ()),
        lock_timeout=_found("--lock-timeout") or 0.0,
        rerun=parse(rerun, ()) if rerun else None,
        since=_found("--since"),
        follow=_followed(),
    )


def invocation_of_all(words: Sequence[str], project: Path | None, given: Sequence[str] = ()) -> Invocation:
    """Return what a command line asks for that takes no selectors."""
    found = invocation(words, project, given)
    if not found.selection.everything:
        from taskspec.runner.choosing import folder_hint

        raise UsageError(
            f"This command concerns the whole project: it takes no selector such as `{found.selection}`.",
            hint=folder_hint(str(found.selection)) or "Leave it out, or name a project folder.",
        )
    return found


def is_target(word: str) -> bool:
    """Tell whether a first word is meant as a path: a folder that is no project never hides the task of its name."""
    from taskspec.documents.project_files import PROJECT_FILES
    from taskspec.selecting.parsing import is_selector

    if word and _exists(word):
        return not is_address(word) or any(_exists(f"{word}/{name}") for name in PROJECT_FILES)
    return not is_selector(word) and ("/" in word or word.endswith((".yaml", ".yml")))


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # too long, or no path at all
        return False


def _assigned(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError("--var needs a name and a value.", hint="Write --var region=emea.")
        if name in found:
            raise UsageError(f"--var gives `{name}` twice.", hint="Keep one of the two.")
        found[name] = value
    return found
