"""Where on the page a task is: a name for its address that can stand in a link. Draws nothing."""

import re
from typing import Final

from taskspec.address import Address, address_hash, task_name
from taskspec.report.html.markup import Element, el
from taskspec.report.html.showing import inline

_PLAIN: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")


def place_of_task(address: Address) -> str:
    """Return the id of the task's place on the page: another one for each address."""
    if _PLAIN.fullmatch(address):
        return f"task-{address}"
    return (
        f"cell-{task_name(address)[:60]}-{address_hash(address)}"
        if _PLAIN.fullmatch(task_name(address))
        else f"cell-{address_hash(address)}"
    )


def link_to(address: Address, *, is_here: bool) -> Element:
    """Return a link to a task's place, or its address where the page does not show it."""
    name = el("code", None, inline(address))
    return el("a", {"href": f"#{place_of_task(address)}"}, name) if is_here else name
