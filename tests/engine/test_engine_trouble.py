"""What the engine does when the world fails it: a full disk, a client that goes away, a stranger at its address."""

import json
import socket
import sqlite3
import stat
import threading

import pytest
from patience import PATIENCE, until

from taskspec.engine import dispatching, endings, holding, hosting, launching
from taskspec.engine.app import is_own_host
from taskspec.engine.changing import Ending
from taskspec.engine.database import open_database
from taskspec.engine.holding import FolderLock
from taskspec.engine.hosting import Mode
from taskspec.engine.logfile import FILE_NAME, MAX_BYTES, logged
from taskspec.engine.model import Status
from taskspec.engine.runs import RunStore
from taskspec.errors import EngineError


@pytest.fixture
def full_disk(monkeypatch):
    """Let the database refuse so many changes of runs; the pauses between tries are short."""
    monkeypatch.setattr(dispatching, "PAUSES", (0.01, 0.02, 0.02))
    change, note = RunStore.change, RunStore.note_process

    class Disk:
        refusals = 0
        left = 0

        def refuse(self, times):
            self.left = times

        def check(self):
            if self.left:
                self.left -= 1
                self.refusals += 1
                raise sqlite3.OperationalError("database or disk is full")

    disk = Disk()

    async def changed(self, run, decide):
        disk.check()
        return await change(self, run, decide)

    async def noted(self, run, pid, started):
        disk.check()
        return await note(self, run, pid, started)

    monkeypatch.setattr(RunStore, "change", changed)
    monkeypatch.setattr(RunStore, "note_process", noted)
    return disk


def _gated(project):
    project.shell("gated", "touch begun; while [ ! -e go ]; do sleep 0.02; done; echo precious")


def test_an_answer_outlives_a_failed_commit(project, full_disk):
    _gated(project)
    with project.engine() as engine:
        run = engine.create("gated")["id"]
        until((project.folder / "begun").exists)
        full_disk.refuse(2)
        (project.folder / "go").touch()
        assert engine.until(run)["result"] == "precious"
        assert full_disk.refusals == 2
    assert not (project.data / "runs" / run / "ending.json").exists()


def test_a_process_that_cannot_be_noted_costs_no_answer(project, monkeypatch):

    async def refused(self, run, pid, started):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(RunStore, "note_process", refused)
    with project.engine() as engine:
        assert engine.run("echo", "kept")["result"] == "kept"


def test_an_engine_that_cannot_record_an_ending_fails_visibly_and_the_next_one_records_it(
    project, full_disk, capfd, caplog
):
    _gated(project)
    with project.engine() as engine:
        run = engine.create("gated", user_tokens={"crm": "canary-4711"})["id"]
        until((project.folder / "begun").exists)
        full_disk.refuse(1000)
        with engine.http.stream("GET", f"/agent-execution/{run}/events") as stream:
            (project.folder / "go").touch()
            assert "task_finished" not in stream.read().decode()
        for path in (f"/agent-execution/{run}/status", "/agent-execution/executions/history/gated"):
            answer = engine.http.get(path)
            assert answer.status_code == 500
            assert f"could not record what became of run {run}" in answer.json()["detail"]
        assert engine.http.get("/engine").json()["mode"] == "closing"
        assert engine.handle.active() == 0
        with pytest.raises(EngineError, match="could not record"):
            engine.handle.wait(threading.Event())
    kept = project.data / "runs" / run / "ending.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "canary-4711" not in kept.read_text()
    assert (capfd.readouterr(), caplog.messages) == (("", ""), [])
    assert "disk is full" in (project.data / FILE_NAME).read_text()
    full_disk.refuse(0)
    with project.engine(mode=Mode.RECOVER) as engine:
        task = engine.task(run)
        assert (task["status"], task["result"], task["user_tokens"]) == ("completed", "precious", None)
    assert not kept.exists()


