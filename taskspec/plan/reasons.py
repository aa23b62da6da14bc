"""The reasons of a plan: for each stable code a sentence, and what a person can do about it. Decides nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from shlex import quote
from typing import Final, assert_never

from taskspec.address import Address
from taskspec.desired.model import DesiredTask
from taskspec.diagnostics import Position
from taskspec.documents.model import OnRemove
from taskspec.moments import utc
from taskspec.plan.causes import Reason
from taskspec.plan.model import Declared, FieldDiff
from taskspec.plan.rerun_reasons import triggers_changed
from taskspec.plan.standing import Place, Situation, Standing
from taskspec.state.model import Accepted, Attempt, Record, StopCause

MOST_NAMED = 10  # addresses in a sentence
LONGEST_DETAIL = 200  # characters of somebody else's words in a sentence


def not_recorded() -> Reason:
    """Say that nothing was asked for under this address yet."""
    return Reason(code="not_recorded", text="no run of it is recorded yet")


def attempt_not_counted(attempt: Attempt) -> Reason:
    """Say that the last create reached no agent."""
    return Reason(
        code="attempt_not_counted", text=f"attempt {attempt.number} never reached an agent{words(attempt.detail)}"
    )


def outcome_unknown(record: Record, attempt: Attempt, quiet_period: float | None = None) -> Reason:
    """Say that an intent has no known outcome, and from when on the remote's lists can prove that there is no run."""
    which = f"attempt {attempt.number} of g{record.generation.number}"
    text = f"{which} was asked for, and whether the remote has it is not known: that is found out first"
    if quiet_period is not None:
        text += f"; from {utc(attempt.send_deadline + quiet_period)} on, a list without it proves that it is absent"
    return Reason(code="outcome_unknown", text=text)


def run_found(run: str) -> Reason:
    """Say that the run of an intent was found by its marker."""
    return Reason(code="run_found", text=f"run {run} on the remote bears its marker")


def duplicate_runs(address: Address, runs: Iterable[str]) -> Reason:
    """Say that more than one run bears the marker of one intent."""
    text = (
        f"more than one run bears its marker ({', '.join(sorted(runs))}): `taskspec adopt {quote(address)} RUN` takes "
        "one, `taskspec tasks stop RUN` ends another"
    )
    return Reason(code="duplicate_runs", text=text)


def accepted(result: Accepted) -> Reason:
    """Say that the declared text has its accepted result."""
    return Reason(code="accepted", text=f"the result of g{result.generation} is accepted")


def assertions_changed(task: DesiredTask, said: str, detail: str = "") -> Reason:
    """Say what the kept result is by assertions that changed since it was judged."""
    text = f"its assertions changed: the kept result {said}{words(detail)}"
    position = task.source.position(("assertions",))
    return Reason(code="assertions_changed", text=text, position=position, field="assertions")


def dependents_affected(dependents: Sequence[Address]) -> Reason:
    """Name the tasks that need a result which is no longer accepted."""
    named = ", ".join(dependents[:MOST_NAMED])
    more = f" and {len(dependents) - MOST_NAMED} more" if len(dependents) > MOST_NAMED else ""
    need = "needs" if len(dependents) == 1 else "need"
    return Reason(code="dependents_affected", text=f"{named}{more} {need} it to be accepted")


def result_unreadable(task: DesiredTask) -> Reason:
    """Say that a kept result has to be judged again, and is not there."""
    text = (
        "its assertions changed, and its kept result cannot be read from the state: restore the state folder from a "
        f"backup, write the assertions as they were, or `taskspec retry {quote(task.address)}`"
    )
    return Reason(code="result_unreadable", text=text, position=task.source.position(("assertions",)))


def text_returned(result: Accepted, task: DesiredTask) -> Reason:
    """Say that what is declared is again what an older, accepted generation was."""
    return Reason(
        code="text_returned",
        text=f"the text is again that of g{result.generation}, whose result is accepted",
        position=task.source.position(),
    )


def spec_changed(record: Record, task: DesiredTask, diffs: Iterable[FieldDiff]) -> Iterator[Reason]:
    """Name each field of what is sent that differs from the last generation."""
    since = f"changed since g{record.generation.number}"
    diffs = tuple(diffs)
    fields = list(dict.fromkeys(str(diff.path[0]) for diff in diffs))
    for name in fields:
        is_rerun = name == "rerun"  # what is sent of it nowhere, and yet is a reason to run again: its triggers
        text = f"{triggers_changed(diffs)} since g{record.generation.number}" if is_rerun else f"`{name}` {since}"
        yield Reason(code="spec_changed", text=text, position=task.source.position((name,)), field=name)
    if not fields:
        text = f"what is sent with the run {since}"
        yield Reason(code="spec_changed", text=text, position=task.source.position())


