"""The commands and their one-line helps, so that `--help` loads none of them. Runs nothing."""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from taskspec import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Entry(NamedTuple):
    """Where a command lives, and what it does in a line (the first line of its docstring)."""

    module: str
    help: str


_LIKENESS: Final = 0.7
_HELP: Final = "`taskspec --help` lists them."
COMMANDS: Final[Mapping[str, Entry]] = {
    "init": Entry("init", "Begin a project: one task, and an agent that needs no key and no network."),
    "validate": Entry("validate", "Check the manifests, and say what is wrong and where."),
    "fmt": Entry("fmt", "Bring manifests into the usual form. Changes nothing of what they mean."),
    "render": Entry("render", "Show what tasks become: their fields rendered, secrets masked."),
    "graph": Entry("graph", "Show which tasks wait for which, for a drawing program."),
    "plan": Entry("plan", "Show what apply would do, and why. Changes nothing."),
    "show": Entry("show", "Show a saved plan, and whether it can still be applied."),
    "why": Entry("why", "Say why a task runs or does not: what changed, and which line of which commit caused it."),
    "apply": Entry("apply", "Make it so: start what is missing, wait, judge and record every result."),
    "reconcile": Entry("reconcile", "Do in a CI job what is right there: plan a pull request, apply what was merged."),
    "watch": Entry("watch", "Apply again and again: on an interval, and whenever a file changes."),
    "status": Entry("status", "Show how each task stands."),
    "results": Entry("results", "List accepted results, print one, compare two answers, export or remove results."),
    "report": Entry("report", "Write a report of how the tasks stand: one page of HTML that needs nothing else."),
    "logs": Entry("logs", "Show what a task's newest run said and did."),
    "stop": Entry("stop", "End active runs."),
    "retry": Entry("retry", "Grant one more attempt to tasks without an accepted result."),
    "adopt": Entry("adopt", "Record a run of the remote as that of an address, by hand."),
    "accept": Entry("accept", "Make a kept result the accepted one, by hand."),
    "forget": Entry("forget", "Take addresses out of the state, by hand."),
    "history": Entry("history", "Tell what has happened, newest first, or verify that nobody changed it."),
    "state": Entry(
        "state", "Look after the state: list, show, move, pull, push, migrate and rebuild what is recorded."
    ),
    "orphans": Entry("orphans", "List the runs of this project on the remote that are not recorded."),
    "cancel": Entry("cancel", "End the command that holds the lock of the state, in order."),
    "force-unlock": Entry("force_unlock", "Take the lock of the state from a command that does not go on."),
    "doctor": Entry("doctor", "Check what may keep a project from working, and say what to do."),
    "agents": Entry("agents", "Look at the agents of the remote."),
    "tasks": Entry("tasks", "Work with the tasks of agents on the remote, one at a time."),
    "schema": Entry("schema", "Print a published JSON Schema, or write it to a file for editors."),
    "explain": Entry("explain", "Say what a field of the manifests means, or where each value of a task comes from."),
    "completion": Entry(
        "completion", "Print the script that lets a shell complete commands, options, addresses and labels."
    ),
    "serve": Entry("serve", "Keep the embedded engine running until stopped."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names in the order of a first day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """Import a command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = getattr(importlib.import_module(f"taskspec.cli.{entry.module}"), cmd_name.replace("-", "_"))
        if not isinstance(command, click.Command):
            raise TypeError(f"taskspec.cli.{entry.module}.{cmd_name} is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a line; an unknown one is told with the nearest known."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from taskspec.diagnostics import closest

            meant = closest(name, COMMANDS, likeness=_LIKENESS)
            ctx.fail(f"There is no command `{name}`. {f'Did you mean `{meant}`?' if meant else _HELP}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem[str]]":
        """Return the commands that a word can become, from the table above, and the options."""
        from click.shell_completion import CompletionItem

        known = [CompletionItem(name, help=entry.help) for name, entry in COMMANDS.items()]
        fitting = [item for item in known if item.value.startswith(incomplete)]
        return [*fitting, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """Write the commands' section from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="taskspec %(version)s")
def taskspec() -> None:
    """Terraform for agent tasks: declare the work of AI agents as YAML, plan it, apply it, keep every result."""
