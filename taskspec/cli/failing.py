"""Trouble in words, and its exit code. Recovers nothing."""

import json
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from taskspec.cli.aiming import meant
from taskspec.cli.printing import paint_for
from taskspec.diagnostics import ManifestError
from taskspec.errors import (
    LimitError,
    LockHeldError,
    LostLeaseError,
    MissingSecretError,
    NotAcceptedError,
    OutcomeUnknownError,
    ProtocolError,
    RunInterruptedError,
    StaleError,
    TaskspecError,
    UnknownCommitError,
    UsageError,
)
from taskspec.health import Health
from taskspec.report.exiting import ExitCode, foremost, of_health
from taskspec.report.findings import lines
from taskspec.report.text import in_json, visible


def exit_code(error: TaskspecError) -> ExitCode:
    """Return the exit code that an error stands for."""
    match error:
        case UsageError():
            return ExitCode.USAGE
        case LimitError():
            return ExitCode.REFUSED
        case MissingSecretError() | StaleError():
            return ExitCode.STALE
        case LockHeldError() | LostLeaseError():
            return ExitCode.LOCKED
        case ProtocolError():  # reads told it: whoever asks for a change says by itself that its outcome is unknown
            return ExitCode.ERROR
        case NotAcceptedError(health=health):
            return of_health(Health(health))
        case UnknownCommitError() | OutcomeUnknownError():
            return ExitCode.UNKNOWN
        case RunInterruptedError(signum=1):
            return ExitCode.HANGUP
        case RunInterruptedError(signum=15):
            return ExitCode.TERMINATED
        case RunInterruptedError():
            return ExitCode.INTERRUPTED
        case _:
            return ExitCode.ERROR


def tell(error: TaskspecError, *, as_json: bool, beside: ExitCode = ExitCode.OK) -> ExitCode:
    """Say what went wrong: on stderr, and with `--json` also as a document on stdout.

    `beside` is what holds as well, of what was told before it went wrong; the graver of both is returned.
    """
    paint = paint_for(sys.stderr)
    code = foremost((exit_code(error), beside))
    if isinstance(error, ManifestError):
        for line in lines(error.diagnostics, paint, Path.cwd()):
            sys.stderr.write(line + "\n")
    else:
        sys.stderr.write(f"{paint('error', 'error')}: {visible(meant(error.message))}\n")
        if error.hint:
            sys.stderr.write(f"  {paint('→', 'accent')} {visible(meant(error.hint))}\n")
    if as_json:
        _say_document(error, code)
    return code


def tell_unwritten(error: OSError) -> ExitCode:
    """Say that what the command had to say, or to keep, cannot be written."""
    place = error.filename or "What the command had to say"
    said = f"{place} could not be written: {error.strerror}."
    sys.stderr.write(f"{paint_for(sys.stderr)('error', 'error')}: {visible(said)}\n")
    return ExitCode.ERROR


def say_usage(message: str) -> None:
    """Write the document of a command line that click refuses."""
    _say_document(UsageError(message), ExitCode.USAGE)


def tell_bug(error: BaseException) -> ExitCode:
    """Say that taskspec itself is at fault, and where; the message is left out, as it may hold a secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    sys.stderr.write(
        f"internal error: {type(error).__name__} in {Path(frame.filename).name}:{frame.lineno} ({frame.name}).\n"
        "  This is a bug in taskspec; what was recorded before it is kept. Please report it with the traceback\n"
        "  that TASKSPEC_TRACEBACK=1 shows (read it first: it may hold values of yours).\n"
    )
    return ExitCode.ERROR


def _say_document(error: TaskspecError, code: ExitCode) -> None:
    """Write the document of an error to stdout; where that cannot be written, stderr has told it."""
    with suppress(OSError):
        sys.stdout.write(in_json(json.dumps(_document(error, code))) + "\n")


def _document(error: TaskspecError, code: ExitCode) -> dict[str, Any]:
    found: dict[str, Any] = {"message": error.message, "hint": error.hint, "exitCode": int(code)}
    if isinstance(error, LockHeldError) and error.lock is not None:
        found["lock"] = error.lock
    if isinstance(error, ManifestError):
        found["diagnostics"] = [diagnostic.as_json for diagnostic in error.diagnostics]
    return {"error": found}
