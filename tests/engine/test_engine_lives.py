"""The life of an engine: who holds the data folder, who joins, and what a crash or an early end leaves."""

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import threading

import httpx
import pytest
from patience import PATIENCE, until
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from taskspec.engine import hosting, serving
from taskspec.engine.hosting import AgentCommand, Mode, open_engine
from taskspec.errors import EngineError


@pytest.fixture
def holder(project):
    """Start a process that holds the project's engine; whatever is left of it is ended."""
    started = []

    def start(mode=Mode.DISPATCH):
        process = subprocess.Popen(
            [*project.holder(), mode.value], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "True\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def _finish(process):
    process.stdin.close()
    assert process.wait(PATIENCE) == 0


def test_the_folder_and_the_endpoint_file_are_the_owners_alone(project, engine):
    assert stat.S_IMODE(project.data.stat().st_mode) == 0o700
    path = project.data / "endpoint.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    endpoint = json.loads(path.read_text())
    assert endpoint.keys() == {"pid", "started", "url", "api_key", "instance", "agents_digest", "mode"}
    assert endpoint["pid"] == engine.handle.pid == os.getpid()
    assert engine.handle.owned


def test_git_ignores_the_folder_by_itself(project, engine):
    assert (project.data / ".gitignore").read_text() == "*\n"


def test_the_key_is_random_and_in_no_repr(project):
    with project.engine() as first:
        key = first.handle.api_key
        assert key not in repr(first.handle)
    with project.engine() as second:
        assert second.handle.api_key != key
    assert "canary" not in repr(project.config(api_key="canary"))


def test_an_ended_engine_leaves_no_endpoint_and_no_lock(project):
    with project.engine() as first:
        instance = first.handle.instance
    assert not (project.data / "endpoint.json").exists()
    with project.engine() as second:
        assert second.handle.owned
        assert second.handle.instance == instance


def test_an_idle_engine_ends_even_with_a_stream_open(project, monkeypatch):
    monkeypatch.setattr(serving, "_CLOSING_TICKS", 10**9)
    life = open_engine(project.config(), Mode.RECOVER)
    handle = life.__enter__()
    with httpx.Client(base_url=handle.url, headers={"x-api-key": handle.api_key}, trust_env=False) as http:
        run = http.post("/agent-execution/echo", json={"input": {}}).json()["id"]
        with http.stream("GET", f"/agent-execution/{run}/events") as answer:
            lines = answer.iter_lines()
            assert "task_created" in next(lines)
            life.__exit__(None, None, None)
            assert list(lines) == [""]


def test_port_8085_is_refused_and_a_port_in_use_is_said(project, engine):
    with pytest.raises(EngineError, match="8085"), project.engine(folder=project.folder / "b", port=8085):
        pass
    port = int(engine.handle.url.rpartition(":")[2])
    with pytest.raises(EngineError, match="cannot listen"), project.engine(folder=project.folder / "b", port=port):
        pass


def test_small_answers_are_not_delayed(engine, monkeypatch):
    made, undelayed = HttpToolsProtocol.connection_made, []

    def noted(self, transport):
        sock = transport.get_extra_info("socket")
        undelayed.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        made(self, transport)

    monkeypatch.setattr(HttpToolsProtocol, "connection_made", noted)
    engine.http.get("/agents/list")
    assert undelayed
    assert all(undelayed)


def test_a_second_command_joins_the_live_engine(project, holder):
    process = holder()
    for mode in Mode:
        with project.engine(mode=mode) as joined:
            assert not joined.handle.owned
            assert joined.handle.pid == process.pid
            joined.handle.interrupt()
            assert joined.run("echo", mode.value)["result"] == mode.value
            assert joined.handle.active() == 0
    _finish(process)


def test_a_command_with_other_agents_is_refused_with_the_holders_pid(project, holder):
    process = holder()
    project.shell("new", "true")
    with pytest.raises(EngineError, match=f"process {process.pid}") as refused, project.engine():
        pass
    assert f"Wait until process {process.pid} ends" in refused.value.hint
    with project.engine(mode=Mode.READ) as reader:
        assert not reader.handle.owned
    _finish(process)


def test_a_command_that_dispatches_waits_for_a_holder_that_only_recovers(project, holder):
    process = holder(Mode.RECOVER)
    timer = threading.Timer(0.4, process.stdin.close)
    timer.start()
    with project.engine() as engine:
        assert engine.handle.owned
        assert process.wait(PATIENCE) == 0
    timer.join()


def test_a_holder_that_never_answers_is_named(project, holder, monkeypatch):
    monkeypatch.setattr(hosting, "STARTING_SECONDS", 0.2)
    process = holder()
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    monkeypatch.setattr("taskspec.engine.holding._ANSWER_SECONDS", 0.2)
    with pytest.raises(EngineError, match=f"process {process.pid} holds"), project.engine():
        pass


def test_reading_starts_nothing_and_leaves_no_trace(project):
    with project.engine(mode=Mode.READ) as reader:
        assert reader.http.get("/agent-execution/executions/history/echo").json() == []
        refused = reader.http.post("/agent-execution/echo", json={"input": {"text": "x"}})
        assert refused.status_code == 409
        assert reader.handle.instance == "new"
    assert not project.data.exists()


def test_reading_shows_what_is_stored_and_does_not_touch_it(project):
    with project.engine() as engine:
        done = engine.run("echo", "kept")
    with project.engine(mode=Mode.RECOVER) as engine:
        waits = engine.create("echo")
    with project.engine(mode=Mode.READ) as reader:
        assert reader.task(done["id"]) == done
        assert reader.task(waits["id"])["status"] == "pending"
        assert reader.http.delete(f"/agent-execution/{waits['id']}").status_code == 409
        assert [event["type"] for event in reader.events(waits["id"])] == ["task_created"]
        assert not (project.data / "endpoint.json").exists()
        with project.engine() as engine:
            assert engine.handle.owned
            assert engine.until(waits["id"])["status"] == "completed"
        assert reader.task(waits["id"])["status"] == "completed"


def test_an_early_end_records_active_runs_as_interrupted_and_keeps_pending_ones(project, pid_in, has_gone):
    project.shell("slow", "echo $$ > pid; exec sleep 600")
    with project.engine(parallelism=1) as engine:
        active, pending = (engine.create("slow")["id"] for _ in range(2))
        pid = pid_in(project.folder / "pid")
        assert engine.handle.active() == 2
    assert has_gone(pid)
    with project.engine(mode=Mode.READ) as reader:
        task = reader.task(active)
        assert (task["status"], task["is_manually_stopped"]) == ("error", False)
        assert task["result"].startswith("interrupted")
        assert reader.events(active)[-1]["data"]["status"] == "error"
        assert reader.task(pending)["status"] == "pending"


def test_after_an_interruption_the_engine_still_answers_and_starts_nothing(project, pid_in):
    project.shell("slow", "echo $$ > pid; exec sleep 600")
    with project.engine() as engine:
        run = engine.create("slow")["id"]
        pid_in(project.folder / "pid")
        engine.handle.interrupt()
        assert engine.task(run)["status"] == "error"
        assert engine.create("echo")["status"] == "pending"
        assert engine.handle.active() == 1
        assert engine.http.get("/engine").json()["mode"] == "closing"


@pytest.mark.parametrize("mode", [Mode.RECOVER, Mode.DISPATCH])
def test_after_a_kill_the_next_holder_ends_what_is_left_and_records_it(project, holder, pid_in, has_gone, mode):
    project.python(
        "parent",
        "import os, subprocess, sys, time\nopen('starts', 'a').write('x')\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "open('child', 'w').write(str(child.pid))\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)\n",
    )
    process = holder()
    with project.engine() as joined:
        run = joined.create("parent", user_tokens={"crm": "canary"})["id"]
        pid = pid_in(project.folder / "pid")
    process.kill()
    process.wait()
    with project.engine(mode=Mode.READ) as reader:
        assert reader.handle.owned
        assert reader.task(run)["status"] == "executing"
    with project.engine(mode=mode) as engine:
        task = engine.task(run)
        assert (task["status"], task["result"]) == ("error", "interrupted: the process that ran it ended")
        assert task["user_tokens"] is None
        assert engine.events(run)[-1]["type"] == "task_finished"
    assert has_gone(pid)
    assert has_gone(pid_in(project.folder / "child"))
    assert (project.folder / "starts").read_text() == "x"


