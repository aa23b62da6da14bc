"""`taskspec init`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taskspec.cli import options
from taskspec.cli.printing import say, say_json
from taskspec.errors import UsageError
from taskspec.settings import from_environ

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskspec.cli.equipping import Equipped
    from taskspec.runner.beginning import Begun
    from taskspec.runner.starter import AgentProgram


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--name", help="The project's name (default: that of the folder). It is made to fit.")
@click.option("--agent", help="Who does the first task: claude, codex, gemini or llm, if it is installed, or clerk.")
@click.option(
    "--ci",
    "services",
    type=click.Choice(["github", "gitlab"]),
    multiple=True,
    help="Write the pipeline too: plan pull requests, apply what was merged, look for drift. May be repeated.",
)
@click.option("--install", metavar="REQUIREMENT", help="What pip installs in CI as taskspec: a URL, not its bare name.")
@options.as_json
def init(
    folder: Path, name: str | None, agent: str | None, services: tuple[str, ...], install: str | None, as_json: bool
) -> int:
    """Begin a project: one task, and an agent that needs no key and no network.

    Writes taskspec.yaml, tasks/to-do.yaml, agents/clerk.py, .gitignore and README.md to FOLDER (default: the current
    one), and never over a file. Agents that are installed on this machine are offered in taskspec.yaml.

    With --ci, a project that is there already gets the pipeline alone: .github/workflows/taskspec.yml, or
    .gitlab-ci.yml (.gitlab/taskspec.yml where that is there), in the folder of the repository.
    """
    from taskspec.cli.equipping import Equipped, is_project

    if install is not None and not services:
        raise UsageError("--install says what a pipeline installs.", hint="Name its service: --ci github, --ci gitlab.")
    if services and is_project(folder):
        if name is not None or agent is not None:
            raise UsageError("--name and --agent are for a new project; this one is there.", hint="Leave them out.")
        equipped = Equipped.of_project(folder, services, install)
        files = equipped.write()
        if as_json:
            say_json({"name": equipped.name, "folder": str(folder), "files": files, "agent": None, "found": []})
        else:
            say(equipped.told(files))
        return 0
    return _begin(folder, name, agent, Equipped.of_new(folder, name, services, install), as_json=as_json)


def _begin(folder: Path, name: str | None, agent: str | None, equipped: "Equipped | None", *, as_json: bool) -> int:
    from taskspec.runner.beginning import begin, installed

    found = installed(from_environ().environ.get("PATH"))
    if agent is None and found and not as_json and sys.stdin.isatty() and sys.stdout.isatty():
        agent = _asked(found)
    chosen = _chosen(agent, found)
    begun = begin(folder, name, found, chosen)
    pipelines = equipped.write() if equipped else []
    if as_json:
        say_json(
            {
                "name": begun.name,
                "folder": str(folder),
                "files": [*begun.files, *pipelines],
                "agent": _name(chosen),
                "found": [program.name for program in found],
            }
        )
    else:
        say(_told(folder, begun, found, chosen))
        say(equipped.told(pipelines) if equipped else ())
    return 0


def _asked(found: "list[AgentProgram]") -> str:
    from taskspec.runner.starter import OFFLINE

    choices = click.Choice([OFFLINE, *(program.name for program in found)])
    say([f"`{OFFLINE}` needs no model, no key and no network. Runs of the others cost money, or your subscription."])
    answer: str = click.prompt("Who does the first task?", type=choices, default=OFFLINE)
    return answer


def _chosen(agent: str | None, found: "list[AgentProgram]") -> "AgentProgram | None":
    from taskspec.runner.starter import OFFLINE, PROGRAMS

    if agent is None or agent == OFFLINE:
        return None
    chosen = next((program for program in found if program.name == agent), None)
    if chosen is None:
        known = any(program.name == agent for program in PROGRAMS)
        there = ", ".join(f"`{program.name}`" for program in found) or "none of those that it knows"
        what = f"`{agent}` is not installed on this machine" if known else f"taskspec init knows no agent `{agent}`"
        hint = f"It finds here: {there}. Without --agent, the task is done by `{OFFLINE}`."
        raise UsageError(f"{what}.", hint=hint)
    return chosen


def _name(chosen: "AgentProgram | None") -> str:
    from taskspec.runner.starter import OFFLINE

    return chosen.name if chosen else OFFLINE


def _told(folder: Path, begun: "Begun", found: "list[AgentProgram]", chosen: "AgentProgram | None") -> "Iterator[str]":
    import shlex

    yield f"{begun.name}: written."
    yield from (f"  {folder / path}" for path in begun.files)
    others = [program.name for program in found if program is not chosen]
    if others:
        yield f"On this machine there is also {', '.join(others)}: see the comments in {folder / 'taskspec.yaml'}."
    target = "" if folder == Path() else f" {_target(shlex.quote(str(folder)))}"
    yield f"Next: taskspec apply{target}"


def _target(folder: str) -> str:
    """Return a folder as a word that is no address."""
    return folder if "/" in folder or folder.startswith((".", "'")) else f"./{folder}"
