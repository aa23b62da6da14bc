"""`taskspec plan`."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from taskspec.cli import options, reporting, showing
from taskspec.cli.printing import note, paint_for, say_json, say_wrapped
from taskspec.cli.wiring import Wiring
from taskspec.errors import UsageError
from taskspec.plan.model import Plan
from taskspec.runner.model import Invocation


@click.command()
@options.targets
@options.targeting
@options.variables
@options.refreshing
@options.overriding
@options.risking
@options.rerunning
@options.since
@click.option("--refresh-only", is_flag=True, help="Show only what has changed on the remote since it was recorded.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there is something to do.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan, to be applied with `apply FILE`."
)
@click.option(
    "--expires",
    type=options.Duration(),
    metavar="DURATION",
    help="With --out: for how long it may be applied (default: 7d).",
)
@showing.quiet
@reporting.reports
@options.as_json
def plan(
    words: Sequence[str],
    project: Path | None,
    exclude: Sequence[str],
    given: Sequence[str],
    refresh: str,
    refresh_only: bool,
    detailed_exitcode: bool,
    out: Path | None,
    expires: float | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Show what apply would do, and why. Changes nothing.

    Runs no agent. With --refresh-only it plans nothing, and needs no task to be right. Exits with 3 or 5 where
    something recorded has no accepted result or waits for a person.
    """
    if expires is not None and out is None:
        raise UsageError("--expires is about a plan that is saved.", hint="Add --out FILE.")
    if refresh_only:
        from taskspec.cli import drifting

        invocation = options.invocation(words, project, given, refresh, exclude)
        return drifting.show(invocation, detailed=detailed_exitcode, as_json=as_json)
    reporting.require_apart(out)
    from taskspec.report.account import Kind

    invocation = options.invocation(words, project, given, refresh, exclude)
    ports = Wiring(invocation.settings)
    reporter = reporting.Reporter(Kind.PLAN, invocation, ports)

    shown = showing.Showing(as_json=as_json, quiet=quiet)

    def work() -> int:
        return make_plan(invocation, ports, reporter, out, expires, shown, detailed=detailed_exitcode)

    return reporter.run(work, as_json=as_json)


def make_plan(
    invocation: Invocation,
    ports: Wiring,
    reporter: reporting.Reporter,
    out: Path | None,
    expires: float | None,
    shown: showing.Showing,
    *,
    detailed: bool,
    first: Callable[[Plan], None] | None = None,
) -> int:
    """Make the plan, save it where that is asked for, and show it; `first` shows what is to be said before it."""
    from taskspec.cli.blaming import blamed
    from taskspec.cli.remarking import remark_for
    from taskspec.report import exiting
    from taskspec.runner import converging, planning

    as_json, quiet = shown.as_json, shown.quiet
    remark = remark_for(as_json=as_json, quiet=quiet)
    if out is not None:
        from taskspec.cli.saving import save

        made, reporter.digest = save(invocation, ports, remark, out, expires)
    elif as_json or not reporter.is_idle:  # a report tells of every task, also where none has changed
        made = planning.plan(invocation, ports, remark)
    else:
        made = converging.plan_or_recall(invocation, ports, remark)
    if out is None and (as_json or not quiet or not reporter.is_idle):
        made = blamed(made, invocation)
    reporter.plan = made
    if first is not None:
        first(made)
    show_plan(made, invocation, shown, is_kept=out is not None)
    if out is not None and reporter.digest is not None:
        from taskspec.cli.saving import tell_saved

        tell_saved(made, out, reporter.digest)
    return exiting.of_plan(made, detailed=detailed)


def show_plan(made: Plan, invocation: Invocation, shown: showing.Showing, *, is_kept: bool = False) -> None:
    """Write a plan to stdout; one that nobody keeps has no name there."""
    if shown.as_json and not made.changes and made.unselected:
        from taskspec.runner.choosing import nothing_chosen

        note(nothing_chosen(invocation.selection))
    if shown.as_json:
        from taskspec.plan.encoding import printed, to_json

        say_json(to_json(made) if is_kept else printed(made))
        showing.note_overlooked(made)
    else:
        from taskspec.report.plans import lines, quiet_lines

        say_wrapped((quiet_lines if shown.quiet else lines)(made, paint_for(sys.stdout)))
