"""The tokens of a YAML text, as a scanner gives them: what stands where. Imports no scanner."""

from typing import Final, NamedTuple

STREAM_START: Final = "<stream start>"
STREAM_END: Final = "<stream end>"
DOCUMENT_START: Final = "<document start>"
DOCUMENT_END: Final = "<document end>"
DIRECTIVE: Final = "<directive>"
MAPPING: Final = "<block mapping start>"
SEQUENCE: Final = "<block sequence start>"
BLOCK_END: Final = "<block end>"
KEY: Final = "?"
VALUE: Final = ":"
ENTRY: Final = "-"
COMMA: Final = ","
OPENING: Final = frozenset("[{")
CLOSING: Final = frozenset("]}")
ALIAS: Final = "<alias>"
ANCHOR: Final = "<anchor>"
TAG: Final = "<tag>"


class Token(NamedTuple):
    """A token: `start` and `end` count characters, `column` is that of its start, from 0.

    A token without width tells of structure: a block that begins or ends, a key without its `?`.
    """

    kind: str
    start: int
    end: int
    column: int
    style: str | None = None
    """Of a scalar: `'`, `"`, `|`, `>`; None where it is plain."""
