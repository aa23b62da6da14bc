"""docs/cli.md is what `--help` says, and no page names a command or an option that is not there."""

import re
import runpy

import click
import pytest
from docs_pages import PAGES, ROOT, page, rows, section

from taskspec.cli.commands import COMMANDS, taskspec

LATER = {"--out"}
"""Options that docs/flaws.md says are missing."""
OTHERS = {
    "llm-clis.md": {"--model", "--skip-git-repo-check"},
    "pull-request-flow.md": {"--no-edit"},
    "tools.md": {"--skip-git-repo-check"},
    "reliability.md": {"--play", "--protocol"},
}
"""Options of other programs that a page names."""


def _all(command: click.Command) -> list[click.Command]:
    inner = (
        [command.get_command(click.Context(command), name) for name in command.list_commands(click.Context(command))]
        if isinstance(command, click.Group)
        else []
    )
    return [command, *(found for one in inner if one is not None for found in _all(one))]


def _options() -> set[str]:
    found = {"-h", "--help"}
    for command in _all(taskspec):
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                found |= {*parameter.opts, *parameter.secondary_opts}
    return found


def test_the_page_is_up_to_date():
    made = runpy.run_path(str(ROOT / "docs" / "make_cli.py"))["page"]()
    assert page("docs/cli.md") == made, "run `python docs/make_cli.py`"


def test_the_page_has_every_command():
    headings = set(re.findall(r"^## taskspec ?(.*)$", page("docs/cli.md"), re.MULTILINE))
    assert headings >= {"", *COMMANDS}


def test_the_table_of_commands_says_what_their_own_help_says():
    for name, entry in COMMANDS.items():
        command = taskspec.get_command(click.Context(taskspec), name)
        assert command is not None
        assert (command.help or "").splitlines()[0] == entry.help


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_option_that_a_page_names_exists(path):
    named = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", path.read_text("utf-8")))
    later = LATER if path.name == "flaws.md" else set()
    assert named <= _options() | later | OTHERS.get(path.name, set())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists(path):
    named = set(re.findall(r"`taskspec ([a-z]+)[` ]", path.read_text("utf-8")))
    assert named <= set(COMMANDS) | {"plna"}


def test_every_command_with_json_says_what_it_prints():
    told = {
        word
        for row in rows(section(page("docs/json.md"), "For machines"))
        for word in re.findall(r"`([a-z -]+)`", row[0])
    }
    having = set()
    for name in COMMANDS:
        command = taskspec.get_command(click.Context(taskspec), name)
        for found in _all(command):
            if any("--json" in parameter.opts for parameter in found.params):
                having.add(name if found is command else f"{name} {found.name}")
    assert told == having
