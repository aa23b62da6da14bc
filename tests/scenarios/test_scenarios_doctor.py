"""doctor, in a folder with an embedded engine: the state, the results, the lock and what an engine has left."""

import json
import shutil
import signal
import sqlite3
import subprocess

import pytest


@pytest.fixture
def project(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "echo", "prompt": "one"}, b={"agent": "echo", "prompt": "two"})
    assert workspace.apply().code == 0
    return workspace


def found(done):
    return {one["check"]: one for one in done.json["checks"]}


def doctor(project, *arguments):
    done = project.taskspec("doctor", "--json", *arguments)
    return done.code, found(done)


def test_a_project_that_was_applied_is_well(project):
    code, checks = doctor(project)
    assert code == 0, checks
    assert {one["condition"] for one in checks.values()} == {"ok"}
    assert "2 tasks at serial" in checks["state"]["text"]


def test_it_changes_nothing(project):
    before = {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}
    doctor(project, "--offline")
    assert {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()} == before


def test_files_that_are_not_the_accepted_results_are_named(project):
    (project.folder / "results" / "a.txt").unlink()
    (project.folder / "results" / "b.txt").write_text("edited")
    stray = json.loads((project.folder / "results" / "a.provenance.json").read_text())
    (project.folder / "results" / "c.provenance.json").write_text(json.dumps({**stray, "address": "c"}))
    done = project.taskspec("doctor", "--offline")
    assert done.code == 0
    assert "the file, or its provenance, is missing: a" in done.out
    assert "the file is not as it was accepted: b" in done.out
    assert "not recorded any more: c" in done.out


def test_a_result_that_the_state_lost_is_a_problem(project):
    with sqlite3.connect(project.folder / ".taskspec/default/state.db") as state:
        state.execute("DELETE FROM results")
    state.close()
    code, checks = doctor(project, "--offline")
    assert (code, checks["results"]["condition"]) == (1, "problem")


def test_a_damaged_state_is_a_problem(project):
    state = project.folder / ".taskspec/default/state.db"
    content = bytearray(state.read_bytes())
    content[4096 * 2 : 4096 * 3] = b"\xff" * 4096
    state.write_bytes(content)
    code, checks = doctor(project, "--offline")
    assert (code, checks["state"]["condition"]) == (1, "problem")


def test_a_state_that_is_none_is_a_problem(project):
    (project.folder / ".taskspec/default/state.db").write_text("hello")
    code, checks = doctor(project, "--offline")
    assert (code, checks["state"]["condition"]) == (1, "problem")


def test_a_state_that_nobody_reaches_is_told_once(project):
    done = project.taskspec(
        "doctor", "--offline", "--json", TASKSPEC_STATE="http://127.0.0.1:9/x", TF_HTTP_RETRY_MAX="0"
    )
    assert (done.code, done.json["problems"], "history" in found(done)) == (1, 1, False), done


def test_an_entry_of_the_history_that_was_changed_is_a_problem(project):
    with sqlite3.connect(project.folder / ".taskspec/default/state.db") as state:
        state.execute("UPDATE history SET note = replace(note, 'ended', 'other') WHERE note LIKE '%ended%'")
    state.close()
    code, checks = doctor(project, "--offline")
    assert (code, checks["history"]["condition"]) == (1, "problem")


def test_who_holds_the_lock_is_told(project):
    project.tasks(a={"agent": "slow", "prompt": "more"})
    running = project.start("apply", "--yes")
    project.until(lambda: project.lines("started"))
    code, checks = doctor(project)
    assert (code, f"process {running.process.pid}" in checks["lock"]["text"]) == (0, True)
    assert checks["engine"]["text"] == f"one serves in process {running.process.pid}"
    running.signal(signal.SIGSTOP)
    code, checks = doctor(project, "--offline")
    running.signal(signal.SIGCONT)
    running.signal(signal.SIGTERM)
    running.wait()
    assert checks["lock"]["condition"] == "warning"


def test_what_a_dead_engine_has_left_is_told(project):
    (project.folder / ".taskspec/engine/endpoint.json").write_text("{}")
    code, checks = doctor(project, "--offline")
    assert (code, checks["engine"]["condition"]) == (0, "warning")


def test_a_data_folder_that_git_would_take_is_told(project):
    subprocess.run(["git", "init", "-q", "."], cwd=project.folder, check=True)
    assert doctor(project, "--offline")[1]["git"]["condition"] == "ok"
    for ignore in (project.folder / ".taskspec").rglob(".gitignore"):
        ignore.unlink()
    assert doctor(project, "--offline")[1]["git"]["condition"] == "warning"


def test_where_git_cannot_tell_it_is_not_taken_to_be_well(project):
    (project.folder / ".git").mkdir()
    assert doctor(project, "--offline")[1]["git"]["condition"] == "warning"


def test_a_file_in_the_place_of_the_results_folder_is_a_problem(project):
    shutil.rmtree(project.folder / "results")
    project.write("results", "mine")
    code, checks = doctor(project, "--offline")
    assert (code, checks["results"]["condition"]) == (1, "problem")
    assert "is no folder" in checks["results"]["text"]


def test_a_probe_of_the_embedded_engine_has_one_run_and_ends_it(project):
    done = project.taskspec("doctor", "--remote", "--yes", "--json")
    assert done.code == 0, done
    assert done.json["traits"]["honoursIdempotencyKeys"] is True
    assert done.json["traits"]["keepsTitles"] is True
    assert len(project.taskspec("tasks", "list", "echo", "--json").json["tasks"]) == 3