def remote_changed() -> Reason:
    """Say that the recorded run belongs to another remote than the project's."""
    return Reason(code="remote_changed", text="the remote changed: its last run was made on another one")


def run_active(situation: Situation) -> Reason:
    """Say that the run goes on, or what it waits for."""
    seen = situation.seen
    if situation.standing is Standing.PAUSED:
        what = _cut(seen.waits_for) if seen and seen.waits_for else "a person"
        return Reason(code="run_paused", text=f"{run_of(situation)} waits for {what}")
    doing = "executing" if situation.standing is Standing.EXECUTING else "pending"
    return Reason(code=f"run_{doing}", text=f"{run_of(situation)} is {doing}")


def result_not_judged(situation: Situation) -> Reason:
    """Say that the run completed and nobody judged its result."""
    return Reason(code="result_not_judged", text=f"{run_of(situation)} completed; its result is to be judged")


def run_ended(situation: Situation, standing: Standing) -> Reason:
    """Say how a run ended that gave no accepted result."""
    run, said = run_of(situation), words(situation.attempt.detail if situation.attempt else "")
    match standing:
        case Standing.REJECTED:
            return Reason(code="result_rejected", text=f"the result of {run} was rejected{said}")
        case Standing.FAILED:
            return Reason(code="run_failed", text=f"{run} failed{said}")
        case Standing.ERROR:
            return Reason(code="run_error", text=f"{run} ended in an error of the platform{said}")
        case _:
            code, what = _STOPPED[situation.attempt.stop if situation.attempt else None]
            return Reason(code=code, text=f"{run} {what}")


def outcome_not_recorded() -> Reason:
    """Say that the end of a run is known now and has to be recorded."""
    return Reason(code="outcome_not_recorded", text="how it ended is not recorded yet")


def attempt_granted(situation: Situation, task: DesiredTask) -> Reason:
    """Say that the retry policy grants a further attempt."""
    return Reason(
        code="attempt_granted",
        text=f"`retry` grants attempt {_counted(situation) + 1} of {task.policies.retry.max_attempts}",
        position=task.source.position(("retry",)),
    )


def no_attempt_left(situation: Situation, task: DesiredTask) -> Reason:
    """Say why the retry policy grants nothing, and how to get a run nevertheless."""
    made, retry = _counted(situation), task.policies.retry
    if situation.attempt is not None and situation.attempt.rejudged:
        command = f"taskspec retry {quote(task.address)}"
        text = f"judging it again earns no attempt; mend its assertions, or run it again: `{command}`"
        return Reason(code="no_attempt_left", text=text, position=task.source.position(("assertions",)))
    if made >= retry.max_attempts:
        why = f"no attempt is left ({made} of {retry.max_attempts})"
    else:
        why = f"`retry` does not cover this (statuses: {', '.join(retry.statuses)})"
    return Reason(
        code="no_attempt_left",
        text=f"{why}; to run it again: change it, raise `retry`, or `taskspec retry {quote(task.address)}`",
        position=task.source.position(("retry",)),
    )


def run_lost(situation: Situation) -> Reason:
    """Say that an active run has vanished."""
    address = situation.record.address if situation.record else Address("")
    status = (situation.attempt.status if situation.attempt else None) or "pending"
    gone = f"the remote does not know {run_of(situation)} any more, last seen {status}"
    return Reason(code="run_lost", text=f"{gone}; {_ways(address)}")


def run_gone(situation: Situation) -> Reason:
    """Say that a run which had ended has vanished."""
    return Reason(code="run_gone", text=f"the remote does not know {run_of(situation)} any more")


def run_unreadable(situation: Situation) -> Reason:
    """Say why a run cannot be looked at, and what to do."""
    match situation.place:
        case Place.OTHER_REMOTE:
            code, why = "run_elsewhere", "was started on another remote: go back to that one until it has ended, or"
        case Place.OTHER_INSTANCE:
            code, why = "run_elsewhere", "was started on an engine whose data folder is not here"
        case Place.HERE:
            said = words(situation.trouble)
            code, why = "run_unreadable", f"could not be read{said}; plan again when the remote answers"
        case _:
            assert_never(situation.place)
    address = quote(situation.record.address if situation.record else "")
    if situation.place is Place.OTHER_INSTANCE:
        why = f"{why}: a command on its machine follows it, or `taskspec retry {address}` starts another run, or"
    if situation.place is not Place.HERE:
        why = f"{why} `taskspec forget {address}` gives it up"
    return Reason(code=code, text=f"{run_of(situation)} {why}")


