"""A plan and what carries it out ↔ the one document of a saved plan, whose digest covers every byte. Opens no file."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from taskspec import __version__
from taskspec.errors import StaleError
from taskspec.plan.encoding import FORMAT, moment, to_json
from taskspec.plan.model import Plan

_LONGEST: Final = 100
"""So many characters of a version are looked at."""
_AGAIN: Final = "Make a new one with `taskspec plan --out`."


def filed(plan: Plan, saved: Mapping[str, Any], *, expires_at: float) -> dict[str, Any]:
    """Return the document of a saved plan; `saved` is what is needed to carry it out."""
    document = {**to_json(plan), "saved": {"expiresAt": moment(expires_at), **saved}}
    return {**document, "digest": digest_of(document)}


def written(document: Mapping[str, Any]) -> bytes:
    """Return the only bytes that a document of a saved plan is written as; its keys keep their order."""
    return _canonical(document) + b"\n"


def read(content: bytes) -> dict[str, Any]:
    """Return the document that bytes stand for; raise StaleError for all that is none, or was changed."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _refused("it is no saved plan", "Make one with `taskspec plan --out FILE`.") from error
    if not isinstance(document, dict) or not isinstance(document.get("format"), int) or "changes" not in document:
        raise _refused("it is no saved plan", "Make one with `taskspec plan --out FILE`.")
    if document["format"] > FORMAT or _version(document.get("toolVersion")) > _version(__version__):
        made = document.get("toolVersion")
        raise _refused(f"it was made by taskspec {made}, and this is {__version__}", "Apply it with that version.")
    told = document.pop("digest", None)
    if not isinstance(document.get("saved"), dict) or told is None:
        raise _refused("it is what `plan --json` printed, and cannot be applied", _AGAIN)
    try:
        is_whole = told == digest_of(document) and written({**document, "digest": told}) == content
    except (ValueError, RecursionError) as error:
        raise _refused("it was changed since it was made", _AGAIN) from error
    if not is_whole:
        raise _refused("it was changed since it was made", _AGAIN)
    return {**document, "digest": told}


def digest_of(document: Mapping[str, Any]) -> str:
    """Return the digest of a document, which has none itself yet."""
    return f"sha256:{hashlib.sha256(_canonical(document)).hexdigest()}"


def _canonical(value: Any) -> bytes:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode()


def _version(text: Any) -> tuple[int, ...]:
    """Return the numbers of a version; whatever else somebody wrote there is none, and is told by the digest."""
    parts = str(text)[:_LONGEST].split(".")
    return tuple(int(part) for part in parts if part.isascii() and part.isdigit())


def _refused(why: str, hint: str) -> StaleError:
    return StaleError(f"the plan is refused: {why}", hint=hint)
