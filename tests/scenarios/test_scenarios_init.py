"""A new project: what `init` writes runs offline at once, and with whatever agent program is installed."""

import json
import stat

import pytest
from scenario_workspaces import Workspace

from taskspec.runner.starter import PROGRAMS

FILES = ["taskspec.yaml", "tasks/to-do.yaml", "agents/clerk.py", ".gitignore", "README.md"]
NAMES = [program.name for program in PROGRAMS]


@pytest.fixture
def empty(tmp_path):
    """An empty folder, on a machine without any of the agent programs."""
    folder = tmp_path / "My Project"
    folder.mkdir()
    made = Workspace(folder, tmp_path / "cache")
    made.environ["PATH"] = str(tmp_path / "bin")
    (tmp_path / "bin").mkdir()
    return made


def install(workspace, *names):
    """Put programs on the path that answer with the prompt, and their own name and arguments before it."""
    for name in names:
        program = workspace.folder.parent / "bin" / name
        program.write_text('#!/bin/sh\necho "${0##*/} $*"\nexec /bin/cat\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_a_new_project_is_applied_at_once_without_a_key_or_a_network(empty):
    done = empty.taskspec("init")
    assert done.code == 0, done
    assert done.out.endswith("Next: taskspec apply\n")
    assert sorted(str(p.relative_to(empty.folder)) for p in empty.folder.rglob("*") if p.is_file()) == sorted(FILES)
    assert empty.taskspec("validate").out == "1 task in my-project: valid.\n"
    applied = empty.apply()
    assert applied.code == 0, applied
    assert empty.result("to-do.md") == "- Ada: write to the printer.\n- Grace: ask the caterer for a price."
    assert empty.planned() == {"to-do": "none"}
    assert len((empty.folder / "README.md").read_text().splitlines()) == 4
    assert (empty.folder / ".gitignore").read_text() == ".taskspec/\n"


def test_a_folder_is_made_and_the_name_is_made_fit(empty):
    done = empty.taskspec("init", "a/b", "--name", "Growth & Co.", "--json")
    assert done.json["name"] == "growth-co"
    assert done.json["files"] == FILES
    assert done.json["agent"] == "clerk"
    assert empty.taskspec("validate", "a/b").out == "1 task in growth-co: valid.\n"


def test_nothing_is_written_over_and_nothing_beside_it(empty):
    empty.write("README.md", "mine")
    done = empty.taskspec("init")
    assert done.code == 1
    assert "`README.md`" in done.err
    assert "taskspec.yaml" not in done.err
    assert (empty.folder / "README.md").read_text() == "mine"
    assert [path.name for path in empty.folder.iterdir()] == ["README.md"]


def test_a_link_that_leads_nowhere_is_not_followed(empty):
    (empty.folder / "taskspec.yaml").symlink_to(empty.folder.parent / "elsewhere")
    assert empty.taskspec("init").code == 1
    assert not (empty.folder.parent / "elsewhere").exists()


@pytest.mark.parametrize("blocked", ["tasks", "agents"])
def test_a_file_in_the_place_of_a_folder_is_told(empty, blocked):
    empty.write(blocked, "")
    done = empty.taskspec("init")
    assert done.code == 1
    assert f"already `{blocked}`." in done.err
    assert [path.name for path in empty.folder.iterdir()] == [blocked]


def test_a_file_in_the_place_of_the_project_is_told(empty):
    empty.write("new", "")
    done = empty.taskspec("init", "new")
    assert done.code == 1
    assert done.err.startswith("error: `new")


@pytest.mark.parametrize("name", NAMES)
def test_an_installed_agent_that_is_chosen_does_the_task(empty, name):
    install(empty, name)
    assert empty.taskspec("init", "--agent", name).code == 0
    done = empty.apply()
    assert done.code == 0, done
    (program,) = [program for program in PROGRAMS if program.name == name]
    first, *rest = empty.result("to-do.md").splitlines()
    assert first.split() == list(program.command)
    assert "- Ada will write to the printer." in rest


def test_installed_agents_are_offered_as_comments_that_can_be_taken(empty):
    install(empty, *NAMES)
    done = empty.taskspec("init")
    assert all(name in done.out for name in NAMES)
    written = (empty.folder / "taskspec.yaml").read_text()
    for program in PROGRAMS:
        assert f"    # {program.declared}\n" in written
        written = written.replace(f"# {program.declared}", program.declared)
    empty.write("taskspec.yaml", written)
    empty.write("tasks/to-do.yaml", (empty.folder / "tasks/to-do.yaml").read_text().replace("clerk", "llm"))
    assert empty.taskspec("validate").code == 0
    assert {agent["id"] for agent in empty.taskspec("agents", "list", "--json").json["agents"]} == {"clerk", *NAMES}


@pytest.mark.parametrize(
    ("given", "words"),
    [("claude", "is not installed on this machine"), ("shakespeare", "knows no agent `shakespeare`")],
)
def test_an_agent_that_is_not_there_is_refused_before_anything_is_written(empty, given, words):
    install(empty, "llm")
    done = empty.taskspec("init", "--agent", given)
    assert done.code == 64
    assert words in done.err
    assert "`llm`" in done.err
    assert list(empty.folder.iterdir()) == []


def test_trouble_is_told_as_json_too(empty):
    empty.taskspec("init")
    assert json.loads(empty.taskspec("init", "--json").out)["error"]["exitCode"] == 1
