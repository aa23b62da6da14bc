"""The history in words: what each entry says, who asked for it, and whether the chain holds. Reads no state."""

import json
from collections.abc import Mapping
from typing import Any, Final

from taskspec.moments import iso, utc
from taskspec.report.text import Paint, duration, in_line, one_line, plural, some
from taskspec.state.chaining import Break
from taskspec.state.model import HistoryEntry, Note
from taskspec.state.retelling import revision_told
from taskspec.state.writing import entry_object

LONGEST: Final = 300
"""How many characters of foreign words an entry shows; `--json` has all of them."""

_WHOLE: Final = "(all)"
"""How an entry is told that concerns no single address."""
_ATTEMPT: Final = ("generation", "attempt")
_WHO: Final = ("plan", "by")
_PLAIN: Final[Mapping[str, tuple[str, ...]]] = {
    "accepted": ("the result of g{} was made the accepted one", "from"),
    "begun": ("a saved plan was begun",),
    "done": ("the saved plan was carried out",),
    "bound": ("run {} has begun", "run"),
    "refused": ("no run was started: {}", "why"),
    "repeated": ("asked for once more, under the same key",),
    "absent": ("its run is not there: {}", "why"),
    "adopted": ("run {} was taken for it", "run"),
    "seen": ("its run is {}", "status"),
    "lost": ("the remote does not know run {} any more", "run"),
    "revived": ("run {} goes on: it is {}", "run", "status"),
    "acknowledged": ("taken notice of: run {} shows {}; the result stays accepted", "run", "status"),
    "stopping": ("run {} is to be stopped (cause: {})", "run", "cause"),
    "rejudged": ("judged again: {}", "verdict"),
    "migrated": ("the state was moved to {}", "to"),
    "rebuilt": ("the state was rebuilt of what the remote shows; tasks: {}", "records"),
    "arrived": ("the state has come here from {}", "from"),
}
"""What the other kinds of notes say, and of which of their data."""


def entry_line(entry: HistoryEntry, paint: Paint) -> str:
    """Return an entry as a line."""
    note = entry.note
    when = utc(note.at).removesuffix(" UTC")
    who = _who(note.data)
    said = f"{when}  {entry.serial:>5}  {paint(_about(note), 'strong')}{_which(note.data)}  {words(note)}"
    return f"{said}  {paint(who, 'dim')}" if who else said


def entry_json(entry: HistoryEntry) -> dict[str, Any]:
    """Return an entry for machines; `time` is null for a moment that no calendar has."""
    return {**entry_object(entry), "time": iso(entry.note.at)}


def words(note: Note) -> str:
    """Return what a note says, in one line; a kind that is not known is told as it is."""
    return one_line(_words(note), LONGEST)


def break_words(found: Break, length: int) -> str:
    """Return what is wrong with a history, and where first."""
    note = found.entry.note
    said = words(note)
    where = f"Entry {found.position} of {length} (serial {found.entry.serial}, {_about(note)}: {said})"
    if found.inserted:
        return f"{where} was put in later: those around it follow from each other without it."
    return (
        f"{where} does not follow from what is before it: it was edited, or its place changed, or an entry just before "
        "it was edited or removed."
    )


def _words(note: Note) -> str:
    data = note.data
    match note.what:
        case "ended":
            return f"ended ({_value(data, 'status')}): {_value(data, 'verdict')}{_spent(data)}"
        case "intended":
            commit = revision.commit if (revision := revision_told(data)) is not None else None
            return f"a run of {_value(data, 'agent')} is to be asked for{f' at commit {commit[:12]}' if commit else ''}"
        case "stopped":
            return f"run {_value(data, 'run')} was stopped: it is {_value(data, 'status')}{_spent(data)}"
        case "retitled":
            kept = "got the title" if data.get("kept") else "did not take the title"
            return f"its run {kept} {json.dumps(_value(data, 'title'), ensure_ascii=False)}"
        case "moved":
            return f"moved to {_value(data, 'to')}" if "to" in data else f"moved here from {_value(data, 'from')}"
        case "forgotten":
            kept = f"; its result of g{_value(data, 'generation')} stays" if "result" in data else ""
            return f"left the state{kept}"
        case "pruned":
            found = data.get("results")
            older = plural(len(found) if isinstance(found, list | tuple) else 0, "older result")
            return f"{older} removed, as its retention asks{_of_generations(data)}"
        case "superseded":
            kept = "its text is kept here" if data.get("spec") is not None else "its text is that of the next one"
            return f"g{_value(data, 'generation')} is an older generation from now on; {kept}"
        case "duplicates":
            runs = data.get("runs")
            count = len(runs) if isinstance(runs, list | tuple) else "several"
            return f"the remote has it as {count} runs: {_value(data, 'kept')} is kept"
        case what if what in _PLAIN:
            text, *names = _PLAIN[what]
            return text.format(*(_value(data, name) for name in names))
        case _:
            told = {name: value for name, value in data.items() if name not in {*_ATTEMPT, *_WHO}}
            return f"{note.what} {json.dumps(told, ensure_ascii=False)}" if told else note.what


def _of_generations(data: Mapping[str, Any]) -> str:
    told = data.get("generations")
    names = [f"g{one}" for one in told] if isinstance(told, list | tuple) else []
    return f": {'that' if len(names) == 1 else 'those'} of {some(names)}" if names else ""


def _spent(data: Mapping[str, Any]) -> str:
    """Return what a run has taken, as far as it is told."""
    seconds, tokens = data.get("seconds"), data.get("tokens")
    took = f" in {duration(seconds)}" if isinstance(seconds, int | float) else ""
    if isinstance(tokens, Mapping) and all(isinstance(count, int) for count in tokens.values()):
        return f"{took}, {sum(tokens.values())} tokens"
    return took


def _about(note: Note) -> str:
    return in_line(note.address) or _WHOLE


def _which(data: Mapping[str, Any]) -> str:
    generation, attempt = (data.get(name) for name in _ATTEMPT)
    if not isinstance(generation, int) or not isinstance(attempt, int) or not attempt:
        return ""
    return f" g{generation}.{attempt}"


def _who(data: Mapping[str, Any]) -> str:
    if data.get("by") == "hand":
        return "by hand"
    plan = data.get("plan")
    return f"plan {in_line(plan, 80)}" if isinstance(plan, str) else ""


def _value(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return "?" if value is None else str(value)
