"""Choosing: the selectors of a command line → the addresses that a story is about. Prints nothing, asks no remote."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from taskspec.address import Address, matches, task_name
from taskspec.desired.model import Desired
from taskspec.diagnostics import nearest
from taskspec.errors import UsageError
from taskspec.selecting.choosing import idle, select
from taskspec.selecting.gathering import gather
from taskspec.selecting.globbing import plain
from taskspec.selecting.model import Candidate, Labelled, Named, Place, Selection, Within
from taskspec.state.model import Record

_LISTS = "`taskspec plan` shows what is declared, `taskspec status` what was applied."


def choose(
    selection: Selection,
    desired: Desired,
    records: Mapping[Address, Record],
    scope: frozenset[str] | None = None,
) -> frozenset[Address] | None:
    """Return the declared and recorded addresses that are selected; None for all.

    `scope` names the tasks of the one file that was named (None: all tasks): no other is ever selected. Raise
    UsageError for an address, a label or a file that fits none.
    """
    if selection.everything and scope is None:
        return None
    chosen = choose_among(selection, list(gather(desired, records, str(Path.cwd()))))
    return within(scope, chosen)


def within(scope: frozenset[str] | None, chosen: frozenset[Address]) -> frozenset[Address]:
    """Return those of some addresses that belong to the tasks of a scope; all of them where there is none."""
    return chosen if scope is None else frozenset(address for address in chosen if task_name(address) in scope)


def choose_among(selection: Selection, candidates: list[Candidate]) -> frozenset[Address]:
    """Return the candidates that are selected; raise UsageError for a name, label or file that fits none of them."""
    known = {candidate.address: candidate for candidate in candidates}
    _require(selection.addresses, known, "is neither declared nor recorded in this project")
    for place in idle(selection, candidates):
        raise UsageError(f"No task fits `{place}`.", hint=_nearest_place(place, candidates) or _LISTS)
    return select(selection, candidates)


def choose_anew(
    rerun: Selection | None,
    desired: Desired,
    records: Mapping[Address, Record],
    selected: frozenset[Address] | None,
) -> frozenset[Address]:
    """Return the addresses whose results are to be made anew; raise UsageError for one that is not selected too."""
    if rerun is None:
        return frozenset()
    chosen = choose_among(rerun, list(gather(desired, records, str(Path.cwd()))))
    require_some(rerun, chosen)
    left = sorted(chosen - selected) if selected is not None else []
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        raise UsageError(
            f"`{left[0]}`{more} is to run again (`--rerun`), and is not among the tasks that are selected.",
            hint="Select it too, or leave --rerun out.",
        )
    return chosen


def require_some(selection: Selection, chosen: Iterable[Address] | None) -> None:
    """Raise UsageError where a command that changes something would do it to nothing."""
    if chosen is not None and not list(chosen):
        raise UsageError(nothing_chosen(selection), hint="`taskspec plan` and `taskspec status` take the same words.")


def nothing_chosen(selection: Selection) -> str:
    """Return what is to be said where nothing is selected."""
    return f"No task is selected by `{selection}`."


def require_declared(addresses: Iterable[Address], declared: Mapping[Address, object]) -> None:
    """Raise UsageError for an address that is not declared."""
    _require(addresses, declared, "is not declared in this project")


def require_recorded(addresses: Iterable[Address], recorded: Mapping[Address, object]) -> None:
    """Raise UsageError for an address of which nothing is recorded, declared or not."""
    _require(addresses, recorded, "has never been applied in this project")


def folder_hint(word: str) -> str:
    """Return how a folder is named that an address was taken for; the empty text where there is none."""
    return f"There is a folder of that name: write `./{word}` for the project in it." if Path(word).is_dir() else ""


def _require(addresses: Iterable[Address], known: Mapping[Address, object], lacking: str) -> None:
    for address in addresses:
        if address not in known and not any(matches(address, other) for other in known):
            names = [*known, *map(task_name, known)]
            raise UsageError(f"`{address}` {lacking}.", hint=folder_hint(address) or nearest(address, names) or _LISTS)


def _nearest_place(place: Place, candidates: list[Candidate]) -> str:
    match place:
        case Named(pattern=pattern):
            return nearest(pattern, {task_name(candidate.address) for candidate in candidates})
        case Labelled(key=key, value=value):
            labels = {f"{name}={text}" for candidate in candidates for name, text in candidate.labels.items()}
            found = nearest(f"{plain(key)}={plain(value)}", labels)
            return found.replace("`", "`label:", 1)
        case Within(path=path):
            found = nearest(plain(path), {file for candidate in candidates for file in candidate.files[:1]})
            return found.replace("`", "`file:", 1)
