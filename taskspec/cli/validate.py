"""`taskspec validate`."""

from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.printing import say, say_json
from taskspec.cli.wiring import Wiring
from taskspec.diagnostics import ManifestError
from taskspec.errors import TaskspecError, UsageError
from taskspec.report.text import plural
from taskspec.runner.planning import Prepared


@click.command()
@options.targets
@options.variables
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="How to say it: for people, as JSON, or as annotations of GitHub Actions.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
def validate(words: Sequence[str], project: Path | None, given: Sequence[str], form: str, as_json: bool) -> int:
    """Check the manifests, and say what is wrong and where.

    Reads, renders and checks everything; needs no key, opens no connection and runs no agent.
    """
    if form == "github":
        if as_json:
            raise UsageError("--json and --format github ask for two formats.", hint="Leave one of them out.")
        return _annotate(words, project, given)
    prepared = _prepare(words, project, given)
    if as_json or form == "json":
        from taskspec.cli.failing import diagnostic_json

        warnings = [diagnostic_json(d) for d in prepared.warnings]
        tasks = len(prepared.desired.tasks)
        say_json({"valid": True, "tasks": tasks, "skippedFiles": prepared.skipped, "diagnostics": warnings})
        return 0
    from taskspec.cli.remarking import tell_warnings

    tell_warnings(prepared)
    say([_sound(prepared)])
    return 0


def _prepare(words: Sequence[str], project: Path | None, given: Sequence[str]) -> Prepared:
    from taskspec.runner.planning import prepare, require_declared

    invocation = options.invocation(words, project, given)
    prepared = prepare(invocation, Wiring(invocation.settings))
    require_declared(invocation.addresses, prepared.desired.tasks)
    return prepared


def _sound(prepared: Prepared) -> str:
    from taskspec.cli.remarking import left_out

    skipped = f" ({left_out(prepared.skipped)})" if prepared.skipped else ""
    return f"{plural(len(prepared.desired.tasks), 'task')} in {prepared.desired.project.name}: valid.{skipped}"


def _annotate(words: Sequence[str], project: Path | None, given: Sequence[str]) -> int:
    """Say everything as annotations, trouble too: GitHub reads both streams, so nothing is written beside them."""
    from taskspec.report.annotations import annotation, annotations
    from taskspec.settings import from_environ

    here, workspace = Path.cwd(), from_environ().github_workspace
    workspace = workspace.resolve() if workspace else None
    try:
        prepared = _prepare(words, project, given)
    except ManifestError as error:
        say(annotations(error.diagnostics, here, workspace))
        return 1
    except TaskspecError as error:
        from taskspec.cli.failing import exit_code

        say([annotation(error.message, error.hint)])
        return exit_code(error)
    say([*annotations(prepared.warnings, here, workspace), _sound(prepared)])
    return 0
