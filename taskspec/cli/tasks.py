"""`taskspec tasks`."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taskspec.cli import options
from taskspec.cli.printing import paint_for, say, say_json, say_json_list, width_of
from taskspec.errors import UsageError
from taskspec.taskapi.records import AgentExecutionStatus as Status

if TYPE_CHECKING:
    from taskspec.cli.wiring import Reach
    from taskspec.taskapi.tasks.listing import TasksListItem
    from taskspec.taskapi.tasks.module import Tasks

_STATUSES = click.Choice([status.value for status in Status], case_sensitive=False)
_FORMATS = click.Choice(["text", "markdown", "json", "voice"])


@click.group()
def tasks() -> None:
    """Work with the tasks of agents on the remote, one at a time.

    The remote is that of the project in the current folder, or of the one that -C names. Where there is none,
    XPANDER_API_KEY, XPANDER_BASE_URL and XPANDER_ORGANIZATION_ID say which. What is done here is in no plan and no
    state: for the tasks that a project declares use `taskspec apply`, `stop` and `logs`.
    """


@tasks.command("list")
@click.argument("agent", required=False)
@click.option("--status", type=_STATUSES, help="Only tasks of this status.")
@click.option("--user", metavar="ID", help="Only tasks of this user; without AGENT, of all agents.")
@click.option(
    "--filter", "filters", multiple=True, metavar="NAME=VALUE", help="Any other filter of the remote. May be repeated."
)
@click.option("--limit", type=click.IntRange(min=1), help="Show no more than so many.")
@options.project
@options.as_json
def list_tasks(
    agent: str | None,
    status: str | None,
    user: str | None,
    filters: Sequence[str],
    limit: int | None,
    project: Path | None,
    as_json: bool,
) -> int:
    """List the tasks of an agent, or of a user."""
    from taskspec.cli.reaching import reached
    from taskspec.report.tasks import list_lines, without_secrets
    from taskspec.runner.model import Need

    found = {**_filters(filters), **({"status": status} if status else {})}
    with reached(project, Need.LOOK) as reach, _client(reach) as client:
        rows = _listed(client, agent, user, found)[:limit]
    if as_json:
        say_json_list("tasks", (without_secrets(row.raw) for row in rows))
    else:
        say(list_lines(rows, paint_for(sys.stdout), width_of(sys.stdout)))
    return 0


@tasks.command("get")
@click.argument("task")
@options.project
@options.as_json
def get(task: str, project: Path | None, as_json: bool) -> int:
    """Show a task, and its result."""
    from taskspec.cli.reaching import reached, told_when_absent
    from taskspec.report.tasks import task_lines, without_secrets
    from taskspec.runner.model import Need

    with reached(project, Need.LOOK) as reach, _client(reach) as client, told_when_absent():
        found = client.get(task)
    if as_json:
        say_json(without_secrets(found.raw))
    else:
        say(task_lines(found, paint_for(sys.stdout)))
    return 0


@tasks.command("create")
@click.argument("agent")
@click.argument("prompt", required=False, metavar="[PROMPT | -]")
@click.option(
    "--file", "files", multiple=True, metavar="URL", help="A file for the agent, by its URL. May be repeated."
)
@click.option("--title", help="What the task is called.")
@click.option("--output-format", type=_FORMATS, help="What kind of answer is asked for.")
@click.option(
    "--output-schema",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A JSON Schema that the agent is asked to fit. The answer is not checked here: only `taskspec apply` judges.",
)
@click.option("--agent-version", metavar="VERSION", help="The version of the agent (default: its newest).")
@click.option("--context", metavar="TEXT", help="What the agent is to know beside the prompt.")
@click.option("--expected-output", metavar="TEXT", help="What a good answer looks like.")
@click.option("--instructions", metavar="TEXT", help="Instructions in place of the agent's own.")
@click.option("--payload", metavar="JSON", help="An object that is added to the agent's tool calls.")
@click.option("--source", metavar="TEXT", help="Where the task comes from (default: taskspec).")
@click.option("--continue", "continued", metavar="TASK", help="Go on with a task that has ended, in the same thread.")
@click.option("--idempotency-key", metavar="KEY", help="Makes no second task where the remote honours such keys.")
@click.option("-f", "--follow", is_flag=True, help="Show events until the task has ended, then print its result.")
@options.project
@options.as_json
def create(agent: str, prompt: str | None, follow: bool, project: Path | None, as_json: bool, **given: object) -> int:
    """Create a task: the agent starts to work on it, which may cost money.

    With `-` as prompt it is read from standard input. With -f the exit code is 0 where the task completed, 3 where it
    failed or was stopped, 5 where it waits for a person; the result goes to standard output, events to standard error.
    A project that runs its agents itself needs `taskspec serve` in another terminal, or -f.
    """
    from taskspec.cli import creating
    from taskspec.cli.reaching import reached_to_create

    arguments = creating.wanted(prompt, given)
    with reached_to_create(project, agent, follow=follow) as reach, _client(reach) as client:
        created = creating.create(client, agent, arguments)
        if follow:
            return creating.follow(reach, client, created, as_json=as_json)
    creating.said(created, as_json=as_json)
    return 0


@tasks.command("update")
@click.argument("task")
@click.option("--status", type=_STATUSES, help="The new status.")
@click.option("--result", metavar="TEXT", help="The new result; `-` reads it from standard input.")
@click.option("--source", metavar="TEXT", help="Where the task comes from.")
@click.option("--payload", metavar="JSON", help="An object that is added to the agent's tool calls.")
@options.project
@options.as_json
def update(
    task: str,
    status: str | None,
    result: str | None,
    source: str | None,
    payload: str | None,
    project: Path | None,
    as_json: bool,
) -> int:
    """Change what is recorded of a task. What is not given stays as it is."""
    from taskspec.cli import creating
    from taskspec.cli.reaching import reached, told_of
    from taskspec.runner.model import Need

    if all(given is None for given in (status, result, source, payload)):
        raise UsageError("There is nothing to change.", hint="Give --status, --result, --source or --payload.")
    extension = creating.json_object(payload, "--payload")
    text = None if result is None else creating.text_of(result, "result")
    with reached(project, Need.HOLD) as reach, _client(reach) as client, told_of(task):
        changed = client.update(task, status=status, result=text, source=source, tool_call_payload_extension=extension)
    creating.said(changed, as_json=as_json)
    return 0


@tasks.command("stop")
@click.argument("task")
@options.project
@options.as_json
def stop(task: str, project: Path | None, as_json: bool) -> int:
    """Stop a task. One that has ended stays as it is."""
    from taskspec.cli import creating
    from taskspec.cli.reaching import reached, told_of
    from taskspec.runner.model import Need

    with reached(project, Need.HOLD) as reach, _client(reach) as client, told_of(task):
        stopped = client.stop(task)
    creating.said(stopped, as_json=as_json)
    return 0


@tasks.command("events")
@click.argument("task")
@click.option("-f", "--follow", is_flag=True, help="Show events as they come, until the task has ended.")
@options.project
@options.as_json
def events(task: str, follow: bool, project: Path | None, as_json: bool) -> int:
    """Show the events of a task.

    Those until now: of an active task until none has come for a second. With -f all, until it has ended.
    """
    from taskspec.cli import following
    from taskspec.cli.reaching import reached, told_when_absent
    from taskspec.runner.model import Need

    shower: following.Shower = following.JsonLines() if as_json else following.Words(say, task)
    with reached(project, Need.LOOK) as reach, _client(reach) as client, told_when_absent():
        following.show(reach, client, client.get(task), shower, follow=follow)
    return 0


def _client(reach: "Reach") -> "Tasks":
    from taskspec.taskapi.tasks.module import Tasks

    return Tasks(reach.configuration)


def _listed(client: "Tasks", agent: str | None, user: str | None, filters: Mapping[str, str]) -> "list[TasksListItem]":
    if agent is not None:
        return client.list(agent, filters={**filters, **({"user_id": user} if user else {})})
    if user is None:
        raise UsageError("Whose tasks?", hint="Name an agent (`taskspec agents list` knows them), or give --user.")
    return client.list_user_tasks(user, filters=filters)


def _filters(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError("--filter needs a name and a value.", hint="Write --filter internal_status=billing.")
        found[name] = value
    return found