def test_after_a_kill_pending_runs_go_on_under_the_next_engine_that_dispatches(project, holder):
    process = holder(Mode.RECOVER)
    with project.engine(mode=Mode.RECOVER) as joined:
        run = joined.create("echo", "later")["id"]
    process.kill()
    process.wait()
    with project.engine(mode=Mode.RECOVER) as engine:
        assert engine.task(run)["status"] == "pending"
    with project.engine() as engine:
        assert engine.until(run)["result"] == "later"


def test_a_process_that_only_has_the_recorded_number_is_left_alone(project):
    bystander = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        with project.engine() as engine:
            run = engine.run("echo")["id"]
        with sqlite3.connect(project.data / "engine.db") as connection:
            connection.execute(
                "UPDATE runs SET turn = 'held', status = 'executing', pid = ?, pid_started = 1.0,"
                " task = json_set(task, '$.status', 'executing') WHERE id = ?",
                (bystander.pid, run),
            )
        connection.close()
        with project.engine(mode=Mode.RECOVER) as engine:
            assert engine.task(run)["status"] == "error"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_database_of_a_newer_format_is_refused(project):
    with project.engine():
        pass
    with sqlite3.connect(project.data / "engine.db") as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'format'")
    connection.close()
    for mode in Mode:
        with pytest.raises(EngineError, match="format 99"), project.engine(mode=mode):
            pass


