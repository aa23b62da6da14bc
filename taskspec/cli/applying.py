"""What `apply` and `retry` share: show, ask, carry out, and say how it went."""

import asyncio
import select
import signal
import sys
import termios
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from taskspec.apply.model import Options
from taskspec.cli.audience import Audience
from taskspec.cli.failing import tell
from taskspec.cli.printing import note, paint_for, say_wrapped
from taskspec.cli.showing import Showing, view_of
from taskspec.cli.wiring import Wiring
from taskspec.errors import LimitError, TaskspecError, UsageError
from taskspec.plan.model import Plan
from taskspec.report.counting import Tally
from taskspec.report.exiting import ExitCode, foremost, of_plan
from taskspec.runner.model import Invocation
from taskspec.settings import DEFAULT_ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskspec.cli.reporting import Reporter
    from taskspec.documents.model import Project
    from taskspec.runner.saved import SavedPlan

_LOOK = 0.2
"""How long one look at a prompt waits, in seconds."""


def carry_out(
    invocation: Invocation,
    options: Options,
    *,
    yes: bool,
    as_json: bool,
    quiet: bool = False,
    requested: bool = False,
    saved: "SavedPlan | None" = None,
    expect_digest: str | None = None,
) -> int:
    """Apply, make the reports of it, and return the exit code; `requested`: what is selected gets one more attempt.

    `saved`: the plan that is carried out, in the place of one that is made now.
    """
    from taskspec.cli.reporting import Reporter
    from taskspec.report.account import Kind

    wiring = Wiring(invocation.settings, parallelism=max(options.parallelism, 1))
    reporter = Reporter(Kind.APPLY, invocation, wiring, project=project_of_plan(saved, invocation))
    manner = Manner(
        yes=yes, as_json=as_json, quiet=quiet, requested=requested, saved=saved, expect_digest=expect_digest
    )
    return reporter.run(lambda: carry(invocation, options, wiring, reporter, manner), as_json=as_json)


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """How a plan is carried out, apart from the options of its execution."""

    yes: bool
    as_json: bool
    quiet: bool = False
    requested: bool = False
    saved: "SavedPlan | None" = None
    expect_digest: str | None = None
    guards: "Project | None" = None
    """Whose limits and policies a saved plan has to keep once more; None where those of its making were enough."""

    @property
    def showing(self) -> Showing:
        """Return how much is shown, and for whom."""
        return Showing(as_json=self.as_json, quiet=self.quiet)


def project_of_plan(saved: "SavedPlan | None", invocation: Invocation) -> "Callable[[], Project] | None":
    """Return what finds the project of a saved plan; None where there is none, and the invocation names it."""
    if saved is None:
        return None
    from taskspec.runner.saved import project_in

    return lambda: project_in(saved, invocation)


def carry(invocation: Invocation, options: Options, wiring: Wiring, reporter: "Reporter", manner: Manner) -> int:
    """Apply, and return the exit code; `reporter` is told all that happens."""
    from taskspec.cli.remarking import remark_for
    from taskspec.runner.applying import Job, apply
    from taskspec.runner.preparing import say_nothing

    tally = Tally()
    audience = Audience(tally, *reporter.views)
    saved, as_json = manner.saved, manner.as_json
    planned: list[Plan] = []

    def approve(plan: Plan) -> bool:
        planned.append(plan)
        if not plan.commits and not (as_json and reporter.is_idle):  # a saved plan knows them
            from taskspec.cli.blaming import blamed

            plan = blamed(plan, invocation)
        reporter.plan = plan
        approved = _approved(plan, manner.showing, yes=manner.yes)
        if approved:
            tally.expect(change.address for change in plan.changes)
            audience.add(view_of(manner.showing, plan, options.parallelism, tally))
        return approved

    remark = remark_for(as_json=as_json, quiet=manner.quiet)
    prepared = None
    if saved is not None:
        from taskspec.runner.saved import opened

        reporter.digest = saved.digest
        prepared, remark = opened(saved, invocation, wiring, manner.expect_digest, manner.guards), say_nothing
    job = Job(
        options=options,
        approve=approve,
        emit=audience.hear,
        requested=manner.requested,
        remark=remark,
        prepared=prepared,
        saved=saved,
    )
    trouble: TaskspecError | None = None
    try:
        if asyncio.run(apply(invocation, wiring, job)) is None:
            note("Not applied.")
            reporter.learn(TaskspecError("Not applied: nobody approved of the plan."))
            return ExitCode.ERROR
    except LimitError as error:
        reporter.learn(error)
        return tell(error, as_json=as_json, beside=foremost(map(of_plan, planned)))
    except TaskspecError as error:
        if not tally.began:
            raise
        trouble = error
        reporter.learn(error)
    finally:
        unread = audience.close()
    code = foremost((tally.exit_code, unread))
    return code if trouble is None else tell(trouble, as_json=as_json, beside=code)


def _approved(plan: Plan, showing: Showing, *, yes: bool) -> bool:
    asks = bool(plan.pending) and not yes
    shown = not showing.as_json and (asks or not showing.quiet)  # who is asked has to see about what
    if shown:
        from taskspec.report.plans import lines

        say_wrapped(lines(plan, paint_for(sys.stdout)))
    require_within(plan, shown=shown)
    if not asks:
        return True
    if showing.as_json:
        raise UsageError(
            "--json needs --yes: nobody is asked about a plan that was not shown.",
            hint="Look at it with `taskspec plan`, then add --yes.",
        )
    if not sys.stdin.isatty():
        raise UsageError(
            "apply asks before it does anything, and there is no terminal to ask on.",
            hint="Add --yes to apply without being asked.",
        )
    where = "" if plan.environment == DEFAULT_ENVIRONMENT else f" in {plan.environment}"
    return asked(f"Carry this out{where}?")


def require_within(plan: Plan, *, shown: bool, way: str = "") -> None:
    """Raise LimitError for a plan that goes beyond a limit; with the whole reason, where the plan was not shown.

    `way` is how to go beyond it, with `{}` for the limit, where it is not by an option of the command itself.
    """
    if plan.refusals:
        from taskspec.report.refusing import refused, way_out

        limits = ", ".join(f"`{refusal.limit}`" for refusal in plan.refusals)
        said = f"the plan is refused by {limits}" if shown else " ".join(map(refused, plan.refusals))
        raise LimitError(f"nothing was started: {said}", hint=way_out(plan.refusals[0], way))


def asked(question: str) -> bool:
    """Ask on the terminal; anything but `y` or `yes` is a no.

    The event loop has its own way with Ctrl-C: a person at a prompt wants it at once. A signal is heard between two
    short looks at the terminal, because one that comes just before a blocking read would wait for the next key.
    What was typed before the question could be seen is no answer to it.
    """
    with suppress(termios.error):
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.stderr.write(f"\n{question} [y/N]: ")
        sys.stderr.flush()
        while not select.select([sys.stdin], [], [], _LOOK)[0]:
            pass
        answer = sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, kept)
    if not answer:
        raise click.Abort
    return answer.strip().lower() in {"y", "yes"}