def test_a_bug_in_the_engine_does_not_leave_a_run_executing_for_ever(project, monkeypatch, capfd, caplog):
    async def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(dispatching.agents, "execute", broken)
    with project.engine() as engine:
        run = engine.create("echo")["id"]
        until(lambda: engine.http.get(f"/agent-execution/{run}/status").status_code == 500)
    assert (capfd.readouterr(), caplog.messages) == (("", ""), [])
    assert "ZeroDivisionError" in (project.data / FILE_NAME).read_text()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"status": "executing", "result": null}', '{"status": "failed", "result": 7}', "{}"]
)
def test_an_ending_that_cannot_be_read_is_none(tmp_path, text):
    (tmp_path / "ending.json").write_text(text)
    assert endings.kept(tmp_path) is None


def test_an_ending_is_kept_whole(tmp_path):
    tokens = {"completion_tokens": 1, "prompt_tokens": 2, "cache_read_tokens": 0, "cache_write_tokens": 0}
    ending = Ending(status=Status.COMPLETED, result="r\u0000é", tokens=tokens)
    endings.keep(tmp_path / "runs" / "r1", ending)
    assert endings.kept(tmp_path / "runs" / "r1") == ending


def test_a_client_that_goes_away_within_an_upload_is_no_bug(project, engine, capfd, caplog):
    port = int(engine.handle.url.rpartition(":")[2])
    head = f"PUT /files/{'0' * 64} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nx-api-key: {engine.handle.api_key}\r\n"
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"{head}Content-Length: 100\r\n\r\nabc".encode())
        until(lambda: list((project.data / "files").glob(".incoming-*")))
    until(lambda: not list((project.data / "files").glob(".incoming-*")))
    assert engine.http.get("/engine").status_code == 200
    assert (capfd.readouterr(), caplog.messages) == (("", ""), [])
    assert not (project.data / FILE_NAME).exists()


def test_the_engines_log_is_bounded_and_its_owners_alone(tmp_path):
    import logging

    with logged(tmp_path):
        for name in ("taskspec.engine", "uvicorn.error", "asyncio"):
            logging.getLogger(name).error("said by %s", name)
        text = (tmp_path / FILE_NAME).read_text()
        for _ in range(30):
            logging.getLogger("taskspec.engine").error("x" * 100_000)
    assert text.count("said by") == 3
    kept = list(tmp_path.iterdir())
    assert sorted(path.name for path in kept) == [FILE_NAME, f"{FILE_NAME}.1"]
    for path in kept:
        assert path.stat().st_size <= MAX_BYTES
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_that_cannot_be_written_disturbs_nobody(tmp_path, capfd, caplog):
    import logging

    with logged(tmp_path / "absent"):
        logging.getLogger("taskspec.engine").error("lost")
    assert (capfd.readouterr(), caplog.messages) == (("", ""), [])


def test_other_threads_log_where_they_did(tmp_path, caplog):
    import logging

    with logged(tmp_path):
        thread = threading.Thread(target=logging.getLogger("asyncio").error, args=("elsewhere",))
        thread.start()
        thread.join()
        logging.getLogger("asyncio").error("here")
    assert caplog.messages == ["elsewhere"]
    assert "here" in (tmp_path / FILE_NAME).read_text()


@pytest.mark.parametrize("mode", [Mode.DISPATCH, Mode.RECOVER])
def test_a_reader_serves_itself_while_the_holder_is_ending(project, mode):
    with project.engine() as engine:
        run = engine.run("echo", "kept")["id"]
    with project.engine(mode=mode) as engine:
        engine.handle.interrupt()
        with project.engine(mode=Mode.READ) as reader:
            assert reader.handle.owned
            assert reader.task(run)["result"] == "kept"


@pytest.mark.parametrize("mode", list(Mode))
def test_a_stale_endpoint_is_told_no_key(project, mode):
    with project.engine() as engine:
        endpoint = holding.published(project.data)
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stale = {name: getattr(endpoint, name) for name in endpoint.__dataclass_fields__}
        stale["url"] = f"http://127.0.0.1:{stranger.getsockname()[1]}"
        (project.data / "endpoint.json").write_text(json.dumps(stale))
        stranger.setblocking(False)
        with project.engine(mode=mode) as engine:
            assert engine.handle.owned
        with pytest.raises(BlockingIOError):
            stranger.accept()


