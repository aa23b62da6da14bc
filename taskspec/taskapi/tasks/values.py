"""What a task holds: its input, its user, its tokens, its log. Values only; they ask nobody."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from taskspec.errors import UsageError
from taskspec.taskapi.decoding import moment
from taskspec.taskapi.tasks.checking import DEEPEST, count, json_object, json_objects, optional_text, text, texts, wrong


@dataclass(kw_only=True)
class User:
    """The person for whom a task works; the remote requires `email`."""

    email: str
    id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    additional_attributes: dict[str, Any] | None = None
    timezone: str | None = None

    def wire(self) -> dict[str, Any]:
        """Return the wire form, without what is not set."""
        if not text("email", self.email).strip():
            raise UsageError("A user needs an `email`.")
        shown: dict[str, Any] = {name: optional_text(name, getattr(self, name)) for name in _USER_TEXTS}
        shown["additional_attributes"] = json_object("additional_attributes", self.additional_attributes)
        return {"email": self.email} | {name: value for name, value in shown.items() if value is not None}


_USER_TEXTS = ("id", "first_name", "last_name", "timezone")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """How many tokens an execution used. What the caches served counts apart from the total."""

    completion_tokens: int = 0
    prompt_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Return the tokens of the prompts and of the completions."""
        return self.completion_tokens + self.prompt_tokens

    def wire(self) -> dict[str, int]:
        """Return the wire form."""
        shown = {name: getattr(self, name) for name in TOKEN_COUNTS}
        for name, value in shown.items():
            if count(name, value) is None:
                raise wrong(name, "a whole number, 0 or more")
        return shown


TOKEN_COUNTS = tuple(item.name for item in fields(Tokens))


@dataclass(kw_only=True)
class TaskInput:
    """What a task was asked: the prompt, the URLs of its files, and for whom.

    `attachments` and `principal` are the wire's objects. Keys that are not known here stay in `raw`.
    """

    text: str = ""
    files: list[str] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    user: User | None = None
    principal: dict[str, Any] | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def wire(self) -> dict[str, Any]:
        """Return the wire form: what came, with what is known here as it is now."""
        return {
            **self.raw,
            "text": text("input.text", self.text),
            "files": list(texts("input.files", self.files)),
            "attachments": list(json_objects("input.attachments", self.attachments)),
            "user": None if self.user is None else self._user(self.user),
            "principal": json_object("input.principal", self.principal),
        }

    def _user(self, user: User) -> dict[str, Any]:
        came = self.raw.get("user")
        if isinstance(came, Mapping) and user == read_user(came):
            return dict(came)
        unset = {item.name: None for item in fields(User) if getattr(user, item.name) is None}
        return {**came, **unset, **user.wire()} if isinstance(came, Mapping) else user.wire()


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivityLog:
    """What happened in a task, message by message, in the wire's own shapes (text, tool calls, thoughts …)."""

    id: str
    created_at: datetime | None
    messages: tuple[Mapping[str, Any], ...]
    user: User | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def read_user(wire: Any) -> User | None:
    """Return a user, or None where there is none."""
    if not isinstance(wire, Mapping):
        return None
    found = {name: value for name in _USER_TEXTS if isinstance(value := wire.get(name), str)}
    email = wire.get("email")
    return User(
        email=email if isinstance(email, str) else "",
        additional_attributes=read_object(wire.get("additional_attributes")),
        **found,
    )


def read_tokens(wire: Any) -> Tokens | None:
    """Return token counts, or None where there are none; a count that cannot be read is 0."""
    if not isinstance(wire, Mapping):
        return None
    return Tokens(**{name: _count(wire.get(name)) for name in TOKEN_COUNTS})


def read_input(wire: Any) -> TaskInput:
    """Return an input; what cannot be read is as if it were not there."""
    if not isinstance(wire, Mapping):
        return TaskInput()
    words = wire.get("text")
    return TaskInput(
        text=words if isinstance(words, str) else "",
        files=read_texts(wire.get("files")),
        attachments=read_objects(wire.get("attachments")),
        user=read_user(wire.get("user")),
        principal=read_object(wire.get("principal")),
        raw=wire,
    )


def read_log(wire: Mapping[str, Any], task_id: str) -> ActivityLog:
    """Return the activity log of a task from an answer whose messages are a list."""
    found = wire.get("id")
    return ActivityLog(
        id=found if isinstance(found, str) else task_id,
        created_at=read_time(wire.get("created_at")),
        messages=tuple(message for message in wire["messages"] if isinstance(message, Mapping)),
        user=read_user(wire.get("user")),
        raw=wire,
    )


def read_time(wire: Any) -> datetime | None:
    """Return an aware time, or None where it cannot be read."""
    seconds = moment(wire)
    return None if seconds is None else time_at(seconds)


def time_at(seconds: float) -> datetime | None:
    """Return the time at so many seconds since the epoch, or None where no calendar reaches it."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def read_texts(wire: Any) -> list[str]:
    """Return a list of texts, or an empty one where it is something else."""
    return list(wire) if isinstance(wire, list) and all(isinstance(item, str) for item in wire) else []


def read_objects(wire: Any) -> list[dict[str, Any]]:
    """Return a copy of a list of objects, or an empty list where it is something else."""
    if not isinstance(wire, list) or not all(isinstance(item, Mapping) for item in wire):
        return []
    copies = [read_object(item) for item in wire]
    return [copy for copy in copies if copy is not None] if None not in copies else []


def read_object(wire: Any) -> dict[str, Any] | None:
    """Return a copy of an object, or None where it is something else or nested beyond what can be sent."""
    if not isinstance(wire, Mapping):
        return None
    try:
        return {name: _copied(value, 1) for name, value in wire.items()}
    except RecursionError:
        return None


def _copied(wire: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(wire, dict):
        return {name: _copied(value, depth + 1) for name, value in wire.items()}
    if isinstance(wire, list):
        return [_copied(value, depth + 1) for value in wire]
    return wire


def _count(wire: Any) -> int:
    return wire if isinstance(wire, int) and not isinstance(wire, bool) and wire >= 0 else 0
