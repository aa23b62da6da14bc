"""What templates see of other tasks' results: texts and JSON, as data, never rendered again. Reads nothing."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from taskspec.address import Address, file_stem
from taskspec.desired.depending import Use
from taskspec.desired.later import Later
from taskspec.desired.model import Cell, LocalFile, result_suffix
from taskspec.desired.scope import Names
from taskspec.jsontext import NotJsonError, parse

JSON: Final = "json"


class WrongResultError(Exception):
    """A result is not of the form in which a template uses it."""

    def __init__(self, use: Use, detail: str, hint: str) -> None:
        super().__init__(detail)
        self.use = use
        self.detail = detail
        self.hint = hint


def known(uses: Iterable[Use], results: Mapping[Address, str], cells: Mapping[Address, Cell]) -> Names:
    """Return what stands behind `tasks` once the results are there; raises WrongResultError."""
    found: dict[str, Any] = {}
    for use in uses:
        entries = [_entry(cells[address], results[address], use) for address in use.addresses]
        if use.many:
            found[use.written] = entries
        else:
            found[use.written] = found.get(use.written, {}) | entries[0]
    return Names(found, path="tasks")


def later(uses: Iterable[Use]) -> Names:
    """Return what stands behind `tasks` as long as the results are not known."""
    found = {}
    for use in uses:
        found[use.written] = Later(words(use.addresses))
    return Names(found, path="tasks")


class Whatever(Names):
    """What stands behind `tasks` where something is wrong with their names: so that nothing more is said of them."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__({}, path="tasks")

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Later:
        return Later(f"(the result of {name})")


def words(addresses: Iterable[Address]) -> str:
    """Return what stands in the place of a result that is not known yet."""
    listed = list(addresses)
    shown = ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
    return f"(known after {shown})"


def _entry(cell: Cell, text: str, use: Use) -> dict[str, Any]:
    entry: dict[str, Any] = {"address": str(cell.address), **cell.names, "result": text}
    if use.member in {None, JSON}:
        try:
            entry[JSON] = parse(text)
        except NotJsonError as error:
            if use.member == JSON:
                detail = f"The result of `{cell.address}` is not JSON: {error}."
                hint = f"Ask {cell.address} for it with `outputFormat: json`, or use its `result`."
                raise WrongResultError(use, detail, hint) from error
    return entry


def result_file(address: Address, text: str, output_format: str) -> LocalFile:
    """Return a result as a file that goes with a run."""
    content = text.encode()
    return LocalFile(
        path=f"results/{file_stem(address)}{result_suffix(output_format)}",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        content=content,
    )
