"""Writes docs/cli.md from what the commands say of themselves. Runs no command.

python docs/make_cli.py
"""

import inspect
import re
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
command works, and which variables give and take colours, is in [terminal.md](terminal.md). Every command
has `--help`.
"""
_CHOICE = re.compile(r"\[([^\]\s]*\|[^\]\s]*)\]")


def page() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *_sections(taskspec, "taskspec", None)])


def _sections(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    level = "##" if parent is None or parent.parent is None else "###"
    commands = _commands(command, context)
    yield f"{level} {context.command_path}\n"
    yield f"{_prose(command.help or '')}\n"
    yield f"```text\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    if commands:
        yield _table("command", "does", [_command(inner, context) for inner in commands])
    options = [_option(parameter, context) for parameter in command.params if isinstance(parameter, click.Option)]
    if options:
        yield _table("option", "meaning", options)
    for inner in commands:
        yield from _sections(inner, inner.name or "", context)


def _commands(command: click.Command, context: click.Context) -> list[click.Command]:
    if not isinstance(command, click.Group):
        return []
    found = (command.get_command(context, name) for name in command.list_commands(context))
    return [inner for inner in found if inner is not None]


def _command(command: click.Command, context: click.Context) -> tuple[str, str]:
    anchor = f"{context.command_path} {command.name}".replace(" ", "-")
    return f"[`{command.name}`](#{anchor})", inspect.cleandoc(command.help or "").splitlines()[0]


def _option(option: click.Option, context: click.Context) -> tuple[str, str]:
    """Return how an option is written, and what it means; the words that it takes belong to its meaning."""
    written, meaning = option.get_help_record(context) or ("", "")
    choice = _CHOICE.search(written)
    if choice:
        written = written.replace(choice[0], option.human_readable_name.upper())
        meaning += f" One of {', '.join(f'`{word}`' for word in choice[1].split('|'))}."
    return f"`{written}`", meaning.replace("  [", " [")


def _prose(text: str) -> str:
    """Return the paragraphs of a help text."""
    return "\n\n".join(_paragraph(each) for each in inspect.cleandoc(text).split("\n\n"))


def _paragraph(text: str) -> str:
    """Return a paragraph in one line, or as it is written where click does not wrap it either."""
    if text.startswith("\b\n"):
        return f"```text\n{text[2:].rstrip()}\n```"
    return " ".join(text.split())


def _table(left: str, right: str, rows: list[tuple[str, str]]) -> str:
    lines = [(left, right), ("---", "---"), *((_cell(first), _cell(second)) for first, second in rows)]
    return "".join(f"| {first} | {second} |\n" for first, second in lines)


def _cell(text: str) -> str:
    return text.replace("|", "&#124;").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
