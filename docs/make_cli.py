"""Writes docs/cli.md from what `--help` says. Runs no command.

python docs/make_cli.py
"""

from collections.abc import Iterator
from pathlib import Path

import click

from taskspec.cli.commands import taskspec

PAGE = Path(__file__).with_name("cli.md")
WIDTH = 100

_HEAD = """\
# The command line

This page is made by `docs/make_cli.py` from what `--help` says. The exit codes are in [exit-codes.md](exit-codes.md).

The first argument of a command is its target, where it names a folder or a YAML file: `taskspec plan
examples/quickstart`. All others are [selectors](selectors.md), such as the names of tasks: `taskspec plan
examples/quickstart growth`. Without a target it is the current folder. With `-C` every argument is a selector, which
helps where a task has the name of a folder. The arguments of `taskspec tasks` are ids of the remote: its project is
named with `-C`.

With a single YAML file as target, the project is the nearest folder above it that has a `taskspec.yaml`, and only the
tasks of that file are selected. Where there is none, or its `manifests` do not name the file, the file is a project of
its own.

Results and JSON go to standard output, errors and remarks to standard error. What a terminal shows while a
command works, and which variables give and take colours, is in [terminal.md](terminal.md).
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *_sections(taskspec, "taskspec", None)])


def _sections(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                yield from _sections(found, inner, context)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
