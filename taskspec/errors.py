"""The exceptions of taskspec: one class per possible reaction of a caller. Knows nothing above itself.

TaskspecError                     anything that a user can be told in a sentence
├── UsageError                    the caller asks for something that cannot be
├── ManifestError                 the documents are wrong; carries every diagnostic (diagnostics.py)
├── MissingSecretError            a key or a secret that is needed is not there
├── LimitError                    a plan goes beyond a limit of its project; nothing of it was done
├── StateError                    the state cannot be read or written
│   ├── LockHeldError             another command holds the lock; wait, or look at the holder
│   ├── LostLeaseError            the lock was lost while working; stop writing
│   ├── StaleError                the state moved on since it was read; read again
│   └── UnknownCommitError        whether the write happened is unknown; read back by serial
├── EngineError                   the embedded engine cannot be started or joined
├── RemoteError                   the remote did not do what was asked (status, detail)
│   ├── UnreachableError          nothing was changed: the request never left, or it only reads; try again later
│   ├── OutcomeUnknownError       the request left and no usable answer came: look before you repeat it
│   │   └── ProtocolError         an answer came, but not one of the task API; check the base URL
│   └── RefusedError              the remote answered "no"; nothing was changed
│       ├── AuthenticationError   401, 403: the key is wrong
│       ├── NotFoundError         404
│       ├── ConflictError         409: the task is in a state that does not allow it
│       ├── InvalidError          400, 413, 415, 422: a value of the request is wrong
│       └── RateLimitedError      429: too fast, or a billing limit
└── RunInterruptedError           a signal asked to stop
"""

from collections.abc import Mapping
from typing import Any


class TaskspecError(Exception):
    """Anything that a user can be told in a sentence; `hint` says what to do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TaskspecError):
    """The caller asks for something that cannot be: a wrong option or argument, or a client that is closed."""


class MissingSecretError(TaskspecError):
    """A key or a secret that is needed is not there."""


class LimitError(TaskspecError):
    """A plan goes beyond a limit of its project."""


class StateError(TaskspecError):
    """The state cannot be read or written."""


class UnchainedError(StateError):
    """The history was written by an older taskspec, and has no hashes yet."""


class LockHeldError(StateError):
    """Another command holds the lock."""

    def __init__(self, message: str, *, hint: str = "", lock: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.lock = lock
        """Who holds it, for machines; None where nobody has said so yet."""


class LostLeaseError(StateError):
    """The lock was lost while working."""


class StaleError(StateError):
    """The state moved on since it was read."""


class UnknownCommitError(StateError):
    """Whether the write happened is unknown; read back by serial."""


class EngineError(TaskspecError):
    """The embedded engine cannot be started or joined."""


class RemoteError(TaskspecError):
    """The remote did not do what was asked."""

    def __init__(self, message: str, *, hint: str = "", status: int | None = None, detail: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        """The HTTP status of the answer; None where none came."""
        self.detail = detail
        """The remote's own words, in one line; untrusted text."""


class UnreachableError(RemoteError):
    """Nothing was changed: no byte of the request left, or the request only reads."""


class OutcomeUnknownError(RemoteError):
    """The request was sent and no usable answer came: its outcome is unknown."""


class ProtocolError(OutcomeUnknownError):
    """An answer came that is none of the task API."""


class RefusedError(RemoteError):
    """The remote answered "no"."""


class AuthenticationError(RefusedError):
    """The remote does not accept the key (401, 403)."""


class NotFoundError(RefusedError):
    """The remote does not know the thing asked for (404)."""


class ConflictError(RefusedError):
    """The state of the task does not allow what was asked (409)."""


class InvalidError(RefusedError):
    """A value of the request is wrong (400, 413, 415, 422)."""


class RateLimitedError(RefusedError):
    """The remote limits the caller (429): too fast, or a billing limit."""

    retry_after: float | None = None
    """Seconds that the remote asks to wait; None where it does not say."""
    billing: bool = False
    """The limit is one of money: waiting does not help."""


class NotAcceptedError(TaskspecError):
    """What was to be done is done, and other tasks have no accepted result; `health` is that of the gravest."""

    def __init__(self, message: str, *, health: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.health = health


class RunInterruptedError(TaskspecError):
    """A signal asked the command to stop."""

    def __init__(self, signum: int) -> None:
        super().__init__("interrupted")
        self.signum = signum


def asked_to_end(error: BaseException) -> RunInterruptedError | None:
    """Return the signal on whose way out something else went wrong: it may be raised where nobody reckons with it.

    A thread of Python that is being started tells of it as of a KeyError.
    """
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, RunInterruptedError):
        seen = seen.__cause__ or seen.__context__
    return seen
