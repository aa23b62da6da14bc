"""Choosing: a selection and candidates → the addresses that are selected. Pure and total."""

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from taskspec.address import Address, matches
from taskspec.selecting.globbing import fits, path_fits
from taskspec.selecting.model import (
    UNBOUNDED,
    Candidate,
    Compared,
    Criterion,
    Judged,
    Labelled,
    Named,
    Place,
    Selection,
    Term,
    Within,
    Word,
)


def select(selection: Selection, candidates: Iterable[Candidate]) -> frozenset[Address]:
    """Return the addresses of the candidates that are selected."""
    field = _Field(candidates)
    if not selection.words and not selection.targets:
        return field.addresses - field.union(selection.exclude)
    chosen = field.union(selection.words) | field.with_upstream(field.union(selection.targets))
    return chosen - field.union(selection.exclude)


def idle(selection: Selection, candidates: Sequence[Candidate]) -> tuple[Place, ...]:
    """Return the names, labels and files that fit no candidate at all: they are mistakes."""
    places = dict.fromkeys(t.criterion for t in selection.terms if isinstance(t.criterion, Named | Labelled | Within))
    return tuple(place for place in places if not any(_fits(place, candidate) for candidate in candidates))


class _Field:
    """The candidates, and the graph that they make; an upstream that is no candidate is left out."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._candidates = {candidate.address: candidate for candidate in candidates}
        self.addresses = frozenset(self._candidates)
        self._above: dict[Address, list[Address]] = {}
        self._below: dict[Address, list[Address]] = {}
        for candidate in self._candidates.values():
            for upstream in candidate.upstream:
                self._above.setdefault(candidate.address, []).append(upstream)
                self._below.setdefault(upstream, []).append(candidate.address)

    def union(self, words: Iterable[Word]) -> frozenset[Address]:
        return frozenset[Address]().union(*map(self._intersection, words))

    def with_upstream(self, addresses: frozenset[Address]) -> frozenset[Address]:
        return self.addresses & _reach(set(addresses), self._above, UNBOUNDED)

    def _intersection(self, word: Word) -> frozenset[Address]:
        return self.addresses.intersection(*map(self._term, word))

    def _term(self, term: Term) -> set[Address]:
        found = {address for address, candidate in self._candidates.items() if _fits(term.criterion, candidate)}
        return _reach(found, self._above, term.above) | _reach(found, self._below, term.below)


def _reach(start: set[Address], edges: Mapping[Address, Sequence[Address]], steps: int) -> set[Address]:
    """Return what is at most so many steps away from a set, itself included."""
    found, edge = set(start), start
    while edge and steps > 0:
        edge = {other for address in edge for other in edges.get(address, ())} - found
        found |= edge
        steps -= 1
    return found


def _fits(criterion: Criterion, candidate: Candidate) -> bool:
    match criterion:
        case Named(pattern=pattern):
            return matches(pattern, candidate.address)
        case Labelled(key=key, value=value):
            return any(fits(key, name) and fits(value, text) for name, text in candidate.labels.items())
        case Within(path=path):
            return any(path_fits(path, file) for file in candidate.files)
        case Compared(comparison=comparison):
            return candidate.comparison is comparison
        case Judged(verdict=verdict):
            return candidate.verdict is verdict
        case _:
            assert_never(criterion)
