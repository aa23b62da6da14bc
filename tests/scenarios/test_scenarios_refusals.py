"""Folders and files that cannot be used: the documented exit code, one message, and no run started."""

import os
import shutil
import sqlite3

import pytest
from scenario_workspaces import Workspace


def declare(workspace):
    workspace.shell("noting", "echo x >> started; cat")
    workspace.project()
    workspace.tasks(a={"agent": "noting", "prompt": "hi"})


@pytest.fixture
def project(workspace):
    declare(workspace)
    return workspace


@pytest.fixture(scope="module")
def applied_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("applied")
    made = Workspace(folder / "project", folder / "cache")
    declare(made)
    assert made.apply().code == 0
    (made.folder / "started").unlink()
    return made


@pytest.fixture
def applied(workspace, applied_once):
    shutil.copytree(applied_once.folder, workspace.folder, dirs_exist_ok=True)
    return workspace


def test_without_yes_and_without_a_terminal_nothing_is_done(project):
    done = project.taskspec("apply")
    assert done.code == 64
    assert "--yes" in done.err
    assert "+ a  create g1" in done.out
    assert project.lines("started") == []
    assert project.planned() == {"a": "create"}


def test_without_anything_to_do_nobody_is_asked(applied):
    assert applied.taskspec("apply").code == 0


def test_a_file_in_the_place_of_the_results_folder_is_told_before_any_run(project):
    project.write("results", "mine")
    done = project.apply()
    assert done.code == 1, done
    assert "results" in done.err
    assert project.lines("started") == []
    assert (project.folder / "results").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_results_folder_that_cannot_be_written_is_told_before_any_run(project):
    (project.folder / "results").mkdir(mode=0o500)
    done = project.apply()
    assert done.code == 1, done
    assert project.lines("started") == []


def test_a_link_that_leads_nowhere_in_the_place_of_the_results_folder(project):
    (project.folder / "results").symlink_to("nowhere/at/all")
    done = project.apply()
    assert done.code == 1, done
    assert project.lines("started") == []


@pytest.mark.parametrize(
    "command", [["plan"], ["apply", "--yes"], ["status"], ["results"], ["stop", "--yes"]], ids=" ".join
)
def test_a_state_of_a_newer_format_is_left_alone(applied, command):
    path = applied.folder / ".taskspec/default/state.db"
    with sqlite3.connect(path) as database:
        database.execute("UPDATE meta SET format = format + 1")
    database.close()
    before = path.read_bytes()
    done = applied.taskspec(*command)
    assert done.code == 1, done
    assert "newer" in done.err
    assert path.read_bytes() == before
    assert applied.lines("started") == []


@pytest.mark.parametrize(
    "command", [["plan"], ["apply", "--yes"], ["status"], ["results"], ["stop", "--yes"]], ids=" ".join
)
@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to look like one", b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_a_damaged_state_is_told_and_nothing_starts(applied, command, content):
    path = applied.folder / ".taskspec/default/state.db"
    path.write_bytes(content)
    done = applied.taskspec(*command)
    assert done.code == 1, done
    assert "state" in done.err
    assert path.read_bytes() == content
    assert applied.lines("started") == []


def test_a_state_whose_record_is_damaged_is_told_and_nothing_starts(applied):
    path = applied.folder / ".taskspec/default/state.db"
    with sqlite3.connect(path) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert "records" in tables
        database.execute("UPDATE records SET record = substr(record, 1, 20)")
    database.close()
    done = applied.apply()
    assert done.code == 1, done
    assert "damaged" in done.err
    assert applied.lines("started") == []


def test_a_file_in_the_place_of_the_data_folder_is_told(project):
    project.write(".taskspec", "mine")
    for command in (["plan"], ["apply", "--yes"], ["status"]):
        done = project.taskspec(*command)
        assert done.code == (1 if command[0] == "apply" else done.code), done
    assert project.lines("started") == []


def test_an_engine_with_other_agents_is_not_used(project):
    with project.serving():
        project.shell("noting", "echo other; cat")
        project.project()
        done = project.apply()
        assert done.code == 1, done
        assert "other agents" in done.err
    assert project.lines("started") == []


def test_the_data_folder_hides_itself_from_git_and_from_others(applied):
    assert (applied.folder / ".taskspec/.gitignore").read_text() == "*\n"
    assert (applied.folder / ".taskspec").stat().st_mode & 0o077 == 0
