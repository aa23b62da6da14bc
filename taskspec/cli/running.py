"""Running a command line to its exit code: the outermost edge, where every trouble becomes words."""

import errno
import gc
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from taskspec.cli.commands import taskspec
from taskspec.errors import RunInterruptedError, TaskspecError, asked_to_end

_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})
"""What a disk that is full, read-only or broken says; anything else that the system refuses is a mistake of ours."""
_USAGE = 64
_INTERRUPTED = 130

_GRACE, _PRESS = 15.0, 3.0
"""Seconds that an end by signal may take before it is asked for again, and then each time."""


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; whatever goes wrong has been said on stderr."""
    _open_streams()
    code = _run(arguments)
    try:
        sys.stdout.flush()
    except OSError as error:
        from taskspec.cli.printing import silence_stdout

        silence_stdout()
        if not code and not isinstance(error, BrokenPipeError):
            from taskspec.cli.failing import tell_unwritten

            tell_unwritten(error)
        return code or 1
    return code


def _run(arguments: Sequence[str]) -> int:
    _listen()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a stream cannot say is no bug
    # A command lives for seconds and keeps nearly all that it makes: collecting garbage early finds none.
    gc.set_threshold(100_000, 50, 50)
    try:
        code = taskspec.main(args=list(arguments), prog_name="taskspec", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.Abort:
        return _INTERRUPTED
    except click.ClickException as error:
        error.show()
        if _wants_json(arguments):
            from taskspec.cli.failing import say_usage

            say_usage(error.format_message())
        return _USAGE
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        return _INTERRUPTED
    except BrokenPipeError:
        from taskspec.cli.printing import silence_stdout

        silence_stdout()
        return 1
    except Exception as error:  # noqa: BLE001  # the outermost edge: whatever is not told is raised again
        signal.setitimer(signal.ITIMER_REAL, 0)  # it has come to the edge: nothing is to be asked for again
        return _trouble(error, arguments)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return code if isinstance(code, int) else 0


def _trouble(error: Exception, arguments: Sequence[str]) -> int:
    """Say what went wrong, and return its exit code."""
    told = error if isinstance(error, TaskspecError) else asked_to_end(error)
    if told is not None:
        from taskspec.cli.failing import tell

        return tell(told, as_json=_wants_json(arguments))
    if isinstance(error, OSError) and error.errno in _UNWRITABLE:
        from taskspec.cli.failing import tell_unwritten

        return tell_unwritten(error)
    from taskspec.settings import from_environ

    if from_environ().traceback:
        raise error
    from taskspec.cli.failing import tell_bug

    return tell_bug(error)


def _open_streams() -> None:
    """Put nothing in the place of streams that whoever started us has closed: what they say, nobody wants."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  # kept open


def _wants_json(arguments: Sequence[str]) -> bool:
    """Tell whether a command line asks for JSON, in whichever way; it may be one that click refuses."""
    joined = "\0".join(arguments)
    return "--json" in arguments or "--format\0json" in joined or "--format=json" in arguments


def _listen() -> None:
    """Make an end of SIGTERM and SIGHUP; who started us under `nohup` wants the latter ignored."""
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _terminate)


def _terminate(signum: int, _frame: FrameType | None) -> None:
    """Raise the end wherever the program is; and again, should it come to nothing there.

    What a signal raises may be lost: in a `__del__`, or between the taking of a lock and its `with`.
    """

    def again(_signum: int, _frame: FrameType | None) -> None:
        raise RunInterruptedError(signum)

    signal.signal(signal.SIGALRM, again)
    signal.setitimer(signal.ITIMER_REAL, _GRACE, _PRESS)
    raise RunInterruptedError(signum)
