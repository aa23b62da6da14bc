"""Selectors as values, and what they choose among. Parses nothing, chooses nothing."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from taskspec.address import Address, is_glob
from taskspec.state.model import Verdict

UNBOUNDED: Final = 1_000_000
"""The number of steps of a `+` without a number."""
NEVER: Final = "none"
"""What `result:` calls a task that was never applied."""


class Comparison(StrEnum):
    """How what is declared of an address compares with the generation that is recorded: one for each address."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """The tasks whose address fits a pattern."""

    pattern: str

    def __str__(self) -> str:
        """Return it as it is written."""
        return self.pattern


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """The tasks with a label whose name and value fit two globs."""

    key: str
    value: str = "*"

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"label:{self.key}={self.value}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Within:
    """The tasks whose file, or a folder above it, fits a glob."""

    path: str

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"file:{self.path}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """The tasks that compare in one way with what is recorded."""

    comparison: Comparison

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"state:{self.comparison}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """The tasks of whose last attempt a verdict is recorded; with None, those that were never applied."""

    verdict: Verdict | None

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"result:{self.verdict or NEVER}"


Criterion = Named | Labelled | Within | Compared | Judged
Place = Named | Labelled | Within
"""A criterion of what is written down by hand: one that fits no task is a mistake."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """A criterion, and how many steps of the graph above and below its tasks are taken along."""

    criterion: Criterion
    above: int = 0
    below: int = 0

    def __str__(self) -> str:
        """Return it as it is written."""
        above, below = (("" if steps == UNBOUNDED else str(steps)) for steps in (self.above, self.below))
        return f"{above + '+' if self.above else ''}{self.criterion}{'+' + below if self.below else ''}"


Word = tuple[Term, ...]
"""An intersection: the tasks that each of its terms selects."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """The union of words and targets (of all tasks where there is neither), without the union of others."""

    words: tuple[Word, ...] = ()
    exclude: tuple[Word, ...] = ()
    targets: tuple[Word, ...] = ()
    """Words that take along whatever their tasks depend on."""

    def __str__(self) -> str:
        """Return it as it is written on a command line."""
        excluded = (f"--exclude {word_text(word)}" for word in self.exclude)
        aimed_at = (f"--target {word_text(word)}" for word in self.targets)
        return " ".join([*map(word_text, self.words), *aimed_at, *excluded])

    @property
    def everything(self) -> bool:
        """Tell whether nothing is selected or left out by a word."""
        return not self.words and not self.exclude and not self.targets

    @property
    def terms(self) -> Iterator[Term]:
        """Yield every term, those of excluded words too."""
        for word in (*self.words, *self.targets, *self.exclude):
            yield from word

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Return the addresses that stand in it in full, without a glob: each of them has to be there."""
        return tuple(_addresses(self.terms))

    @property
    def meant(self) -> tuple[Address, ...]:
        """Return those of the addresses that are meant themselves: neither excluded, nor only a place in the graph."""
        terms = (term for word in self.words for term in word if not term.above and not term.below)
        return tuple(_addresses(terms))

    @property
    def only(self) -> Address | None:
        """Return the address that is the whole of it; None where it is anything else."""
        alone = len(list(self.terms)) == 1 and len(self.meant) == 1
        return self.meant[0] if alone else None

    @property
    def needs_documents(self) -> bool:
        """Tell whether only the documents say what it selects: labels, files, the graph, or what they ask for now."""
        return bool(self.targets) or any(
            term.above or term.below or isinstance(term.criterion, Labelled | Within | Compared) for term in self.terms
        )

    @property
    def needs_state(self) -> bool:
        """Tell whether only the state says what it selects."""
        return any(isinstance(term.criterion, Compared | Judged) for term in self.terms)


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One address that can be selected, with everything that a criterion asks about."""

    address: Address
    labels: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    """The paths by which its file can be named."""
    upstream: tuple[Address, ...] = ()
    comparison: Comparison | None = None
    """None where the documents were not looked at."""
    verdict: Verdict | None = None
    """The verdict on the last attempt, as it is recorded; None where the address was never applied."""


def _addresses(terms: Iterable[Term]) -> Iterator[Address]:
    for term in terms:
        if isinstance(term.criterion, Named) and not is_glob(term.criterion.pattern):
            yield Address(term.criterion.pattern)


def word_text(word: Word) -> str:
    """Return a word as it is written."""
    return ",".join(map(str, word))


def quoted(text: str) -> str:
    """Return a text in quotes, so that a selector takes each of its characters as it is."""
    return json.dumps(text, ensure_ascii=False)
