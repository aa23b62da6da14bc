"""Files → the documents that are ours, those that are right marked as checked. Reports only what cannot be read."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Final

from taskspec.diagnostics import Diagnostic
from taskspec.documents.checking import check
from taskspec.documents.locating import shown
from taskspec.documents.model import Document
from taskspec.documents.parsing import Parsed, known, parse
from taskspec.documents.remembering import Memory, Values
from taskspec.documents.sharing import share
from taskspec.documents.violating import SECRET

KINDS: Final = frozenset({"Project", "Task"})
BATCH: Final = 16 * 1024 * 1024
"""Bytes of files that are held at once, but for those that are ours."""
_MAY_BE_OURS: Final = b"kind"
_SIGN: Final = "taskspec/"
_SIGNS: Final = tuple(_SIGN.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


_Read = tuple[bytes, bytes] | Diagnostic


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
    batches = (_recognised(batch, memory) for batch in _batches(files, memory))
    for path, found, values in chain.from_iterable(batches):
        if isinstance(found, Diagnostic):
            diagnostics.append(found)
            continue
        content, digest = found
        if values is not None:
            again = partial(memory.read_again, path, digest)  # most places are never asked for, and texts are large
            documents += known(again, shown(path), values, checked=True).documents
            continue
        signed = _is_signed(content)
        if not (named or signed or _MAY_BE_OURS in content):
            skipped += 1
            continue
        parsed = parse(content, shown(path))
        ours = any(is_ours(document) for document in parsed.documents)
        if ours or (parsed.diagnostics and signed) or (named and parsed != Parsed()):
            diagnostics += parsed.diagnostics
            documents += parsed.documents
        else:
            skipped += 1
    return Sifted(documents=tuple(documents), diagnostics=tuple(diagnostics), skipped=skipped)


def _batches(files: Iterable[str], memory: Memory) -> Iterator[list[tuple[str, _Read]]]:
    """Read files, so many at once as fit into a bound: among them may be large ones that are not ours."""
    batch: list[tuple[str, _Read]] = []
    size = 0
    for path in files:
        found = memory.read(path)
        batch.append((path, found))
        size += 0 if isinstance(found, Diagnostic) else len(found[0])
        if size > BATCH:
            yield batch
            batch, size = [], 0
    yield batch


def _recognised(read: Sequence[tuple[str, _Read]], memory: Memory) -> Iterator[tuple[str, _Read, Values | None]]:
    """Yield what was read, with the values of its documents where they are known to be ours, and right."""
    kept = [None if isinstance(found, Diagnostic) else memory.recall(found[1]) for _, found in read]
    unknown = [
        found
        for (_, found), values in zip(read, kept, strict=True)
        if values is None and not isinstance(found, Diagnostic)
    ]
    judged = iter(share(_judged, [content for content, _ in unknown]))
    for (path, found), values in zip(read, kept, strict=True):
        if values is not None or isinstance(found, Diagnostic):
            yield path, found, values
            continue
        right, may_be_kept = next(judged)
        if right is not None and may_be_kept:
            memory.keep(found[1], right)
        yield path, found, right


def _judged(contents: Sequence[bytes]) -> list[tuple[Values | None, bool]]:
    """Return the documents of each content, if all of them are ours and right, and whether they may be kept."""
    found: list[tuple[Values | None, bool]] = []
    for content in contents:
        parsed = parse(content, "") if _is_signed(content) else Parsed()
        documents = parsed.documents
        if not documents or parsed.diagnostics or any(not is_ours(one) or check(one) for one in documents):
            found.append((None, False))
        else:
            may_be_kept = not any(map(_may_hold_secrets, documents))
            found.append(([document.value for document in documents], may_be_kept))
    return found


def _is_signed(content: bytes) -> bool:
    return any(sign in content for sign in _SIGNS)


def _may_hold_secrets(document: Document) -> bool:
    """Tell whether a value that is secret by schema, or a default that is, may be written out in a checked document."""
    return document.kind != "Task" or not SECRET.isdisjoint(document.value["spec"])


def is_ours(document: Document) -> bool:
    """Tell whether a document says that it is one of taskspec's, even if it is wrong."""
    version = document.value.get("apiVersion")
    return (isinstance(version, str) and version.startswith(_SIGN)) or document.kind in KINDS
