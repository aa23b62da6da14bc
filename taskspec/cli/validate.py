"""`taskspec validate`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.printing import say, say_json
from taskspec.cli.wiring import Wiring
from taskspec.diagnostics import ManifestError
from taskspec.errors import TaskspecError, UsageError
from taskspec.report.text import plural
from taskspec.runner.validating import Validated


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
def validate(
    words: Sequence[str], project: Path | None, exclude: Sequence[str], given: Sequence[str], form: str, as_json: bool
) -> int:
    """Check the manifests, and say what is wrong and where.

    Reads, renders and checks everything, whatever is selected; needs no key, opens no connection and runs no agent.
    """
    if form == "github":
        if as_json:
            raise UsageError("--json and --format github ask for two formats.", hint="Leave one of them out.")
        return _annotate(words, project, exclude, given)
    checked = _checked(words, project, exclude, given)
    valid = checked.validated.valid
    if as_json or form == "json":
        say_json(
            {
                "valid": True,
                "tasks": valid.tasks,
                "selected": checked.validated.selected,
                "skippedFiles": valid.skipped,
                "diagnostics": [d.as_json for d in checked.validated.warnings],
            }
        )
        return 0
    from taskspec.cli.remarking import tell_warnings

    tell_warnings(checked.validated.warnings)
    say([checked.sentence])
    return 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Checked:
    """Manifests that are right; `narrowed`: not simply all of their tasks are selected."""

    validated: Validated
    narrowed: bool
    environment: str

    @property
    def sentence(self) -> str:
        from taskspec.cli.remarking import left_out
        from taskspec.report.text import place_of

        valid = self.validated.valid
        some = f", {self.validated.selected or 'none'} of them selected" if self.narrowed else ""
        skipped = f" ({left_out(valid.skipped)})" if valid.skipped else ""
        return f"{plural(valid.tasks, 'task')} in {place_of(valid.project, self.environment)}: valid{some}.{skipped}"


def _checked(words: Sequence[str], project: Path | None, exclude: Sequence[str], given: Sequence[str]) -> _Checked:
    from taskspec.runner import validating

    invocation = options.invocation(words, project, given, exclude=exclude)
    validated = validating.validate(invocation, Wiring(invocation.settings))
    return _Checked(
        validated=validated, narrowed=not invocation.selection.everything, environment=invocation.environment
    )


def _annotate(words: Sequence[str], project: Path | None, exclude: Sequence[str], given: Sequence[str]) -> int:
    """Say everything as annotations, trouble too: GitHub reads both streams, so nothing is written beside them."""
    from taskspec.report.annotations import annotation, annotations
    from taskspec.settings import from_environ

    here, workspace = Path.cwd(), from_environ().github_workspace
    workspace = workspace.resolve() if workspace else None
    try:
        checked = _checked(words, project, exclude, given)
    except ManifestError as error:
        say(annotations(error.diagnostics, here, workspace))
        return 1
    except TaskspecError as error:
        from taskspec.cli.failing import exit_code

        say([annotation(error.message, error.hint)])
        return exit_code(error)
    say([*annotations(checked.validated.warnings, here, workspace), checked.sentence])
    return 0
