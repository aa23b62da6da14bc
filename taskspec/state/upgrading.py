"""A record of an older format → the same in the format of today: one function a step. Opens and decides nothing."""

from collections.abc import Callable
from typing import Any, Final


def upgraded(record: Any, form: int) -> Any:
    """Return a record that was written in format `form` as it is written today; raise ValueError where it is none."""
    for step in _STEPS[form - 1 :]:
        record = step(record)
    return record


def _from_1(record: Any) -> Any:
    """Format 2 tells by which assertions an attempt was judged: before it there were none, and no judging again."""
    try:
        accepted = record["accepted"]
        attempts = [*record["generation"]["attempts"], *([accepted["attempt"]] if accepted is not None else [])]
        for attempt in attempts:
            if isinstance(attempt, dict):  # the accepted one may be named by its number
                attempt |= {"assertions": None, "rejudged": False}
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is no record of format 1: {error!r}") from error
    return record


def _from_2(record: Any) -> Any:
    """Format 3 tells whether a task is protected: before it none was."""
    if not isinstance(record, dict):
        raise ValueError("it is no record of format 2: expected an object")  # noqa: TRY004  # as for all that is none
    return {**record, "protect": False}


def _from_3(record: Any) -> Any:
    """Format 4 tells which numbers of generations were spent before a record moved: before it none were."""
    if not isinstance(record, dict):
        raise ValueError("it is no record of format 3: expected an object")  # noqa: TRY004  # as for all that is none
    return {**record, "spent": 0}


def _from_4(record: Any) -> Any:
    """Format 5 tells what a rendering depended on, what only taskspec reads, and which file declared the task."""
    try:
        generation = {**record["generation"], "inputs": None}
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is no record of format 4: {error!r}") from error
    return {**record, "generation": generation, "unsent": None, "file": ""}


def _from_5(record: Any) -> Any:
    """Format 6 tells what was checked out when an attempt was asked for: before it nobody noted it."""
    try:
        accepted = record["accepted"]
        attempts = [*record["generation"]["attempts"], *([accepted["attempt"]] if accepted is not None else [])]
        for attempt in attempts:
            if isinstance(attempt, dict):  # the accepted one may be named by its number
                attempt |= {"revision": None}
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is no record of format 5: {error!r}") from error
    return record


def _from_6(record: Any) -> Any:
    """Format 7 tells what somebody has taken notice of that an accepted run shows: before it nobody could."""
    try:
        accepted = record["accepted"]
        noted = None if accepted is None else {**accepted, "acknowledged": None}
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is no record of format 6: {error!r}") from error
    return {**record, "accepted": noted}


_STEPS: Final[tuple[Callable[[Any], Any], ...]] = (_from_1, _from_2, _from_3, _from_4, _from_5, _from_6)
