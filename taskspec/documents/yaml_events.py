"""The events of a YAML parser, as far as we use them. Imports no parser."""

from typing import Protocol


class Mark(Protocol):
    """A place in the text: line and column from 0, and the index of the character."""

    line: int
    column: int
    index: int


class ScalarEvent(Protocol):
    """A scalar, as the parser gives it; `implicit[0]` tells that it is plain and bears no tag."""

    start_mark: Mark
    anchor: str | None
    tag: str | None
    implicit: tuple[bool, bool]
    value: str
    style: str | None


class StartEvent(Protocol):
    """The beginning of a mapping or a list."""

    start_mark: Mark
    anchor: str | None
    tag: str | None


class AliasEvent(Protocol):
    """A node that an anchor named before."""

    start_mark: Mark
    anchor: str
