"""The reasons of a plan that `rerun`, `onChangeActive`, `protect` and `sideEffects` give. Decides nothing."""

from collections.abc import Iterable, Mapping
from shlex import quote

from taskspec.address import Address
from taskspec.desired.model import DesiredTask
from taskspec.diagnostics import Position
from taskspec.moments import utc
from taskspec.plan.causes import Reason
from taskspec.plan.model import Declared, FieldDiff
from taskspec.plan.standing import Situation

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def due_always(task: DesiredTask) -> Reason:
    """Say that the task runs once in every apply."""
    return Reason(code="rerun_always", text="`rerun: always`: once in every apply", position=_rerun(task))


def triggers_changed(diffs: Iterable[FieldDiff]) -> str:
    """Return which of the values whose change is a reason to run again are other ones."""
    names: dict[str, None] = {}
    for diff in diffs:
        if diff.path[:2] == ("rerun", "triggers"):
            names[f"`{diff.path[2]}`"] = None
        elif diff.path[0] == "rerun":
            sides = [side["triggers"] for side in (diff.before, diff.after) if isinstance(side, Mapping)]
            names.update((f"`{name}`", None) for side in sides for name in side)
    listed = ", ".join(names)
    return f"the trigger {listed} is another one" if len(names) == 1 else f"the triggers {listed} are other ones"


def grown_old(task: DesiredTask, since: float) -> Reason:
    """Say that the last run is older than it may be; `since` in seconds since the epoch.

    The moment is told, and no age: the same plan is the same text a moment later.
    """
    after = _duration(task.policies.rerun.after or 0)
    text = f"its last run is of {utc(since)}, and one runs again after {after}"
    return Reason(code="rerun_after", text=text, position=_rerun(task))


def change_ignored(task: DesiredTask, fields: Iterable[str]) -> Reason:
    """Say that a change starts no run."""
    named = ", ".join(f"`{name}`" for name in fields)
    text = f"changed since it was asked for: {named}; `rerun` lets that start no run"
    return Reason(code="change_ignored", text=text, position=_rerun(task))


def queued(task: Declared, situation: Situation) -> Reason:
    """Say that the change waits for the end of a run."""
    text = f"what is declared now runs when run {_run(situation)} has ended (`onChangeActive: queue`)"
    return Reason(code="change_queued", text=text, position=task.source.position(("onChangeActive",)))


def let_end(task: Declared, situation: Situation) -> Reason:
    """Say that a run which nothing needs any more is left to its end."""
    text = f"run {_run(situation)} is left to its end (`onChangeActive: queue`)"
    return Reason(code="left_to_end", text=text, position=task.source.position(("onChangeActive",)))


def change_held(task: Declared, situation: Situation) -> Reason:
    """Say that a change is held as long as a run is active, and how to get on."""
    text = (
        f"the change is held while run {_run(situation)} is active (`onChangeActive: hold`): "
        f"wait for its end, or stop it with `taskspec stop {quote(task.address)}`"
    )
    return Reason(code="change_held", text=text, position=task.source.position(("onChangeActive",)))


def protected(address: Address, task: Declared | None) -> Reason:
    """Say that the change is held because it is destructive and the task is protected, and how to get on."""
    if task is None:
        text = (
            "it is protected: declare it with `protect: false` and apply, then remove it; or stop its run with "
            f"`taskspec stop {quote(address)}`"
        )
        return Reason(code="change_protected", text=text)
    text = (
        "it is protected (`protect: true`): its run is not stopped, and it does not run again by itself; "
        "both happen without `protect`"
    )
    return Reason(code="change_protected", text=text, position=task.source.position(("protect",)))


def would_be_protected(task: Declared) -> Reason:
    """Say that the change would be held if it came to it, and how to let it."""
    text = "would be held: `protect: true`; no run of it starts; without `protect` one does"
    return Reason(code="change_protected", text=text, position=task.source.position(("protect",)))


def repeats_side_effects(task: Declared) -> Reason:
    """Say that running it again repeats what it does to the world."""
    position = task.source.position(("sideEffects",))
    return Reason(code="side_effects", text="running it again repeats its side effects", position=position)


def requested_anew() -> Reason:
    """Say that a person asks for one more run of what has its accepted result."""
    text = "asked for by hand (`--rerun`); its result stays accepted until the new one is"
    return Reason(code="rerun_requested", text=text)


def anew_put_off(situation: Situation) -> Reason:
    """Say that a run asked for by hand waits until the current one is accounted for."""
    text = f"the new run asked for by hand (`--rerun`) is put off: run {_run(situation)} comes first"
    return Reason(code="rerun_put_off", text=text)


def anew_without_result(address: Address) -> Reason:
    """Say that there is no accepted result which could be made anew, and how to get a run nevertheless."""
    text = (
        "`--rerun` makes an accepted result anew, and this text has none: "
        f"`taskspec retry {quote(address)}` grants one more attempt"
    )
    return Reason(code="rerun_without_result", text=text)


def anew_undeclared() -> Reason:
    """Say that a run was asked for by hand of what nothing declares."""
    text = "the new run asked for by hand (`--rerun`) is not started, as nothing says what to ask for"
    return Reason(code="rerun_undeclared", text=text)


def _duration(seconds: float) -> str:
    if 0 < seconds < 1:
        return f"{max(1, int(seconds * 1000))}ms"
    whole = max(0, int(seconds))
    size, unit = next((one for one in _UNITS if whole >= one[0]), _UNITS[-1])
    return f"{whole // size}{unit}"


def _rerun(task: DesiredTask) -> Position:
    return task.source.position(("rerun",))


def _run(situation: Situation) -> str:
    return (situation.attempt.run if situation.attempt else None) or "of the text before"