def test_the_folder_lock_follows_no_link_and_notices_that_its_file_was_deleted(tmp_path):
    folder = tmp_path / "engine"
    lock = FolderLock.attempt(folder)
    assert FolderLock.attempt(folder) is None
    lock.release()
    (folder / "lock").unlink()
    (folder / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        FolderLock.attempt(folder)
    assert not (tmp_path / "elsewhere").exists()


def test_a_lock_on_a_deleted_file_is_none(tmp_path, monkeypatch):
    import fcntl

    true = fcntl.flock

    def deleting(lock, kind):
        true(lock, kind)
        (tmp_path / "lock").unlink(missing_ok=True)
        monkeypatch.setattr(fcntl, "flock", true)

    assert not (tmp_path / "lock").exists()
    monkeypatch.setattr(fcntl, "flock", deleting)
    lock = FolderLock.attempt(tmp_path)
    assert lock is not None
    assert FolderLock.attempt(tmp_path) is None
    lock.release()


def test_a_commit_reaches_the_drive_itself(tmp_path):
    database = open_database(tmp_path)
    try:
        asked = database.submit(lambda connection: connection.execute("PRAGMA fullfsync").fetchone()[0])
        assert asked.result() == 1
    finally:
        database.close()


@pytest.mark.parametrize(
    ("header", "host", "port", "own"),
    [
        ("localhost", "127.0.0.1", 80, True),
        ("127.0.0.1:80", "127.0.0.1", 80, True),
        ("[::1]", "::1", 80, True),
        ("[::1]:4000", "::1", 4000, True),
        ("localhost", "127.0.0.1", 4000, False),
        ("localhost:", "127.0.0.1", 4000, False),
        ("evil.example", "127.0.0.1", 80, False),
        ("10.1.2.3", "0.0.0.0", 80, True),
        ("", "127.0.0.1", 80, False),
        ("a:b:80", "127.0.0.1", 80, False),
    ],
)
def test_a_host_without_a_port_means_port_80(header, host, port, own):
    assert is_own_host(header, host, port) is own


def test_the_engine_answers_while_an_agents_files_are_copied(project, monkeypatch):
    copying, go = threading.Event(), threading.Event()
    true = launching.prepare

    def slow(*arguments):
        copying.set()
        assert go.wait(PATIENCE)
        return true(*arguments)

    monkeypatch.setattr(launching, "prepare", slow)
    with project.engine() as engine:
        run = engine.create("echo")["id"]
        assert copying.wait(PATIENCE)
        assert engine.task(run)["status"] == "executing"
        go.set()
        assert engine.until(run)["status"] == "completed"


def test_a_run_that_is_stopped_while_its_files_are_copied_is_never_started(project, monkeypatch):
    copying, go = threading.Event(), threading.Event()
    true = launching.prepare

    def slow(*arguments):
        copying.set()
        assert go.wait(PATIENCE)
        return true(*arguments)

    monkeypatch.setattr(launching, "prepare", slow)
    project.shell("marks", "touch started")
    with project.engine() as engine:
        run = engine.create("marks", user_tokens={"crm": "canary"})["id"]
        assert copying.wait(PATIENCE)
        leash = engine.handle._engine.dispatcher._active[run]
        threading.Thread(target=lambda: (until(leash.cut.done), go.set())).start()
        assert engine.stop(run)["status"] == "stopped"
        assert not (project.folder / "started").exists()
        assert not (project.data / "runs" / run / "task.json").exists()


def test_waiting_on_an_engine_ends_with_the_asker_or_with_the_engines_thread(project, monkeypatch):
    monkeypatch.setattr(hosting, "_LOOK_SECONDS", 0.01)
    with project.engine() as engine:
        stop = threading.Event()
        stop.set()
        engine.handle.wait(stop)
        engine.handle._thread.close()
        with pytest.raises(EngineError, match="has ended"):
            engine.handle.wait(threading.Event())
