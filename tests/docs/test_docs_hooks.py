"""The hooks for pre-commit call commands that are there, and the page about them names them all."""

import click
import pytest
import yaml
from docs_pages import ROOT, named, page, prose, section

from taskspec.cli.commands import COMMANDS, taskspec

HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_has_what_it_needs_and_calls_a_command_that_is_there(hook):
    assert {"id", "name", "description", "entry", "language", "types"} <= set(hook)
    program, name, *options = hook["entry"].split()
    assert program == "taskspec"
    assert hook["id"] == f"taskspec-{name}"
    assert name in COMMANDS
    command = taskspec.get_command(click.Context(taskspec), name)
    assert set(options) <= {option for parameter in command.params for option in parameter.opts}


def test_validate_looks_at_the_whole_project_whichever_files_changed():
    (validate,) = [hook for hook in HOOKS if hook["id"] == "taskspec-validate"]
    assert validate["pass_filenames"] is False


def test_every_hook_is_told():
    assert set(named(prose(section(page("docs/tools.md"), "Before a commit")))) >= {hook["id"] for hook in HOOKS}
