"""Reports of a command: which are asked for, what it tells of itself meanwhile, and that they are made at its end.

They are made whatever has happened, after all of it is recorded. One that cannot be made is an error, which hides no
graver one.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from taskspec.cli.options import F
from taskspec.diagnostics import ManifestError
from taskspec.errors import TaskspecError, UsageError, asked_to_end

if TYPE_CHECKING:
    from taskspec.documents.model import Project
    from taskspec.plan.model import Plan
    from taskspec.report.account import Account, Kind
    from taskspec.report.exiting import ExitCode
    from taskspec.report.view import View
    from taskspec.runner.model import Invocation, Ports

    Outlet = Callable[[Account], None]
    """Tells an account to somebody; raises OSError and TaskspecError."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeatable:
    """An outlet that can say it again, or more, where another one fails after it; it is told then what was wrong."""

    tell: "Outlet"
    again: "Callable[[Account, str], None]"

    def __call__(self, account: "Account") -> None:
        """Tell an account for the first time."""
        self.tell(account)


_META: Final = "taskspec.--report"
STDOUT: Final = Path("-")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A report that is asked for."""

    format: str
    path: Path


class _ReportType(click.ParamType[Wanted]):
    """`FORMAT=FILE`."""

    name = "report"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Wanted:
        if isinstance(value, Wanted):
            return value
        from taskspec.cli.rendering import formats

        known = ", ".join(formats())
        form, equals, file = str(value).partition("=")
        if not equals or not file:
            self.fail(f"`{value}` names no file; write it like junit=report.xml. The formats are {known}.", param, ctx)
        if form not in formats():
            self.fail(f"`{form}` is no format of a report. The formats are {known}.", param, ctx)
        if file != str(STDOUT) and Path(file).is_dir():
            self.fail(f"`{file}` is a folder; a report is a file.", param, ctx)
        return Wanted(format=form, path=Path(file))


def reports(command: F) -> F:
    """Add `--report`."""

    def keep(ctx: click.Context, _: click.Parameter, value: Sequence[Wanted]) -> None:
        paths = [wanted.path for wanted in value]
        files = [*map(os.path.realpath, paths)]
        for path, file in zip(paths, files, strict=True):
            if path == STDOUT and ctx.command.name not in _SILENT:
                raise click.UsageError("A report cannot go to stdout, where the command says what it does.", ctx)
            if files.count(file) > 1:
                raise click.UsageError(f"Two reports cannot be one file: `{path}`.", ctx)
        ctx.meta[_META] = tuple(value)

    return click.option(
        "--report",
        type=_ReportType(),
        multiple=True,
        metavar="FORMAT=FILE",
        expose_value=False,
        callback=keep,
        help="Write a report at the end, whatever happened: markdown, html, junit or jsonl. May be repeated.",
    )(command)


_SILENT: Final = frozenset({"report"})
"""The commands that print nothing else, so that a report of theirs may go to stdout."""


def wanted_reports() -> tuple[Wanted, ...]:
    """Return the reports that the command line asks for."""
    context = click.get_current_context(silent=True)
    return context.meta.get(_META, ()) if context else ()


def require_apart(*plans: Path | None) -> None:
    """Raise UsageError where a report would be written over the file of a plan."""
    files = {os.path.realpath(path) for path in plans if path is not None}
    for wanted in wanted_reports():
        if os.path.realpath(wanted.path) in files:
            raise UsageError(
                f"A report cannot be written over the saved plan: `{wanted.path}`.", hint="Name another file."
            )


class Reporter:
    """Hears what a command does, is told what it finds out, and makes the reports at its end; idle without any."""

    def __init__(
        self,
        kind: "Kind",
        invocation: "Invocation",
        ports: "Ports",
        outlets: "Iterable[Outlet]" = (),
        *,
        project: "Callable[[], Project] | None" = None,
    ) -> None:
        from taskspec.report.gathering import Gathering

        self.plan: Plan | None = None
        """The plan that was made or carried out, as soon as there is one."""
        self.digest: str | None = None
        """The digest of its file."""
        self.notes: list[str] = []
        """What else a reader has to know."""
        self.drifted = 0
        """How many tasks have drifted, where that was looked for."""
        self.name = ""
        """How the project is called, where its own documents may not tell."""
        self._kind = kind
        self._invocation = invocation
        self.ports = ports
        """How the state is read for them."""
        self._project = project
        self._began = ports.chance.now()
        self._gathering = Gathering(ports.chance.now)
        self._error: TaskspecError | None = None
        self._files = [to_file(wanted) for wanted in wanted_reports()]
        self._outlets = [*outlets]

    @property
    def is_idle(self) -> bool:
        """Tell whether nobody asks for a report."""
        return not (self._files or self._outlets)

    @property
    def views(self) -> "tuple[View, ...]":
        """Return who is to hear what happens."""
        return () if self.is_idle else (self._gathering,)

    def learn(self, error: TaskspecError) -> None:
        """Take down what the command ends with; whoever caught it has told it."""
        self._error = error

    def run(self, work: "Callable[[], int]", *, as_json: bool) -> int:
        """Do the work of a command and make the reports of it; return the exit code of both."""
        if self.is_idle:
            return work()
        from taskspec.cli.failing import tell
        from taskspec.report.exiting import ExitCode

        try:
            code = self._said(ExitCode(work()))
        except TaskspecError as error:
            self.learn(error)
            code = tell(error, as_json=as_json)
        except BaseException as error:
            self._conclude(*_end_of(error))
            raise
        return self._conclude(code)

    def _conclude(self, code: "ExitCode", untold: TaskspecError | None = None) -> "ExitCode":
        """Make the reports, each for itself; return the graver of the code and what their failures mean.

        A report that is made after another one has failed tells of that, and what was told too well is told again.
        """
        from taskspec.report.exiting import ExitCode, foremost

        if untold is not None:
            self.learn(untold)
        accounts: list[Account] = []

        def tell_to(outlet: "Outlet") -> str:
            if not accounts:
                accounts.append(self._account(code))
            outlet(accounts[-1])
            return ""

        def tell_again(outlet: "Outlet") -> str:
            if isinstance(outlet, Repeatable):
                outlet.again(accounts[-1], trouble)
            return ""

        trouble, told = "", []
        for outlet in (*self._files, *self._outlets):
            wrong = _hindrance(tell_to, outlet)
            if wrong and accounts:
                accounts.append(_marred(accounts[-1], wrong))
            told += [] if wrong else [(outlet, accounts[-1])]
            trouble = trouble or wrong
        for outlet, account in told:
            if (account.code, account.trouble) != (accounts[-1].code, accounts[-1].trouble):
                _ = _hindrance(tell_again, outlet)
        return code if code is ExitCode.USAGE or not trouble else foremost((code, ExitCode.ERROR))

    def _said(self, code: "ExitCode") -> "ExitCode":
        """Return the code of a command that has said all that it had to say; a graver one where it cannot."""
        from taskspec.cli.failing import tell_unwritten
        from taskspec.report.exiting import ExitCode, foremost

        try:
            sys.stdout.flush()
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                tell_unwritten(error)
            if self._error is None:
                self.learn(TaskspecError(f"What the command had to say could not be written: {error.strerror}."))
            return foremost((code, ExitCode.ERROR))
        return code

    def _account(self, code: "ExitCode") -> "Account":
        from taskspec.documents.loading import called
        from taskspec.report.account import Kind, Trouble
        from taskspec.runner.locating import project_of
        from taskspec.runner.remembering import Remembered
        from taskspec.runner.summing_up import Course, account

        error, invocation = self._error, self._invocation
        is_wrong = isinstance(error, ManifestError)
        course = Course(
            kind=Kind.VALIDATE if is_wrong and self.plan is None else self._kind,
            code=code,
            began=self._began,
            ended=self.ports.chance.now(),
            plan=self.plan,
            heard=self._gathering.heard,
            digest=self.digest,
            trouble=Trouble(message=error.message, hint=error.hint) if error is not None else None,
            diagnostics=error.diagnostics if isinstance(error, ManifestError) else (),
            notes=tuple(self.notes),
            drifted=self.drifted,
            name=self.name or ("" if self.plan is not None else called(invocation.target)),
            environment=invocation.environment,
            settings=invocation.settings,
        )
        remembered = Remembered()
        is_whole = any(wanted.format == "html" for wanted in wanted_reports())
        ask = remembered if is_whole else remembered.unaccepted
        return account(course, self._project or (lambda: project_of(invocation)), self.ports, ask)


def _hindrance(tell_to: "Callable[[Outlet], str]", outlet: "Outlet") -> str:
    """Let an outlet tell of a command; return what was in its way, which has been said: nothing where it is done."""
    from taskspec.cli.failing import tell, tell_bug, tell_unwritten

    try:
        return tell_to(outlet)
    except OSError as error:
        tell_unwritten(error)
        return f"{error.filename or 'A report'} could not be written: {error.strerror}."
    except TaskspecError as error:
        tell(error, as_json=False)
        return error.message
    except Exception as error:  # noqa: BLE001  # a bug in a report must not hide how the command ended
        tell_bug(error)
        return f"A report could not be made, as taskspec itself is at fault: {type(error).__name__}."


def _marred(account: "Account", wrong: str) -> "Account":
    """Return an account that tells of a report that could not be made."""
    from taskspec.report.account import Trouble
    from taskspec.report.exiting import ExitCode, foremost

    if account.code is ExitCode.USAGE:
        return account
    trouble = account.trouble or Trouble(message=wrong)
    return replace(account, code=foremost((account.code, ExitCode.ERROR)), trouble=trouble)


def _end_of(error: BaseException) -> "tuple[ExitCode, TaskspecError]":
    """Return the exit code of what only the outermost edge tells, and what a report says of it."""
    from taskspec.cli.failing import exit_code
    from taskspec.report.exiting import ExitCode

    if (signalled := asked_to_end(error)) is not None:
        return exit_code(signalled), signalled
    match error:
        case KeyboardInterrupt() | click.Abort():
            return ExitCode.INTERRUPTED, TaskspecError("The command was interrupted.")
        case click.ClickException():
            return ExitCode.USAGE, UsageError(error.format_message())
        case OSError():
            return ExitCode.ERROR, TaskspecError(f"Something could not be written: {error.strerror}.")
        case _:
            return ExitCode.ERROR, TaskspecError(f"taskspec itself is at fault: {type(error).__name__}.")


def to_file(wanted: Wanted) -> "Outlet":
    """Return what writes a report to its file."""

    def write(account: "Account") -> None:
        from taskspec.cli.printing import say_pieces
        from taskspec.cli.rendering import pieces
        from taskspec.documents.replacing import write_whole

        if wanted.path == STDOUT:
            say_pieces(pieces(wanted.format, account))
        else:
            with naming(wanted.path):
                write_whole(wanted.path, pieces(wanted.format, account))

    return Repeatable(tell=write, again=lambda account, _: write(account))


@contextmanager
def naming(path: Path) -> "Iterator[None]":
    """Let what the system says against a file name it, as whoever gave it knows it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
