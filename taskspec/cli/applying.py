"""What `apply` and `retry` share: show, ask, carry out, and say how it went."""

import asyncio
import select
import signal
import sys
import termios
from contextlib import suppress
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
    from taskspec.runner.saved import SavedPlan

_LOOK = 0.2
"""How long one look at a prompt waits, in seconds."""


def carry_out(
    invocation: Invocation,
    options: Options,
    *,
    yes: bool,
    showing: Showing,
    requested: bool = False,
    saved: "SavedPlan | None" = None,
    expect_digest: str | None = None,
) -> int:
    """Apply, and return the exit code; `requested`: what is selected gets one more attempt by hand.

    `saved`: the plan that is carried out, in the place of one that is made now.
    """
    from taskspec.cli.remarking import remark_for
    from taskspec.runner.applying import Job, apply
    from taskspec.runner.preparing import say_nothing

    tally = Tally()
    audience = Audience(tally)
    planned: list[Plan] = []

    def approve(plan: Plan) -> bool:
        planned.append(plan)
        approved = _approved(plan, invocation, showing, yes=yes)
        if approved:
            tally.expect(change.address for change in plan.changes)
            audience.add(view_of(showing, plan, options.parallelism, tally))
        return approved

    wiring = Wiring(invocation.settings, parallelism=max(options.parallelism, 1))
    remark = remark_for(as_json=showing.as_json, quiet=showing.quiet)
    prepared = None
    if saved is not None:
        from taskspec.runner.saved import opened

        prepared, remark = opened(saved, invocation, wiring, expect_digest), say_nothing
    job = Job(
        options=options,
        approve=approve,
        emit=audience.hear,
        requested=requested,
        remark=remark,
        prepared=prepared,
        saved=saved,
    )
    trouble: TaskspecError | None = None
    try:
        if asyncio.run(apply(invocation, wiring, job)) is None:
            note("Not applied.")
            return ExitCode.ERROR
    except LimitError as error:
        return tell(error, as_json=showing.as_json, beside=foremost(map(of_plan, planned)))
    except TaskspecError as error:
        if not tally.began:
            raise
        trouble = error
    finally:
        unread = audience.close()
    code = foremost((tally.exit_code, unread))
    return code if trouble is None else tell(trouble, as_json=showing.as_json, beside=code)


def _approved(plan: Plan, invocation: Invocation, showing: Showing, *, yes: bool) -> bool:
    asks = bool(plan.pending) and not yes
    shown = showing.whole or (showing.quiet and asks)  # who is asked has to see about what
    if shown:
        from taskspec.cli.blaming import blamed
        from taskspec.report.plans import lines

        known = plan if plan.commits else blamed(plan, invocation)  # a saved plan knows them
        say_wrapped(lines(known, paint_for(sys.stdout)))
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
