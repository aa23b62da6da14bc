"""Addresses: how a task is named everywhere. Knows nothing of documents or runs."""

import hashlib
import re
from typing import NewType

Address = NewType("Address", str)
"""The name of a declared task, such as `extract`."""

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
MAX_NAME = 128


def is_address(text: str) -> bool:
    """Tell whether a text has the form of an address (lower-case letters, digits, `-` and `_`)."""
    return len(text) <= MAX_NAME and re.fullmatch(NAME_PATTERN, text) is not None


def address_hash(address: Address) -> str:
    """Return the 12 hexadecimal digits that stand for an address in a marker."""
    return hashlib.sha256(address.encode()).hexdigest()[:12]