def test_a_file_that_is_no_database_is_refused(project):
    project.data.mkdir(parents=True)
    (project.data / "engine.db").write_text("not a database, and long enough to be read as one" * 100)
    for mode in Mode:
        with pytest.raises(EngineError, match="cannot be opened"), project.engine(mode=mode):
            pass


def test_a_folder_that_cannot_be_made_is_refused(project):
    (project.folder / ".taskspec").write_text("a file in the way")
    with pytest.raises(EngineError, match="cannot be used"), project.engine():
        pass


def test_two_commands_at_the_same_moment_share_one_engine(project):
    config, handles, leave = project.config(), [], threading.Event()

    def command():
        with open_engine(config, Mode.DISPATCH) as handle:
            handles.append(handle)
            leave.wait(PATIENCE)

    threads = [threading.Thread(target=command) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(handles) == len(threads))
    leave.set()
    for thread in threads:
        thread.join()
    assert sorted(handle.owned for handle in handles) == [False, False, False, True]
    assert len({handle.url for handle in handles}) == 1


def test_a_given_key_and_host_are_used(project):
    with project.engine(api_key="chosen", host="0.0.0.0") as engine:
        assert engine.handle.api_key == "chosen"
        assert engine.handle.url.startswith("http://127.0.0.1:")
        port = engine.handle.url.rpartition(":")[2]
        for host, status in ((f"10.1.2.3:{port}", 200), (f"evil.example:{port}", 403)):
            assert engine.http.get("/agents/list", headers={"host": host}).status_code == status


def test_an_agent_that_is_no_longer_declared_fails_its_waiting_run(project):
    with project.engine(mode=Mode.RECOVER) as engine:
        run = engine.create("echo")["id"]
    project.agents = {"other": AgentCommand(command=("cat",))}
    with project.engine() as engine:
        task = engine.until(run)
    assert (task["status"], task["result"]) == ("failed", "the project has no agent `echo` any more")
