"""A task as it is written → the addresses that it will probably have, for completion. Renders nothing, reads no file.

Axes that are lists are known, and so are those that are one variable with a default. For all others there is the
pattern that means every cell.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from taskspec.address import Address, is_address
from taskspec.desired.expanding import Room, WrongCellsError, expand
from taskspec.documents.model import Document, Source, TaskDocument

MOST: Final = 2000
"""So many cells of one task are foreseen."""
_VARIABLE: Final = re.compile(r"\s*\{\{\s*vars\.(\w+)\s*\}\}\s*")


def foreseen(document: Document, variables: Mapping[str, Any]) -> Iterator[str]:
    """Yield the address of a task, or the pattern and the addresses of its cells; `variables` as they are declared."""
    metadata, spec = document.value.get("metadata"), document.value.get("spec")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not isinstance(name, str) or not is_address(name):
        return
    yield name
    if not isinstance(spec, Mapping) or not spec.keys() & {"matrix", "forEach"}:
        return
    yield f"{name}[*]"
    if not isinstance(spec.get("matrix", {}), Mapping):
        return
    task = TaskDocument(address=Address(name), document=document, spec=spec, source=Source(document=document))

    def value(written: Any, path: tuple[str | int, ...]) -> tuple[Any, Any]:
        found = _VARIABLE.fullmatch(written) if isinstance(written, str) else None
        declared = variables.get(found[1]) if found else None
        known = declared.get("default") if isinstance(declared, Mapping) else written
        if isinstance(known, str):
            raise WrongCellsError(path, "It is not known before it is rendered.")
        return known, known

    try:
        for cell in islice(expand(task, value, _no_rows, Room()), MOST):
            yield cell.address
    except WrongCellsError:
        return


def _no_rows(file: str) -> Any:
    raise WrongCellsError(("forEach", "file"), f"`{file}` is not read.")
