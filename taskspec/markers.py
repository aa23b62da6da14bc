"""Markers: the text at the end of a run's title by which exactly one attempt is found again. Looks nothing up.

`[ts1.<lineage>.<address hash>.<fingerprint>.g<generation>.<nonce>]` is written and read here and nowhere else.
A remote's titles are untrusted text: what is no marker to the letter is none.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from taskspec.address import Address, address_hash

_MARKER: Final = re.compile(
    r"\[ts1\.(?P<lineage>[0-9A-Za-z-]{1,8})\.(?P<address>[0-9a-f]{12})\.(?P<digest>[0-9a-f]{8})"
    r"\.g(?P<generation>[0-9]{1,9})\.(?P<nonce>[0-9A-Za-z-]{1,64})\]\Z",
    re.ASCII,
)
_LONGEST: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Marker:
    """What a marker says; each field as it stands in it."""

    lineage: str
    """The beginning of the project's lineage."""
    address: str
    """The hash of the address."""
    digest: str
    """The beginning of the digest of the fingerprint."""
    generation: int
    nonce: str

    @classmethod
    def of(cls, lineage: str, address: Address, fingerprint: str, generation: int, nonce: str) -> "Marker":
        """Return the marker of one attempt."""
        return cls(
            lineage=short_lineage(lineage),
            address=address_hash(address),
            digest=digest_of(fingerprint),
            generation=generation,
            nonce=nonce,
        )

    @property
    def text(self) -> str:
        """Return it as it stands in a title."""
        return f"[ts1.{self.lineage}.{self.address}.{self.digest}.g{self.generation}.{self.nonce}]"


def marker_in(title: str | None) -> Marker | None:
    """Return the marker with which a title ends; white space after it does not count."""
    text = (title or "").rstrip()
    start = text.rfind("[", max(0, len(text) - _LONGEST))
    found = _MARKER.match(text, start) if start >= 0 else None
    if found is None:
        return None
    return Marker(
        lineage=found["lineage"],
        address=found["address"],
        digest=found["digest"],
        generation=int(found["generation"]),
        nonce=found["nonce"],
    )


def bears(title: str | None, marker: str) -> bool:
    """Tell whether a title ends with a marker, given as text, whole and to the letter."""
    return bool(marker) and (title or "").rstrip().endswith(marker)


def short_lineage(lineage: str) -> str:
    """Return what a marker has of a lineage."""
    return lineage[:8]


def digest_of(fingerprint: str) -> str:
    """Return what a marker has of a fingerprint."""
    return hashlib.sha256(fingerprint.encode()).hexdigest()[:8]
