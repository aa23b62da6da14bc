"""What a CI job is told at the end of a command: its summary, its outputs, annotations, and the sticky comment.

A comment that nobody asked for and that cannot be written is a warning: then it stands in the summary alone.
"""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from taskspec.ci import Cause, Platform
from taskspec.cli.printing import note
from taskspec.errors import TaskspecError
from taskspec.report.text import one_line, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskspec.cli.reporting import Outlet
    from taskspec.report.account import Account
    from taskspec.settings import Settings

_STEP: Final = 1_000_000
"""Bytes of the summary of one step; GitHub refuses all of one that has more than 1 MiB."""
_LEAST: Final = 2_000


def ci_outlets(settings: "Settings", *, comment: bool | None) -> "Iterator[Outlet]":
    """Yield what tells the CI job of a command; `comment`: None where the command line does not say."""
    if _comments(settings, comment):
        yield _comment(settings, is_asked_for=comment is True)
    if settings.github_step_summary is not None:
        yield _summarize(settings.github_step_summary)
    if settings.ci is not None and settings.ci.platform is Platform.GITHUB:
        yield _annotate(settings.github_workspace)
    if settings.github_output is not None:  # the last one: what other steps go by knows how all the others went
        yield _put_out(settings.github_output)


def _comments(settings: "Settings", comment: bool | None) -> bool:
    """Tell whether a comment is written: where that is asked for, or a token is there and a pull request may be."""
    if comment is not None:
        return comment
    from taskspec.hosting.reaching import can_comment

    is_about_one = settings.ci is not None and settings.ci.cause in {Cause.REQUEST, Cause.PUSH}
    return is_about_one and can_comment(settings)


def _summarize(path: Path) -> "Outlet":
    def write(account: "Account") -> None:
        from taskspec.report.markdown import summary

        room = _STEP - (path.stat().st_size if path.exists() else 0)
        if room < _LEAST:
            note("The summary of the step is full: this command does not stand in it.")
        else:
            _append(path, summary(account, room - 1) + "\n")

    return write


def _put_out(path: Path) -> "Outlet":
    def write(account: "Account") -> None:
        from taskspec.report.outputs import outputs_text

        _append(path, outputs_text(account, lambda: secrets.token_hex(16)))

    return write


def _annotate(workspace: Path | None) -> "Outlet":
    def write(account: "Account") -> None:
        from taskspec.report.annotations import of_account

        for line in of_account(account, Path.cwd(), workspace.resolve() if workspace else None):
            note(line)  # GitHub reads both streams, and stdout may be a document

    return write


def _comment(settings: "Settings", *, is_asked_for: bool) -> "Outlet":
    def write(account: "Account") -> None:
        try:
            note(_posted(settings, account))
        except TaskspecError as error:
            if is_asked_for:
                raise
            note(f"warning: The comment of the pull request is not written: {one_line(error.message, 500)}")

    return write


def _posted(settings: "Settings", account: "Account") -> str:
    """Write the comment of the pull request that a job is about, and say so."""
    from taskspec.hosting.posting import post
    from taskspec.hosting.reaching import Reach
    from taskspec.report.markdown import comments

    reach, job = Reach(settings), settings.ci
    number = job.request.number if job is not None and job.request is not None else None
    if number is None and job is not None and job.commit is not None:
        number = reach.run(reach.desk.request_of(job.commit))
    if number is None:
        return "No pull request is known that brought this commit: there is nothing to comment on."
    if job is not None and job.cause is Cause.REQUEST and not reach.run(reach.desk.is_open(number)):
        return f"Pull request {number} is closed: its comment tells what became of it, and stays."
    reach.run(post(reach.desk, number, comments(account, reach.desk.limit)))
    return visible(f"The comment of pull request {number} is up to date.")


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(text)
