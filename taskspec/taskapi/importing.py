"""Importing a library without a part of it that nobody here uses. Imports nothing by itself."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from types import ModuleType


@contextmanager
def without_module(name: str) -> Iterator[None]:
    """Make a module look absent to the imports within; one that is already loaded stays."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = cast("ModuleType", None)
    try:
        yield
    finally:
        del sys.modules[name]
