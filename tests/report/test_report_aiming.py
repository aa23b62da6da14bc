"""Commands that a sentence names are meant for the environment that it is about."""

import click
import pytest

from taskspec.cli.commands import COMMANDS, taskspec
from taskspec.report.aiming import aimed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("or `taskspec retry 'a[\"b c\"]'`", "or `taskspec retry --env prod 'a[\"b c\"]'`"),
        ("`taskspec apply` judges it", "`taskspec apply --env prod` judges it"),
        ("`taskspec tasks stop RUN` ends one", "`taskspec tasks stop --env prod RUN` ends one"),
        ("`taskspec agents list` shows them", "`taskspec agents list --env prod` shows them"),
        ("`taskspec force-unlock 3`", "`taskspec force-unlock --env prod 3`"),
        ("`taskspec plan --env prod`", "`taskspec plan --env prod`"),
        ("`taskspec --help` lists them", "`taskspec --help` lists them"),
        ("say taskspec apply", "say taskspec apply"),
    ],
)
def test_each_command_gets_the_environment_behind_its_name(text, expected):
    assert aimed(text, "prod") == expected
    assert aimed(expected, "prod") == expected
    assert aimed(text, "default") == text


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_gets_an_environment_exactly_where_it_takes_one(name):
    context = click.Context(taskspec)
    command = taskspec.get_command(context, name)
    commands = {name: command}
    if isinstance(command, click.Group):
        commands = {f"{name} {inner}": command.get_command(context, inner) for inner in command.list_commands(context)}
    for words, one in commands.items():
        takes = any("--env" in option.opts for option in one.params)
        assert ("--env" in aimed(f"`taskspec {words}`", "prod")) == takes, words
