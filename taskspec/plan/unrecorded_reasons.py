"""The reasons that lie in runs which no record has: why they keep others from being started. Decides nothing."""

from collections.abc import Sequence
from shlex import quote

from taskspec.address import Address
from taskspec.plan.causes import Reason
from taskspec.plan.reasons import MOST_NAMED
from taskspec.plan.upstream_reasons import shortened
from taskspec.quoting import operand
from taskspec.taskapi.records import TaskRecord


def unrecorded_runs(address: Address, runs: Sequence[TaskRecord]) -> Reason:
    """Say that runs on the remote bear a marker of an address, and nothing recorded accounts for them."""
    named = ", ".join(f"{run.id} ({run.status})" for run in runs[:MOST_NAMED])
    more = f" and {len(runs) - MOST_NAMED} more" if len(runs) > MOST_NAMED else ""
    bear = "bears its marker and is" if len(runs) == 1 else "bear its marker and are"
    which = runs[0].id if len(runs) == 1 else "RUN"
    text = (
        f"on the remote, {named}{more} {bear} not recorded: `taskspec adopt {quote(address)} {operand(which)}` takes "
        "it as its run, and without `--refresh=full` another is started"
    )
    return Reason(code="unrecorded_runs", text=text)


def runs_unlisted(agent: str, why: str) -> Reason:
    """Say that runs which nobody recorded were to be looked for, and could not."""
    text = (
        f"whether the remote has runs of it that are not recorded is not known: the runs of `{agent}` cannot be listed"
    )
    return Reason(code="runs_unlisted", text=f"{text}: {shortened(why)}")
