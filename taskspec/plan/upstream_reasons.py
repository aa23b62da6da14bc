"""The reasons that lie in other tasks: what a change waits for, and why it cannot come. Decides nothing."""

from collections.abc import Iterator, Sequence
from typing import Final

from taskspec.address import Address, task_name
from taskspec.desired.model import DeferredTask
from taskspec.diagnostics import ManifestError
from taskspec.plan.causes import Reason
from taskspec.plan.model import Action, Change, Declared

SHOWN: Final = 5
"""How many upstream tasks a plan names for one change."""
LONGEST: Final = 200
"""How much of the reason of another task is repeated, in characters."""


def known_after(task: DeferredTask, upstream: Sequence[Change]) -> Reason:
    """Say after which tasks it is known what is asked for, and what is done about these."""
    open_uses = [change for change in upstream if change.address in task.uses]
    position = task.source.position()
    return Reason(code="known_after", text=f"known after {_named(open_uses or upstream)}", position=position)


def waits_for_upstream(task: Declared, upstream: Sequence[Change]) -> Reason:
    """Say which tasks have to be accepted before, and what is done about these."""
    position = task.source.position(("dependsOn",))
    return Reason(code="waits_for_upstream", text=f"waits for {_named(upstream)}", position=position)


def upstream_unhealthy(upstream: Sequence[Change]) -> Iterator[Reason]:
    """Say which tasks have no accepted result and will have none, each with the reason."""
    for change in upstream[:SHOWN]:
        yield Reason(code="upstream_unhealthy", text=f"`{change.address}` {_trouble(change)}")
    if len(upstream) > SHOWN:
        text = f"and {len(upstream) - SHOWN} more that it depends on have no accepted result"
        yield Reason(code="upstream_unhealthy", text=text)


def upstream_not_selected(task: Declared, upstream: Sequence[Change]) -> Reason:
    """Say which tasks are not accepted and were not selected, and how to select them too."""
    text = (
        f"{_listed([f'`{change.address}`' for change in upstream])} not accepted as declared, and not selected: "
        f"select `+{task.address}` to apply what it depends on too"
    )
    return Reason(code="upstream_not_selected", text=text)


def request_waits(upstream: Sequence[Change]) -> Reason:
    """Say that an attempt that was asked for by hand has to wait for other tasks."""
    named = _listed([f"`{change.address}`" for change in upstream])
    text = f"the attempt asked for by hand is put off: {named} to be accepted first"
    return Reason(code="request_put_off", text=text)


def template_failed(task: DeferredTask, error: ManifestError) -> Reason:
    """Say why a template cannot be rendered with the results that it uses."""
    first = error.diagnostics[0] if error.diagnostics else None
    if first is None:
        return Reason(code="template_failed", text=error.message, position=task.source.position())
    words = ": ".join(part for part in (first.summary, f"{first.detail} {first.hint}".strip()) if part)
    return Reason(code="template_failed", text=" ".join(words.split()), position=first.position)


def result_unreadable(task: DeferredTask, address: Address) -> Reason:
    """Say that the result of another task is recorded and cannot be read."""
    text = (
        f"the accepted result of `{address}` cannot be read from the state: restore the state folder from a backup, or "
        f"change `{address}`, so that it runs again"
    )
    return Reason(code="result_unreadable", text=text, position=task.source.position())


def _trouble(change: Change) -> str:
    if change.action is Action.BLOCKED:
        return "is blocked itself"
    return f"has no accepted result: {shortened(change.reasons[0].text)}"


def shortened(text: str) -> str:
    """Return the beginning of what is said of another task, on one line."""
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else f"{flat[: LONGEST - 1]}…"


def _named(upstream: Sequence[Change]) -> str:
    """Return tasks with what is done about each: "`extract` (create), 4 of `report[*]` (create) and 2 more"."""
    groups: dict[tuple[str, Action], list[Address]] = {}
    for change in upstream:
        groups.setdefault((task_name(change.address), change.action), []).append(change.address)
    named = [
        f"`{cells[0]}` ({action})" if len(cells) == 1 else f"{len(cells)} of `{name}[*]` ({action})"
        for (name, action), cells in groups.items()
    ]
    left = sum(len(cells) for cells in list(groups.values())[SHOWN:])
    return ", ".join(named[:SHOWN]) + (f" and {left} more" if left else "")


def _listed(names: Sequence[str]) -> str:
    """Return names and their verb: "`a` is", "`a`, `b` and 3 more are"."""
    shown, left = ", ".join(names[:SHOWN]), len(names) - SHOWN
    return f"{shown}{f' and {left} more' if left > 0 else ''} {'is' if len(names) == 1 else 'are'}"
