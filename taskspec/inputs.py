"""What a rendering depended on, as a value. Finds nothing out."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """Something that a rendering depended on: a short digest of its value, and who gave it (`default`, `--var` …).

    The digest is empty for a secret, and for what is told by its giver alone: then no values are compared.
    """

    digest: str
    giver: str = ""