def stop_unfinished() -> Reason:
    """Say that a stop by hand was begun and did not get through."""
    return Reason(code="stop_unfinished", text="`taskspec stop` was cut off before the run had ended: that is finished")


def status_unknown(situation: Situation) -> Reason:
    """Say that the remote shows a status that nobody knows."""
    text = f"{run_of(situation)} shows the status `{_cut(situation.status or '')}`, which this version does not know"
    address = quote(situation.record.address if situation.record else "")
    text = f"{text}; `taskspec forget {address}` gives it up"
    return Reason(code="status_unknown", text=text)


def no_longer_declared() -> Reason:
    """Say that no document declares the address any more."""
    return Reason(code="no_longer_declared", text="no document declares it any more")


def removal(policy: OnRemove, situation: Situation) -> Reason:
    """Say what `onRemove` means for the run of a task that is no longer declared."""
    code, what = {
        OnRemove.STOP: ("removal_stops", "is stopped"),
        OnRemove.FORGET: ("removal_forgets", "goes on unwatched"),
        OnRemove.HOLD: ("removal_held", "is left as it is"),
    }[policy]
    return Reason(code=code, text=f"{run_of(situation)} {what} (`onRemove: {policy}`)")


def title_changed(task: DesiredTask) -> Reason:
    """Say that the title differs from the one that was last sent."""
    return Reason(code="title_changed", text="`title` changed; it needs no run", position=_title(task))


def title_not_sent(task: DesiredTask, why: str) -> Reason:
    """Say why a changed title is not sent."""
    return Reason(code="title_not_sent", text=f"`title` changed and is not sent: {why}", position=_title(task))


def _title(task: DesiredTask) -> Position:
    """Return where the title is written; where none is, it is the address, and the task's name gives it."""
    written = task.source.position(("title",))
    return written if written != task.source.position() else task.source.document.position(("metadata", "name"))


def policy_changed(task: DesiredTask, field: str) -> Reason:
    """Say that only what taskspec itself reads has changed."""
    position = task.source.position((field,))
    return Reason(code="policy_changed", text=f"`{field}` changed; it needs no run", position=position, field=field)


def unknown_agent(task: Declared, suggestion: str) -> Reason:
    """Say that the remote has no agent of the declared id."""
    hint = suggestion or "`taskspec agents list` shows those that it has."
    return Reason(
        code="unknown_agent",
        text=f"the remote has no agent `{task.agent}`. {hint}",
        position=task.source.position(("agent",)),
    )


_STOPPED: Final[Mapping[StopCause | None, tuple[str, str]]] = {
    StopCause.TIMEOUT: ("run_timed_out", "took longer than its `timeout` and was stopped"),
    StopCause.REPLACE: ("replace_unfinished", "was stopped to be replaced, and nothing took its place"),
    StopCause.RETRY: ("retry_unfinished", "was stopped for a further attempt, which was not started"),
    StopCause.REMOVE: ("run_stopped_by_us", "was stopped when nothing declared it"),
    StopCause.USER: ("run_stopped_by_us", "was stopped by `taskspec stop`"),
    None: ("run_stopped_by_other", "was stopped, and not by taskspec"),
}


def _ways(address: Address) -> str:
    """Name the commands with which a person decides about a run that is lost."""
    named = quote(address)
    return (
        f"`taskspec retry {named}` runs it anew, `taskspec adopt {named} RUN` takes another, "
        f"`taskspec forget {named}` gives it up"
    )


def run_of(situation: Situation) -> str:
    """Return how the run of a situation is called."""
    run = situation.attempt.run if situation.attempt else None
    return f"run {run}" if run else "its run"


def _counted(situation: Situation) -> int:
    return sum(attempt.counts for attempt in situation.record.generation.attempts) if situation.record else 0


def words(detail: str) -> str:
    """Return `: ` and the first line of somebody else's words, or nothing."""
    line = next((line for line in detail.splitlines() if line.strip()), "")
    return f": {_cut(line.strip())}" if line else ""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_DETAIL else f"{text[: LONGEST_DETAIL - 1]}…"
