"""Files → the documents that are ours, those that are right marked as checked. Reports only what cannot be read."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from taskspec.diagnostics import Diagnostic
from taskspec.documents.checking import check
from taskspec.documents.locating import shown
from taskspec.documents.model import Document
from taskspec.documents.parsing import Parsed, known, parse
from taskspec.documents.remembering import Memory

SECRET: Final = frozenset({"userTokens", "userOidcToken", "mcpServers"})
KINDS: Final = frozenset({"Project", "Task"})
_SIGN: Final = "taskspec/"
_SIGNS: Final = tuple(_SIGN.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Sifted:
    """Our documents in the order of the files, what could not be read, and how many files are plainly not ours."""

    documents: tuple[Document, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    skipped: int = 0

    def __add__(self, other: "Sifted") -> "Sifted":
        return Sifted(
            documents=self.documents + other.documents,
            diagnostics=self.diagnostics + other.diagnostics,
            skipped=self.skipped + other.skipped,
        )


def sift(files: Iterable[str], *, named: bool, memory: Memory) -> Sifted:
    """Read files (absolute paths); those that somebody `named` must be ours, of the others only what is ours counts."""
    documents: list[Document] = []
    diagnostics: list[Diagnostic] = []
    skipped = 0
    for path in files:
        found = memory.read(path)
        if isinstance(found, Diagnostic):
            diagnostics.append(found)
            continue
        content, digest = found
        signed = any(sign in content for sign in _SIGNS)
        if not (named or signed or b"kind" in content):
            skipped += 1
            continue
        values = memory.recall(digest)
        if values is not None:
            documents += known(content, shown(path), values, checked=True).documents
            continue
        parsed = _checked(parse(content, shown(path)), digest, memory)
        ours = any(is_ours(document) for document in parsed.documents)
        if ours or (parsed.diagnostics and signed) or (named and parsed != Parsed()):
            diagnostics += parsed.diagnostics
            documents += parsed.documents
        else:
            skipped += 1
    return Sifted(documents=tuple(documents), diagnostics=tuple(diagnostics), skipped=skipped)


def _checked(parsed: Parsed, digest: bytes, memory: Memory) -> Parsed:
    """Check a file's documents, each by itself; of one that is right in all of them, keep what it gave."""
    documents = parsed.documents
    if not documents or parsed.diagnostics or any(not is_ours(one) or check(one) for one in documents):
        return parsed
    if not any(map(_may_hold_secrets, documents)):
        memory.keep(digest, [document.value for document in documents])
    return Parsed(documents=tuple(replace(document, checked=True) for document in documents))


def _may_hold_secrets(document: Document) -> bool:
    """Tell whether a value that is secret by schema, or a default that is, may be written out in a checked document."""
    return document.kind != "Task" or not SECRET.isdisjoint(document.value["spec"])


def is_ours(document: Document) -> bool:
    """Tell whether a document says that it is one of taskspec's, even if it is wrong."""
    version = document.value.get("apiVersion")
    return (isinstance(version, str) and version.startswith(_SIGN)) or document.kind in KINDS
