"""Addresses: how a task is named everywhere, and patterns that name several. Knows nothing of documents or runs.

The address of a task is its name; that of one cell of a matrix, or one item of a `forEach`, is the name with the
values in brackets: `report[q1,formal]`. A value that is no plain word stands in quotes, as JSON writes it.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, NewType

Address = NewType("Address", str)
"""The address of a declared task, such as `extract` or `report[q1,formal]`."""

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
MAX_NAME = 128
MAX_ADDRESS: Final = 512

_NAME: Final = "[a-z0-9][a-z0-9_-]*"
_PLAIN: Final = r"[^\s,\[\]\"/\\*?]+"
_QUOTED: Final = r"\"(?:[^\"\\\x00-\x1f]|\\.)*\""
_VALUE: Final = f"(?:{_PLAIN}|{_QUOTED})"
_VALUES: Final = re.compile(_VALUE)
_ADDRESS: Final = re.compile(rf"({_NAME})(?:\[{_VALUE}(?:,{_VALUE})*\])?")
_PATTERN: Final = re.compile(rf"[a-z0-9_*?-]+(?:\[(?:{_QUOTED}|[^\s\[\]\"/\\])*\])?")
_PIECES: Final = re.compile(rf"{_QUOTED}|.", re.DOTALL)
_UNFIT: Final = re.compile(r"[^\w.,\[\]=+@-]|^\.")
_WILD: Final = frozenset("*?")
_LONGEST_STEM: Final = 200


def is_address(text: str) -> bool:
    """Tell whether a text has the form of an address."""
    found = _ADDRESS.fullmatch(text)
    return found is not None and len(found[1]) <= MAX_NAME and len(text) <= MAX_ADDRESS


def is_pattern(text: str) -> bool:
    """Tell whether a text has the form of an address or of a pattern, in which `*` and `?` stand for characters."""
    return len(text) <= MAX_ADDRESS and _PATTERN.fullmatch(text) is not None


def cell_address(name: str, values: Iterable[str]) -> Address:
    """Return the address of a task's cell, given the values as texts in the order of its axes."""
    return Address(f"{name}[{','.join(map(_quoted, values))}]")


def cell_values(address: str) -> tuple[str, ...]:
    """Return the values in the brackets of an address, as texts; none for one that is no cell."""
    inside = address[len(task_name(address)) + 1 : -1]
    return tuple(json.loads(value) if value.startswith('"') else value for value in _VALUES.findall(inside))


def listed(addresses: Iterable[str]) -> str:
    """Return addresses as one text."""
    return ", ".join(addresses)


def addresses_in(text: str) -> tuple[str, ...]:
    """Return the addresses of such a text; none of any other."""
    found = tuple(one[0] for one in _ADDRESS.finditer(text))
    return found if listed(found) == text else ()


def task_name(address: str) -> str:
    """Return the name of the task that an address belongs to."""
    return address.partition("[")[0]


def matches(pattern: str, address: str) -> bool:
    """Tell whether a pattern names an address; a name without brackets names all of its cells."""
    whole = address if "[" in pattern else task_name(address)
    return compiled_glob(pattern).fullmatch(whole) is not None


def is_glob(text: str) -> bool:
    """Tell whether a text has a `*` or a `?` outside quotes, and so may name several."""
    return any(piece in _WILD for piece in pieces(text))


def pieces(text: str) -> list[str]:
    """Cut a text into its characters, and what stands in quotes, with them."""
    return _PIECES.findall(text)


@lru_cache(maxsize=1024)
def compiled_glob(glob: str, read: Callable[[str], str] = str) -> re.Pattern[str]:
    """Return what matches the texts that a glob names; `read` tells what a piece of it stands for.

    What a `*` has taken is never tried again, as the shortest text is always right for it: time grows with the product
    of the lengths at most, whoever wrote the glob.
    """
    parts = [""]
    for piece in pieces(glob):
        if piece == "*":
            parts.append("")
        else:
            parts[-1] += "." if piece == "?" else re.escape(read(piece))
    first, *others = parts
    if not others:
        return re.compile(first, re.DOTALL)
    *middle, last = others
    return re.compile(first + "".join(f"(?>.*?{part})" for part in middle if part) + f".*{last}", re.DOTALL)


def file_stem(address: str) -> str:
    """Return the file name, without an ending, that stands for an address: the address itself where it can."""
    plain = _UNFIT.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), address)
    if len(plain.encode()) <= _LONGEST_STEM:
        return plain
    return f"{task_name(address)[:100]}-{address_hash(Address(address))}"


def address_hash(address: Address) -> str:
    """Return the 12 hexadecimal digits that stand for an address in a marker."""
    return hashlib.sha256(address.encode()).hexdigest()[:12]


def _quoted(value: str) -> str:
    if value.isprintable() and re.fullmatch(_PLAIN, value):
        return value
    written = json.dumps(value, ensure_ascii=False)
    # what cannot be seen is spelled out: it could steer whoever prints the address
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in written)
