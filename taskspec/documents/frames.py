"""Frames: the mappings and lists of a document while they grow. Judges nothing that is put into them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskspec.documents.yaml_events import Mark, StartEvent


class Frame:
    """A mapping or list that is being built.

    `keys` is None for a list; `key` waits for its value; `is_key` marks what stands (wrongly) in a key's place.
    """

    __slots__ = ("anchor", "children", "cost", "is_key", "items", "key", "keys", "place")

    def __init__(self, event: "StartEvent", *, mapping: bool, is_key: bool, cost: int) -> None:
        self.items: Any = {} if mapping else []
        self.children: Any = {} if mapping else []
        self.keys: dict[str, tuple[int, int]] | None = {} if mapping else None
        self.key: str | None = None
        self.place = place_of(event.start_mark)
        self.anchor = event.anchor
        self.cost = cost
        self.is_key = is_key

    def expect(self, key: str, place: tuple[int, int]) -> None:
        """Take a key, whose value comes next."""
        self.key = key
        if self.keys is not None:
            self.keys[key] = place


def place_of(mark: "Mark") -> tuple[int, int]:
    """Return a parser's mark as line and column, counted from 1."""
    return mark.line + 1, mark.column + 1
