"""Fingerprints: a versioned SHA-256 over the one canonical JSON of a spec. Chooses no fields."""

import hashlib
import json
from collections.abc import Mapping
from sys import intern
from typing import Any, Final

VERSION: Final = "v1"

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> bytes:
    """Return the only bytes that stand for a JSON value: sorted keys, no spaces, UTF-8; NaN is a ValueError."""
    return _ENCODER.encode(value).encode("utf-8", "surrogatepass")


def fingerprint(spec: Mapping[str, Any]) -> str:
    """Return the fingerprint of a normalised, masked spec."""
    return intern(f"{VERSION}:{hashlib.sha256(canonical_json(spec)).hexdigest()}")
