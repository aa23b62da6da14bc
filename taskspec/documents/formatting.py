"""One manifest → the same manifest in the usual form, or the reason why it is left alone. Opens no file.

The result is held against the original before anybody gets it: the same values, the same comments, and nothing
left to format.
"""

from dataclasses import dataclass

from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.laying import LaidOut, lay_out
from taskspec.documents.model import Document
from taskspec.documents.parsing import MAX_BYTES, Parsed, parse, scan


@dataclass(frozen=True, kw_only=True, slots=True)
class Formatted:
    """What became of a text: `content` is the original where there are diagnostics."""

    content: bytes
    documents: tuple[Document, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def format_manifest(content: bytes, file: str) -> Formatted:
    """Format one file's bytes; `file` is its path as shown to the user. Raises nothing for any bytes."""
    parsed = parse(content, file)
    if parsed.diagnostics:
        return Formatted(content=content, diagnostics=parsed.diagnostics)
    text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    laid_out = lay_out(text, scan(text))
    formatted = laid_out.text.encode()
    if formatted == content:
        return Formatted(content=content, documents=parsed.documents)
    trouble = _trouble(parsed, laid_out, formatted, file)
    if trouble:
        return Formatted(content=content, diagnostics=(_left_alone(trouble, file),))
    return Formatted(content=formatted, documents=parsed.documents)


def _trouble(before: Parsed, laid_out: LaidOut, formatted: bytes, file: str) -> str:
    """Return what the new form would do that it must not; the empty text where it is sound."""
    if len(formatted) > MAX_BYTES:
        return "make it larger than 1 MB"
    after = parse(formatted, file)
    if after.diagnostics or _values(after) != _values(before):
        return "change what it means"
    again = lay_out(laid_out.text, scan(laid_out.text))
    if again.comments != laid_out.comments:
        return "lose a comment"
    return "" if again.text == laid_out.text else "not be the last word on it"


def _values(parsed: Parsed) -> list[str]:
    return [repr(document.value) for document in parsed.documents]  # as 1, 1.0 and true are equal


def _left_alone(trouble: str, file: str) -> Diagnostic:
    return Diagnostic(
        summary="Not formatted",
        detail=f"Formatting `{file}` would {trouble}, so it is left as it is.",
        hint="Please report it, with the part that is written unusually. Until then, format that part by hand.",
        position=Position(file=file),
    )
