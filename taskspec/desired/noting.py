"""Maps that note what is looked up in them, so that a rendering tells which names it used. Renders nothing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from taskspec.desired.later import Later
from taskspec.desired.scope import Names

Noted = dict[str, Any]
"""The dotted names that were used, with their values."""

ABSENT: Final = object()
"""Stands for the value of a name that was looked for and not found."""
_METHODS: Final = frozenset({"get", "items", "keys", "values"})
"""What may be called of a map is no name in it."""
_ROOTS: Final = ("vars", "env", "matrix", "each", "project")


def noting(names: Mapping[str, Any], noted: Noted) -> dict[str, Any]:
    """Return the names of a template, of which `noted` comes to hold those that are used."""
    return {
        name: _Noting(value, name, noted) if name in _ROOTS and isinstance(value, Mapping) else value
        for name, value in names.items()
    }


class _Noting(Names):
    """A map of names: what is taken out of it is noted, and the whole where it is gone through."""

    __slots__ = ("_noted",)

    def __init__(self, values: Mapping[str, Any], path: str, noted: Noted) -> None:
        super().__init__(values, path=path)
        if isinstance(values, Names):
            self.unset, self.broken, self.absent, self.is_open = (
                values.unset, values.broken, values.absent, values.is_open
            )  # fmt: skip
        self._noted = noted

    def __contains__(self, key: object) -> bool:
        found = super().__contains__(key)
        if not found and key not in _METHODS:
            self._noted[f"{self.path}.{key}"] = ABSENT
        return found

    def __getitem__(self, key: str) -> Any:
        return self._taken(key, super().__getitem__(key))

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, noted; the default where there is none."""
        return self[key] if key in self else default  # noqa: SIM401  # this is that

    def items(self) -> Any:
        """Return everything, noted."""
        return self._whole().items()

    def values(self) -> Any:
        """Return all values, noted."""
        return self._whole().values()

    def keys(self) -> Any:
        """Return all names, noted."""
        return self._whole().keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __repr__(self) -> str:
        return repr(self._whole())

    def _taken(self, key: str, value: Any) -> Any:
        path = f"{self.path}.{key}"
        if isinstance(value, Mapping) and not isinstance(value, Later):
            return _Noting(value, path, self._noted)
        self._noted[path] = value
        return value

    def _whole(self) -> dict[str, Any]:
        found = {key: dict.__getitem__(self, key) for key in dict.keys(self)}
        self._noted[self.path] = found
        return found
