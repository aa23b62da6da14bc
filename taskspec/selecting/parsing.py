"""Parsing: the words of a command line → a selection. Looks at no task: whether there are such is not its matter.

word   = term { "," term }                        no comma in brackets or quotes parts terms
term   = [ [ number ] "+" ] criterion [ "+" [ number ] ]
criterion = pattern | method ":" value
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple, TypeVar

from taskspec.address import is_pattern, pieces
from taskspec.diagnostics import nearest
from taskspec.errors import UsageError
from taskspec.selecting.globbing import plain
from taskspec.selecting.model import (
    NEVER,
    UNBOUNDED,
    Compared,
    Comparison,
    Criterion,
    Judged,
    Labelled,
    Named,
    Selection,
    Term,
    Within,
    Word,
)
from taskspec.state.model import Verdict

V = TypeVar("V")

MAX_WORD: Final = 4096
"""How many characters one word may have."""
_TERM: Final = re.compile(r"(?:([0-9]{0,5})\+)?(.+?)(?:\+([0-9]{0,5}))?", re.DOTALL)
_METHOD: Final = re.compile(r"([^\s:,+*?\"\[\]/]+):(.*)", re.DOTALL)
_EXAMPLE: Final = (
    "Write an address, a glob (`report*`), `label:team=growth`, `file:tasks/*.yaml`, `state:changed` or "
    "`result:failed`; a `+` before it takes its upstream along, one behind it its downstream."
)


def parse(words: Iterable[str], exclude: Iterable[str] = (), targets: Iterable[str] = ()) -> Selection:
    """Return the selection that words stand for; raise UsageError for one that is no selector."""
    return Selection(words=tuple(_words(words)), exclude=tuple(_words(exclude)), targets=tuple(_words(targets)))


def is_selector(word: str) -> bool:
    """Tell whether a word has the form of selectors."""
    try:
        return bool(parse([word]).words)
    except UsageError:
        return False


def _words(texts: Iterable[str]) -> Iterator[Word]:
    for text in texts:
        found = _parted(text, str.isspace)
        if not any(found):
            raise UsageError("A selector is empty.", hint=_EXAMPLE)
        for word in filter(None, found):
            yield tuple(_term(part, word) for part in _parted(word, ",".__eq__))


def _parted(text: str, parts: Callable[[str], bool]) -> list[str]:
    """Cut a text at the characters that stand neither in brackets nor in quotes."""
    if len(text) > MAX_WORD:
        raise UsageError(f"A selector has more than {MAX_WORD} characters.", hint="Use globs, or labels.")
    found, depth = [""], 0
    for piece in pieces(text):
        depth += (piece == "[") - (piece == "]")
        if depth not in {0, 1} or piece == '"':
            raise UsageError(f"`{text}` has a bracket or a quote that stands alone.", hint="Write `report[q1,*]`.")
        if depth == 0 and parts(piece):
            found.append("")
        else:
            found[-1] += piece
    if depth:
        raise UsageError(f"`{text}` has a bracket that is not closed.", hint="Write `report[q1,*]`.")
    return found


def _term(text: str, word: str) -> Term:
    if not text:
        hint = "A comma stands between two selectors, without spaces: `label:team=growth,state:changed`."
        raise UsageError(f"`{word}` has a comma with nothing beside it.", hint=hint)
    found = _TERM.fullmatch(text)
    assert found is not None  # it takes any text that is not empty
    return Term(criterion=_criterion(found[2], word), above=_steps(found[1]), below=_steps(found[3]))


def _steps(number: str | None) -> int:
    if number is None:
        return 0
    return int(number) if number else UNBOUNDED


def _criterion(text: str, word: str) -> Criterion:
    found = _METHOD.fullmatch(text)
    if found is None:
        if is_pattern(text):
            return Named(pattern=text)
        why = "names of tasks are of lower-case letters, digits, `-` and `_`, and paths have a `/`"
        raise UsageError(f"`{text}` is no selector: {why}.", hint=_EXAMPLE)
    method, value = found[1], found[2]
    known = _METHODS.get(method)
    if known is None:
        hint = f"{nearest(method, _METHODS)} {_EXAMPLE}".lstrip()
        raise UsageError(f"`{word}` asks for `{method}:`, which is no method of selection.", hint=hint)
    if not value:
        raise UsageError(f"`{word}` says nothing after `{method}:`.", hint=f"Write `{method}:{known.example}`.")
    return known.read(value)


def _label(value: str) -> Criterion:
    found = pieces(value)
    at = found.index("=") if "=" in found else len(found)
    key, wanted = "".join(found[:at]), "".join(found[at + 1 :])
    if not key:
        raise UsageError(f"`label:{value}` names no label.", hint="Write `label:team=growth`, or `label:team` for any.")
    return Labelled(key=_readable(key), value=_readable(wanted) if at < len(found) else "*")


def _file(value: str) -> Criterion:
    return Within(path=_readable(value))


def _state(value: str) -> Criterion:
    return Compared(comparison=_one_of("state", value, {str(word): word for word in Comparison}))


def _result(value: str) -> Criterion:
    known: dict[str, Verdict | None] = {str(word): word for word in Verdict}
    return Judged(verdict=_one_of("result", value, {**known, NEVER: None}))


class _Method(NamedTuple):
    read: Callable[[str], Criterion]
    example: str


_METHODS: Final[Mapping[str, _Method]] = {
    "label": _Method(_label, "team=growth"),
    "file": _Method(_file, "tasks/*.yaml"),
    "state": _Method(_state, "changed"),
    "result": _Method(_result, "failed"),
}
METHODS: Final = tuple(_METHODS)


def _one_of(method: str, value: str, known: Mapping[str, V]) -> V:
    if value not in known:
        hint = f"{nearest(value, known)} It may be {', '.join(f'`{word}`' for word in known)}.".lstrip()
        raise UsageError(f"`{value}` is nothing that `{method}:` knows.", hint=hint)
    return known[value]


def _readable(glob: str) -> str:
    """Return a glob whose quotes can be read."""
    try:
        plain(glob)
    except ValueError:
        raise UsageError(
            f"`{glob}` has something in quotes that cannot be read.", hint='It is read as in JSON: `\\"` is a quote.'
        ) from None
    return glob
