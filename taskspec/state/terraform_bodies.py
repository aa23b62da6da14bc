"""What goes over Terraform's HTTP state protocol, as JSON: a state around our text, and locks. Sends nothing.

Servers look into a state: GitLab at `serial`, Gitea at all that a state of Terraform must have. So there is all of it,
but for the one resource, of a mode that Terraform refuses: it reads our state at no address, and so never writes there.
"""

import binascii
import json
import re
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, Final

from taskspec import __version__
from taskspec.moments import iso, seconds_of
from taskspec.state.holders import decode_holder, encode_holder
from taskspec.state.model import Holder
from taskspec.state.register import ServerLock
from taskspec.state.shapes import JSON

LARGEST: Final = 1024 * 1024 * 1024
"""No text is larger, in bytes: what would unpack to more is no state."""
_FORMAT: Final = 1
_LEVEL: Final = 1
"""Of compression: a text of many records shrinks to a tenth, and takes no time."""
_WORDS: Final = 200
_LONGEST_ID: Final = 255
_ID: Final = re.compile(r"taskspec-(\d+(?:\.\d+)?)s-(.+)", re.DOTALL)
_ZERO: Final = "0001-01-01T00:00:00Z"
"""No moment, as Go writes it."""


class UnlikeError(ValueError):
    """The content is no state of ours; says in a predicate what it is."""


class ForeignError(UnlikeError):
    """It is a state of Terraform or OpenTofu: another tool's."""


class NewerError(ValueError):
    """A newer taskspec has wrapped it, in a way that this one does not know."""


def encode_state(content: bytes, number: int) -> bytes:
    """Return the body that keeps a text, under a number that is its serial."""
    packed = b64encode(zlib.compress(content, _LEVEL))
    head = (
        f'{{"version":4,"terraform_version":"0.0.0","serial":{number},"lineage":"taskspec","outputs":{{}},'
        f'"resources":[{{"mode":"taskspec"}}],"taskspec":{{"format":{_FORMAT},"version":{json.dumps(__version__)},'
    )
    return head.encode() + b'"content":"' + packed + b'"}}'


def decode_state(body: bytes) -> tuple[bytes, int]:
    """Return the text and the number in a body.

    Raises UnlikeError and NewerError, and ValueError, with what is wrong, for a state that is damaged.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise UnlikeError("is no JSON") from None
    ours = value.get("taskspec") if isinstance(value, dict) else None
    if not isinstance(ours, dict):
        is_foreign = isinstance(value, dict) and "terraform_version" in value
        raise ForeignError if is_foreign else UnlikeError("is JSON, but no state of taskspec")
    if ours.get("format") != _FORMAT:
        raise NewerError
    number, packed = value.get("serial"), ours.get("content")
    if type(number) is not int or not isinstance(packed, str):
        raise ValueError("a part of it is missing")
    try:
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(b64decode(packed, validate=True), LARGEST)
    except (binascii.Error, zlib.error):
        raise ValueError("its content cannot be unpacked") from None
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError("its content does not end where it should")
    return content, number


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenLock:
    """A lock as a server tells of it. `wire` is the id that the server knows it by."""

    wire: str
    lock: ServerLock


def wire_id(identifier: str, ttl: float | None) -> str:
    """Return the id of our lock as it is sent: what must be known of a lock that a server tells nothing else of."""
    return identifier if ttl is None else f"taskspec-{ttl:.3f}s-{identifier}"


def encode_lock(wanted: ServerLock) -> bytes:
    """Return the body that asks for a lock."""
    holder = wanted.holder
    lock = {
        "ID": wire_id(wanted.id, wanted.ttl),
        "Operation": holder.command,
        "Info": f'{{"id":{json.dumps(wanted.id)},"holder":{encode_holder(holder)}}}',
        "Who": f"{holder.user}@{holder.host}",
        "Version": __version__,
        "Created": iso(wanted.since) or _ZERO,
        "Path": "",
    }
    return JSON.encode(lock).encode()


def encode_unlock(wire: str) -> bytes:
    """Return the body that gives a lock back, or breaks it."""
    lock = {"ID": wire, "Operation": "", "Info": "", "Who": "", "Version": "", "Created": _ZERO, "Path": ""}
    return JSON.encode(lock).encode()


def decode_lock(body: bytes, asked: ServerLock, now: float) -> SeenLock:
    """Return the lock that is in the way of the one that was asked for; of one that says nothing, that it is there.

    GitLab answers with the holder's `ID`, `Who` and `Created`, and with the `Info` and `Operation` of who asks: what
    does not belong to the id is left out.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    said = {key: text for key, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}
    wire = said.get("ID", "")
    if not wire.isprintable() or len(wire) > _LONGEST_ID:
        wire = ""  # it could not be sent back, nor shown
    since = _moment(said.get("Created", ""), now)
    found = _ID.fullmatch(wire)
    holder, is_echo = _informed(said.get("Info", ""), found[2] if found else wire, asked)
    if holder is None:
        command = "" if is_echo else _line(said.get("Operation", ""))
        holder = _holder(_line(said.get("Who", "")), command, since, is_ours=found is not None)
    ttl = float(found[1]) if found else None
    return SeenLock(wire=wire, lock=ServerLock(id=found[2] if found else wire, holder=holder, ttl=ttl, since=since))


def _informed(text: str, identifier: str, asked: ServerLock) -> tuple[Holder | None, bool]:
    """Return the holder that the text of a lock names, and whether the text is rather that of who asks."""
    try:
        value = json.loads(text)
        if value["id"] == identifier:
            return decode_holder(json.dumps(value["holder"])), False
        return None, value["id"] == asked.id
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, False


def _holder(who: str, command: str, since: float, *, is_ours: bool) -> Holder:
    """Return the holder that is known by name alone: `user@host` of a tool, the user of a server."""
    user, at, host = who.rpartition("@")
    return Holder(
        user=(user if at else host) or "somebody",
        host=host if at else "an unknown host" if is_ours else "",
        pid=0,
        command="taskspec" if is_ours and not command else command,
        since=since,
    )


def _moment(text: str, otherwise: float) -> float:
    """Return a moment as programs write it; Go writes nine digits of a second, and no year 1 counts."""
    try:
        found = seconds_of(text)
    except (ValueError, OverflowError):
        return otherwise
    return found if 0 < found <= otherwise else otherwise


def _line(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:_WORDS]


def described(body: bytes) -> str:
    """Return what a server says in a refusal, in one line; empty where it says nothing that people read."""
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        value = body.decode(errors="replace")
        if "<" in value[:_WORDS]:
            return ""
    if isinstance(value, dict):
        value = next((value[key] for key in ("message", "error", "detail", "errors") if value.get(key)), "")
    text = value if isinstance(value, str) else JSON.encode(value) if value is not None else ""
    return _line(" ".join(text.split()))
