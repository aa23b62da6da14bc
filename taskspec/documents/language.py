"""The fields of the language as a tree of values, and which of them a word names. Reads no schema, words no page."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

ITEM: Final = "[]"
NAME: Final = "NAME"
_ITEMS: Final = re.compile(r"\[[0-9]*\]")
SLOTS: Final = frozenset({ITEM, NAME})
"""Steps of a path that no author writes: an item of a list, and a name that the author chooses."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field of the language; `default` means something only where `has_default` is true."""

    path: tuple[str, ...]
    """From the kind of the document on: `("task", "spec", "retry")`. Holds SLOTS where an author writes other words."""
    title: str
    description: str
    kinds: tuple[str, ...]
    """What it may be, in words: `text`, `list of texts`, `map`. Empty: anything."""
    allowed: tuple[Any, ...] = ()
    """The only values that it, or an item of it, may have; empty: no such list."""
    limits: tuple[str, ...] = ()
    required: bool = False
    has_default: bool = False
    default: Any = None
    examples: tuple[Any, ...] = ()
    run_relevant: bool | str | None = None
    """Whether a change starts a new run; a text says what of it counts. None: the question does not arise."""
    secret: bool = False
    template: bool = False
    """Whether it may be one single `{{ … }}`, whatever its kind."""
    fields: tuple["Field", ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """Return the last step of the path."""
        return self.path[-1]

    @property
    def is_slot(self) -> bool:
        """Tell whether an author writes another word in its place, or none."""
        return self.name in SLOTS

    @property
    def written(self) -> str:
        """Return the path as people write it: `project.spec.defaults[].spec`."""
        return ".".join(self.path).replace(f".{ITEM}", ITEM)

    @property
    def told(self) -> tuple[object, ...]:
        """Return what two fields have in common that mean the same in different places; `required` is left out."""
        words = (self.name, self.title, self.description, self.kinds, self.limits, self.template)
        values = (repr(self.allowed), repr(self.default), self.has_default, repr(self.examples))
        return (*words, *values, tuple(below.told for below in self.fields))

    @property
    def whole(self) -> Iterator["Field"]:
        """Yield the field and everything below it, in the order of the schema."""
        yield self
        for below in self.fields:
            yield from below.whole


def find(roots: Iterable[Field], word: str) -> list[Field]:
    """Return the fields that a word names: a path from a kind of document on, or the end of one (`retry.backoff`).

    A path may leave the slots out, or have any number for an item: `defaults.spec`, `defaults[0].spec`.
    """
    steps = _steps(word)
    if not steps:
        return []
    named = [found for root in roots for found in root.whole if found.name != ITEM]
    exact = [found for found in named if steps in (_written(found.path), _bare(found.path))]
    if exact:
        return exact[:1]
    return [found for found in named if not found.is_slot and _ends(found.path, steps)]


def field_names(roots: Iterable[Field]) -> list[str]:
    """Return every word that names a field, without repetition: first the names, then the whole paths."""
    everything = [found for root in roots for found in root.whole if not found.is_slot]
    return list(dict.fromkeys([*(found.name for found in everything), *(".".join(_bare(f.path)) for f in everything)]))


def _ends(path: tuple[str, ...], steps: tuple[str, ...]) -> bool:
    return any(known[-len(steps) :] == steps for known in (_written(path), _bare(path)))


def _steps(word: str) -> tuple[str, ...]:
    return tuple(step for step in _ITEMS.sub("", word).split(".") if step)


def _written(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(step for step in path if step != ITEM)


def _bare(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(step for step in path if step not in SLOTS)
