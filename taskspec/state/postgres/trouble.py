"""What PostgreSQL says is wrong, in words: of connecting, of the server, of a statement. Connects to nothing."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import errors

from taskspec.errors import StateError, UnknownCommitError
from taskspec.state.trouble import RESTORE_ELSEWHERE

_KEPT: Final = "Everything that was recorded before is kept."
_GONE: Final = (
    "cannot be reached",
    "Check the host, the port and the network, and that the server runs; then run the command again.",
)
_SIGN_IN: Final = (
    "does not let this user in",
    "Check the user and its password (PGPASSWORD, or a line in ~/.pgpass), and whether pg_hba.conf there admits it.",
)
_FULL: Final = (
    "has no connection left",
    "Wait until other clients end, raise the server's limit, or put a pooler such as pgbouncer before it.",
)
_BUSY: Final = ("is just starting or stopping", "Wait until its server is up, and run the command again.")
_NO_DATABASE: Final = ("is not there", "Check the name of the database, or have it made: `createdb NAME`.")
_POOLER: Final = (
    "is behind a pooler that does not take a parameter",
    "Leave the parameter out of the URL, or list it in `ignore_startup_parameters` of the pooler.",
)
_CERTIFICATE: Final = (
    "does not prove to be the right server, or does not take this client's certificate",
    "Check `sslmode`, `sslrootcert`, `sslcert` and `sslkey` in the URL, and the name in the server's certificate.",
)
_TLS: Final = (
    "cannot be spoken to over TLS as the URL asks",
    "Check `sslmode` and `sslrootcert` in the URL, and whether the server has TLS.",
)
_UNHEARD_OF: Final = (
    "is at a host that is not known",
    "Check the name of the host, and that this machine can look it up.",
)
_CONNECTING: Final = (
    ("database system is", _BUSY),
    ("closed the connection", _BUSY),
    ("too many", _FULL),
    ("remaining connection slots", _FULL),
    ("no more connections allowed", _FULL),
    ("unsupported startup parameter", _POOLER),
    ("permission denied", _SIGN_IN),
    ("password", _SIGN_IN),
    ("authentication", _SIGN_IN),
    ("pg_hba.conf", _SIGN_IN),
    ("role", _SIGN_IN),
    ("no such user", _SIGN_IN),
    ("database", _NO_DATABASE),
    ("certificate", _CERTIFICATE),
    ("ssl", _TLS),
    ("translate host name", _UNHEARD_OF),
    ("resolve host", _UNHEARD_OF),
)
"""By a word of what the server or the library says, the first that is found: no code tells it where nobody came in."""

_GRANT: Final = (
    "does not allow this role what taskspec has to do",
    "Let the owner of the tables grant it what it needs: docs/postgresql.md has the SQL.",
)
_STANDBY: Final = (
    "only answers reads",
    "It may be a standby: name the primary server, or all of them and `target_session_attrs=read-write`.",
)
_CANCELLED: Final = (
    "took longer than the server allows, or somebody cancelled it",
    f"Look at `statement_timeout` of the role and the server, and run the command again. {_KEPT}",
)
_LOCKED: Final = (
    "is held by another session for longer than the server allows",
    f"Look at `lock_timeout` and at pg_locks, and run the command again. {_KEPT}",
)
_LACKING: Final = ("lacks tables of taskspec", RESTORE_ELSEWHERE)
_OTHERS: Final = (
    "has tables that are not taskspec's, but have their names",
    "Name another schema: `schema=NAME` among the parameters of the URL.",
)
_DAMAGED: Final = ("is damaged", RESTORE_ELSEWHERE)
_STATEMENTS: Final[tuple[tuple[type[psycopg.Error], tuple[str, str]], ...]] = (
    (errors.InsufficientPrivilege, _GRANT),
    (errors.ReadOnlySqlTransaction, _STANDBY),
    (
        errors.DiskFull,
        (
            "could not be written, because the disk of the server is full",
            f"Free some space there, and run the command again. {_KEPT}",
        ),
    ),
    (
        errors.OutOfMemory,
        ("could not be used, because the server is out of memory", f"Run the command again. {_KEPT}"),
    ),
    (errors.QueryCanceled, _CANCELLED),
    (errors.LockNotAvailable, _LOCKED),
    (errors.UndefinedTable, _LACKING),
    (errors.InvalidSchemaName, _LACKING),
    (errors.UndefinedColumn, _OTHERS),
    (errors.DataCorrupted, _DAMAGED),
    (errors.IndexCorrupted, _DAMAGED),
    (psycopg.DataError, ("does not take a value", "This is a bug; please report it.")),
)
_CONNECTION: Final = "08"
"""The class of codes for what is wrong with a connection, and not with a statement."""
_QUOTED: Final = re.compile(r'"[^"]*"')


class LostError(Exception):
    """The server gave no usable answer; raised from what says why.

    `sent` tells that something was sent: it may have happened, and it may still happen. `waited` in seconds.
    """

    def __init__(self, error: psycopg.Error, *, connecting: bool, sent: bool, waited: float) -> None:
        super().__init__(str(error))
        self.error = error
        self.connecting = connecting
        self.sent = sent
        self.waited = waited


@contextmanager
def in_words(place: str) -> Iterator[None]:
    """Turn what is said of the server of a place into a StateError."""
    try:
        yield
    except LostError as error:
        raise unreachable(place, error) from error
    except psycopg.Error as error:
        raise refused(place, error) from error


def unreachable(place: str, lost: LostError) -> StateError:
    """Return the error for a server that cannot be connected to, or went away."""
    what, hint = _connecting(lost.error) if lost.connecting else _GONE
    waited = f"; that was so for {lost.waited:.0f} s" if lost.waited >= 1 else ""
    return StateError(f"The state at {place} {what} ({told(lost.error)}{waited}).", hint=hint)


def unknown(place: str, lost: LostError) -> UnknownCommitError:
    """Return the error for a commit that may have happened, and whose server cannot be asked."""
    cause = unreachable(place, lost)
    return UnknownCommitError(
        f"Nobody can tell whether the last change of the state is kept. {cause.message}", hint=cause.hint
    )


def refused(place: str, error: psycopg.Error) -> StateError:
    """Return the error for a statement that the server has not carried out."""
    for kind, (what, hint) in _STATEMENTS:
        if isinstance(error, kind):
            return StateError(f"The state at {place} {what} ({told(error)}).", hint=hint)
    return StateError(
        f"The state at {place} could not be used ({told(error)}).",
        hint=f"Run the command again; if that does not help, look into the server's log. {_KEPT}",
    )


def told(error: psycopg.Error) -> str:
    """Return what the server or the library says, in one line."""
    return " ".join(str(error).split())


def is_lost(error: psycopg.Error) -> bool:
    """Tell whether an error leaves open what became of the statement, because the session ended with it."""
    if isinstance(error, psycopg.InterfaceError):
        return True
    code = error.sqlstate or _CONNECTION  # none: the library has found out that the server is not there
    severity = error.diag.severity_nonlocalized or error.diag.severity  # a pooler tells only the second
    return code.startswith(_CONNECTION) or severity in {"FATAL", "PANIC"}


def is_rolled_back(error: psycopg.Error) -> bool:
    """Tell whether the server has undone a statement only because another came in its way."""
    return isinstance(error, errors.SerializationFailure | errors.DeadlockDetected)


def is_passing(error: psycopg.Error) -> bool:
    """Tell whether a server that cannot be connected to says that it can be soon."""
    return _connecting(error) in {_BUSY, _FULL}


def is_final(error: psycopg.Error) -> bool:
    """Tell whether the server has said that it will not let us in: asking it again does not help."""
    return _connecting(error) != _GONE and not is_passing(error)


def _connecting(error: psycopg.Error) -> tuple[str, str]:
    text = _QUOTED.sub("", told(error).lower())  # a host, a user or a database may be called anything
    return next((words for sign, words in _CONNECTING if sign in text), _GONE)
