"""What `taskspec tasks create` asks for, and following it to its end. Repeats nothing."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskspec.cli import reaching
from taskspec.cli.following import Shower, Silent, Unanswered, Words, as_wire
from taskspec.cli.printing import note, paint_for, say, say_json, say_text
from taskspec.cli.wiring import Reach
from taskspec.errors import UsageError
from taskspec.report.tasks import of_status, standing_line, without_secrets
from taskspec.report.text import indented, visible
from taskspec.taskapi.records import AgentExecutionStatus as Status

if TYPE_CHECKING:
    from taskspec.taskapi.tasks.module import Tasks
    from taskspec.taskapi.tasks.task import Task

STDIN = "-"
SOURCE = "taskspec"
"""Where a task comes from that is created by this program, unless it is told otherwise."""
_URLS = ("https://", "http://")


def wanted(prompt: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the library's create that the options of the command ask for."""
    files = list(given["files"])
    text = text_of(prompt or "", "prompt")
    if not text.strip() and not files:
        raise UsageError("A task needs a prompt.", hint="Give it in quotes, or `-` to read it from standard input.")
    return {
        "prompt": text,
        "file_urls": _checked_urls(files) or None,
        "title": given["title"],
        "output_format": given["output_format"],
        "output_schema": _schema(given["output_schema"]),
        "agent_version": given["agent_version"],
        "additional_context": given["context"],
        "expected_output": given["expected_output"],
        "instructions_override": given["instructions"],
        "tool_call_payload_extension": json_object(given["payload"], "--payload"),
        "source": SOURCE if given["source"] is None else given["source"],
        "existing_task_id": given["continued"],
        "idempotency_key": given["idempotency_key"],
        "events_streaming": True,
    }


def create(tasks: "Tasks", agent: str, arguments: Mapping[str, Any]) -> "Task":
    """Create a task; OutcomeUnknownError wherever nobody knows whether there is one now."""
    look = f"`taskspec tasks list {visible(agent)}` shows whether it is there; look before you create it again."
    with reaching.told_when_unknown(look):
        return tasks.create(agent, **arguments)


def follow(reach: Reach, tasks: "Tasks", task: "Task", *, as_json: bool) -> int:
    """Show the events of a task on stderr, print its result at the end, and return the exit code."""
    if as_json:
        with reaching.told_when_cut(reach, tasks, task.id):
            ended = _watched(reach, tasks, task, Silent())
        say_json(without_secrets(ended.raw))
        return of_status(ended.status)
    paint = paint_for(sys.stderr)
    note(standing_line(task, paint))
    words = Words(_note_all, task.id)
    shower = Unanswered(words) if sys.stdout.isatty() and sys.stderr.isatty() else words
    with reaching.told_when_cut(reach, tasks, task.id):
        ended = _watched(reach, tasks, task, shower)
    note(standing_line(ended, paint))
    if ended.status == Status.Completed:
        say_text(ended.result or "")
    elif ended.result:
        note(indented(ended.result, 2))
    return of_status(ended.status)


def said(task: "Task", *, as_json: bool) -> None:
    """Print a task that was not followed."""
    if as_json:
        say_json(without_secrets(task.raw))
        return
    say([standing_line(task, paint_for(sys.stdout))])


def text_of(given: str, name: str) -> str:
    """Return a text of the command line; `-` stands for standard input."""
    if given != STDIN:
        return given
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"The {name} on standard input is no UTF-8 text.") from error


def json_object(text: str | None, name: str) -> dict[str, Any] | None:
    """Return the JSON object of an option; UsageError where it is none."""
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is no JSON.", hint="""Write it like '{"order": 7}'.""") from error
    if not isinstance(found, dict):
        raise UsageError(f"{name} is no JSON object.", hint="""Write it like '{"order": 7}'.""")
    return found


def _watched(reach: Reach, tasks: "Tasks", task: "Task", shower: Shower) -> "Task":
    """Follow a task until it has ended, or waits for a person and can do so without this command."""
    with closing(task.events()) as events:
        for event in events:
            shower.show(event)
            if not reach.owned and _tells_a_pause(as_wire(event).data) and tasks.get(task.id).status == Status.Paused:
                break
    shower.close()
    return tasks.get(task.id)


def _tells_a_pause(found: object) -> bool:
    return isinstance(found, Mapping) and found.get("status") == Status.Paused


def _note_all(lines: Iterable[str]) -> None:
    for line in lines:
        note(line)


def _schema(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The schema {path} cannot be read as text.", hint="Name a file with a JSON Schema."
        ) from error
    return json_object(text, f"The schema {path}")


def _checked_urls(files: Sequence[str]) -> list[str]:
    for file in files:
        if not file.lower().startswith(_URLS):
            raise UsageError(
                f"--file takes a URL, not `{file}`.",
                hint="Local files go with tasks of a project: `files` of `kind: Task`, and `taskspec apply`.",
            )
    return list(files)
