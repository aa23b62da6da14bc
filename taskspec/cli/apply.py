"""`taskspec apply`."""

from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import executing, options, reporting
from taskspec.errors import UsageError


@click.command()
@options.targets
@options.targeting
@options.variables
@options.refreshing
@options.rerunning
@options.since
@executing.execution
@click.option(
    "--expect-digest",
    metavar="DIGEST",
    help="Carry out a saved plan only if it has this digest, as `plan --out` has told it.",
)
@click.option(
    "--refresh-only",
    is_flag=True,
    help="Start and stop nothing: look at all tasks, and take notice of what the runs of accepted results show now.",
)
@options.risking
@reporting.reports
@options.as_json
def apply(
    words: Sequence[str],
    project: Path | None,
    exclude: Sequence[str],
    given: Sequence[str],
    refresh: str,
    expect_digest: str | None,
    refresh_only: bool,
    as_json: bool,
    **execution: object,
) -> int:
    """Make it so: start what is missing, wait, judge and record every result.

    The first argument may be the file of a saved plan (`plan --out`): then just that is carried out, once, with what
    the manifests were when it was made; nothing is done that it does not have.

    Shows the plan and asks, unless --yes is given; carries out exactly what was shown. Ctrl-C ends it in order
    and records what was running. Runs go on, and the next apply with them, on a hosted remote or under
    `taskspec serve`; those of an engine that apply itself has started end with it.

    With --refresh-only there is no plan: shows what has drifted on the remote, asks, and records what no plan acts on.
    """
    from taskspec.cli.applying import carry_out
    from taskspec.cli.saving import saved_plan

    wanted = executing.execution_of(execution)
    saved = saved_plan(words, exclude, expect_digest)
    reporting.require_apart(Path(words[0]) if saved else None)
    invocation = options.invocation(() if saved else words, project, given, refresh, exclude)
    if saved is not None and not invocation.selection.everything:
        raise UsageError(
            "A saved plan is carried out as a whole.", hint="Select tasks when it is made: `taskspec plan --out`."
        )
    if saved is not None and invocation.since is not None:
        raise UsageError(
            "A saved plan is carried out as a whole.", hint="Say so when it is made: `taskspec plan --since … --out`."
        )
    if saved is not None and invocation.rerun is not None:
        raise UsageError(
            "A saved plan is carried out as it is.", hint="Ask for it when it is made: `taskspec plan --rerun … --out`."
        )
    if refresh_only:
        if saved is not None:
            raise UsageError("--refresh-only carries out no plan.", hint="Leave the file or --refresh-only out.")
        from taskspec.cli import drifting

        return drifting.acknowledge(invocation, yes=wanted.yes, as_json=as_json, quiet=wanted.quiet)
    return carry_out(
        invocation,
        wanted.options,
        yes=wanted.yes,
        as_json=as_json,
        quiet=wanted.quiet,
        saved=saved,
        expect_digest=expect_digest,
    )
