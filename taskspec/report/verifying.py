"""What was found of a history, in words and for machines. Computes no hash."""

from collections.abc import Iterator
from typing import Any

from taskspec.report.histories import break_words, entry_json
from taskspec.report.text import Paint
from taskspec.state.verifying import Verified


def verified_lines(found: Verified, paint: Paint) -> Iterator[str]:
    """Yield what is wrong with a history, and else that it is whole."""
    chain = found.chain
    if chain.broken is not None:
        yield paint(break_words(chain.broken, chain.length), "error")
    if found.shortened:
        yield paint(f"No entry has the head of the state, so that the newest were removed: {found.head}", "error")
    if found.lengthened:
        yield paint(f"Entries were added after the head of the state: {found.head}", "error")
    if found.missing is not None:
        text = f"No entry has the given head: the history was cut, or written anew: {found.missing}"
        yield paint(text, "error")
    if found.is_intact and not chain.length:
        yield "Nothing has happened yet."
    elif found.is_intact:
        count = "1 entry" if chain.length == 1 else f"{chain.length} entries"
        yield f"The history is whole: {count}, each of which follows from the one before it."
        yield f"Head of the history: {chain.head}"


def verified_json(found: Verified) -> dict[str, Any]:
    """Return what was found, for machines."""
    broken = found.chain.broken
    return {
        "intact": found.is_intact,
        "entries": found.chain.length,
        "head": found.chain.head,
        "broken": None
        if broken is None
        else {"position": broken.position, "inserted": broken.inserted, "entry": entry_json(broken.entry)},
        "shortened": found.shortened,
        "lengthened": found.lengthened,
        "missingHead": found.missing,
    }
