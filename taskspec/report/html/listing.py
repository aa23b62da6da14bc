"""The list of the tasks and its filter, most pressing first. Finds no task itself: the page's script hides rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from taskspec.health import Health
from taskspec.plan.model import IDLE
from taskspec.report.account import TaskTold
from taskspec.report.html.icons import health_word, of_health, state
from taskspec.report.html.markup import Element, Node, el
from taskspec.report.html.showing import inline
from taskspec.report.html.tasks import Surroundings, action_word, task_item

MOST: Final = 5_000
"""How many tasks have a place on a page."""
_RANKS: Final = {Health.UNHEALTHY: 0, Health.UNKNOWN: 1, Health.NEEDS_INPUT: 2}


def pressing(tasks: Sequence[TaskTold]) -> list[TaskTold]:
    """Return the tasks, those first that need a look, then what is, was or waits to be done, then the rest."""
    return sorted(tasks, key=_rank)


def task_list(tasks: Sequence[TaskTold], around: Surroundings, left_out: int) -> Iterator[Node]:
    """Yield the filter and the list."""
    yield _filter(tasks)
    yield el("div", {"class": "tasks", "id": "list"}, (task_item(task, around) for task in tasks))
    yield el("p", {"class": "nothing", "hidden": True}, "No task fits the filter.")
    yield el("button", {"type": "button", "class": "more", "hidden": True}, "Show all")
    if left_out:
        yield el(
            "p",
            {"class": "left-out"},
            f"{left_out} more tasks are left out here. ",
            el("code", None, inline(around.commands.of("status"), 700)),
            " lists all.",
        )


def _rank(task: TaskTold) -> tuple[int, bool]:
    is_idle = task.change.action in IDLE if task.change is not None else task.health is not None
    return (_RANKS.get(task.health, 3) if task.health is not None else 3), is_idle


def _filter(tasks: Sequence[TaskTold]) -> Element:
    """Return the filter, which only the page's script can work: without it nothing of it is shown."""
    healths = Counter(task.health for task in tasks)
    actions = Counter(map(action_word, tasks))
    field = {
        "type": "search",
        "id": "filter",
        "autocomplete": "off",
        "spellcheck": "false",
        "placeholder": "address, agent or label",
        "aria-describedby": "keys",
    }
    return el(
        "div",
        {"class": "filter", "role": "search", "aria-label": "Filter the tasks", "hidden": True},
        el("label", {"for": "filter"}, "Filter"),
        el("input", field),
        el(
            "div",
            {"class": "choices", "role": "group", "aria-label": "By health"},
            [
                _choice("health", health_word(health), count, state(of_health(health), health_word(health)))
                for health, count in healths.most_common()
            ],
        )
        if len(healths) > 1
        else None,
        el(
            "div",
            {"class": "choices", "role": "group", "aria-label": "By action"},
            [_choice("action", word, count, word) for word, count in actions.most_common()],
        )
        if len(actions) > 1
        else None,
        el("p", {"class": "quiet count", "role": "status", "id": "count"}),
        el(
            "p",
            {"class": "quiet keys", "id": "keys"},
            el("kbd", None, "/"),
            " filters, ",
            el("kbd", None, "j"),
            el("kbd", None, "k"),
            " or arrows move, ",
            el("kbd", None, "Esc"),
            " closes",
        ),
    )


def _choice(kind: str, value: str, count: int, name: Node) -> Element:
    attributes = {"type": "button", "aria-pressed": "false", "data-kind": kind, "data-value": value}
    return el("button", attributes, name, " ", el("span", {"class": "number quiet"}, str(count)))
