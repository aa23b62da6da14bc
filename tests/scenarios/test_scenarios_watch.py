"""`taskspec watch` as a process: edits, trouble, other commands, signals. Nothing is paid twice or left running."""

import json
import os
import signal
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest

pytestmark = pytest.mark.slow


class Watch:
    """A watch that is running, and what it has written so far."""

    def __init__(self, workspace, *arguments, **more):
        self._workspace = workspace
        self._out = workspace.folder.parent / "watch.out"
        self._err = workspace.folder.parent / "watch.err"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.running = workspace.start("watch", "--json", *arguments, stdout=out, stderr=err, **more)

    @property
    def out(self):
        return self._out.read_text()

    @property
    def err(self):
        return self._err.read_text()

    def events(self, kind="RoundFinished"):
        whole = self.out[: self.out.rfind("\n") + 1]
        lines = [json.loads(line) for line in whole.splitlines()]
        return [line for line in lines if line.get("event") == kind]

    def round_with(self, **wanted):
        """Wait for a round that has these fields."""

        def found():
            assert self.running.process.poll() is None, self.out + self.err
            return [one for one in self.events() if wanted.items() <= one.items()]

        return self._workspace.until(found)[0]

    def end(self, number=signal.SIGTERM):
        self.running.signal(number)
        code = self.running.wait().code
        assert "Traceback" not in self.err + self.out
        assert "internal error" not in self.err
        return code


@contextmanager
def watching(workspace, *arguments, **more):
    watch = Watch(workspace, "--yes", *arguments, **more)
    try:
        yield watch
    finally:
        if watch.running.process.poll() is None:
            watch.running.signal(signal.SIGKILL)
            watch.running.wait()


def of_hello(prompt="hi", **more):
    return {"hello": {"agent": "echo", "prompt": prompt}, **more}


def test_an_edit_is_applied_without_a_question_and_nothing_else_is(workspace):
    workspace.project()
    workspace.tasks(**of_hello())
    with watching(workspace) as watch:
        watch.round_with(round=1, outcome="settled", started=1, accepted=1)
        workspace.tasks(**of_hello(other={"agent": "echo", "prompt": "ho"}))
        watch.round_with(round=2, outcome="settled", started=1, accepted=1, unchanged=1)
        assert watch.events("FilesChanged")[0]["files"] == ["tasks.yaml"]
        workspace.write("more/third.yaml", (workspace.folder / "tasks.yaml").read_text().replace("name: ", "name: x-"))
        watch.round_with(round=3, outcome="settled", started=2, accepted=2, unchanged=2)
        assert watch.end() == 0
    assert len(watch.events()) == 3
    assert workspace.planned() == dict.fromkeys(["hello", "other", "x-hello", "x-other"], "none")


def test_an_edit_is_not_held_up_by_a_run_and_the_run_is_neither_ended_nor_paid_twice(workspace):
    workspace.shell("patient", 'echo "$TASKSPEC_RUN_ID" >> started; while test ! -e go; do sleep 0.05; done; cat')
    workspace.project()
    workspace.tasks(long={"agent": "patient", "prompt": "x"})
    with watching(workspace) as watch:
        workspace.until(lambda: workspace.lines("started"))
        for number in range(3):
            workspace.tasks(long={"agent": "patient", "prompt": "x"}, **of_hello(f"edit {number}"))
            workspace.until(lambda number=number: _has(workspace, "hello.txt", f"edit {number}"))
            assert workspace.standing("long")["verdict"] == "executing"
        workspace.write("go", "")
        workspace.until(lambda: _has(workspace, "long.txt", "x"))
        watch.round_with(outcome="settled")
        assert watch.end() == 0
    assert len(workspace.lines("started")) == 1
    assert {event["outcome"] for event in watch.events()} == {"cut", "settled"}
    assert workspace.standing("long")["attempt"] == 1


def test_the_interval_alone_brings_a_round_and_a_deleted_result_back(workspace):
    workspace.project()
    workspace.tasks(**of_hello())
    with watching(workspace, "--interval", "1s") as watch:
        watch.round_with(round=1)
        (workspace.folder / "results/hello.txt").unlink()
        workspace.until((workspace.folder / "results/hello.txt").exists)
        watch.round_with(round=3, outcome="settled", started=0)
        assert watch.end(signal.SIGINT) == 0
    assert watch.events("FilesChanged") == []


def test_broken_manifests_are_told_once_and_their_mending_is_seen(workspace):
    workspace.project()
    workspace.tasks(**of_hello())
    with watching(workspace, "--interval", "1s") as watch:
        watch.round_with(round=1, outcome="settled")
        workspace.tasks(hello={"agent": "echo", "promt": "hi"})
        watch.round_with(outcome="wrong", round=3, started=0)
        assert watch.err.count("error:") == len(_errors(watch)) == 1
        workspace.tasks(**of_hello("mended"))
        watch.round_with(outcome="settled", started=1, accepted=1, pause=1.0, unchanged=0)
        workspace.until(lambda: _has(workspace, "hello.txt", "mended"))
        assert watch.end() == 0


def test_a_watch_may_begin_with_broken_manifests(workspace):
    workspace.project()
    workspace.tasks(hello={"agent": "echo"})
    with watching(workspace) as watch:
        watch.round_with(outcome="wrong")
        workspace.tasks(**of_hello())
        watch.round_with(outcome="settled", accepted=1)
        assert watch.end() == 0


def test_a_plan_beyond_a_limit_is_refused_and_the_watch_goes_on(workspace):
    workspace.project(limits={"maxCreate": 1})
    workspace.tasks(**of_hello(other={"agent": "echo", "prompt": "ho"}))
    with watching(workspace) as watch:
        watch.round_with(outcome="refused", started=0)
        assert "maxCreate" in watch.err
        workspace.tasks(**of_hello())
        watch.round_with(outcome="settled", accepted=1)
        assert watch.end() == 0


def test_other_commands_join_its_engine_and_have_the_lock_between_its_rounds(workspace):
    workspace.project()
    workspace.tasks(**of_hello())
    with watching(workspace, "--interval", "1h") as watch:
        watch.round_with(round=1)
        assert workspace.apply("hello").code == 0
        assert workspace.taskspec("status").code == 0
        assert watch.end() == 0


def test_while_another_command_applies_the_watch_waits_for_its_lock(workspace):
    workspace.shell("patient", "while test ! -e go; do sleep 0.05; done; cat")
    workspace.project()
    workspace.tasks(long={"agent": "patient", "prompt": "x"})
    with workspace.serving():
        other = workspace.start("apply", "--yes")
        workspace.until(lambda: workspace.records().get("long"))
        with watching(workspace, "--interval", "1s") as watch:
            watch.round_with(outcome="held")
            workspace.write("go", "")
            assert other.wait().code == 0
            watch.round_with(outcome="settled", started=0, unchanged=1)
            assert watch.end() == 0
    assert len(_errors(watch)) == 1


def test_under_serve_the_runs_of_a_watch_outlive_it(workspace):
    workspace.project()
    workspace.tasks(long={"agent": "slow", "prompt": "x"})
    with workspace.serving():
        with watching(workspace) as watch:
            workspace.until(lambda: workspace.lines("started"))
            assert watch.end() == 4
        assert watch.events()[-1]["outcome"] == "stopped"
        assert workspace.standing("long")["verdict"] == "executing"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_during_a_run_ends_it_in_order_and_records_it(workspace, number):
    workspace.project()
    workspace.tasks(**of_hello(long={"agent": "slow", "prompt": "x"}))
    with watching(workspace) as watch:
        workspace.until(lambda: workspace.lines("started") and _has(workspace, "hello.txt", "hi"))
        assert watch.end(number) == 3
    assert watch.events()[-1]["outcome"] == "stopped"
    assert workspace.standing("long")["verdict"] == "error"
    assert workspace.standing("hello")["verdict"] == "accepted"
    assert _alive(workspace.lines("started")) == []
    assert not (workspace.folder / ".taskspec/engine/endpoint.json").exists()


def test_a_killed_watch_leaves_nothing_running_and_the_next_one_starts_no_second_run(workspace):
    workspace.project()
    workspace.tasks(long={"agent": "slow", "prompt": "x"})
    with watching(workspace) as watch:
        workspace.until(lambda: workspace.lines("started"))
        watch.running.signal(signal.SIGKILL)
        watch.running.wait()
    with watching(workspace) as watch:
        watch.round_with(outcome="settled", started=0, unhealthy=1)
        assert watch.end() == 3
    assert len(workspace.lines("started")) == 1
    assert _alive(workspace.lines("started")) == []


def test_a_single_file_can_be_watched(workspace):
    workspace.project()
    workspace.tasks(**of_hello())
    workspace.write("other.yaml", (workspace.folder / "tasks.yaml").read_text().replace("hello", "other"))
    with watching(workspace, "tasks.yaml") as watch:
        watch.round_with(round=1, outcome="settled", accepted=1)
        workspace.tasks(**of_hello("anew"))
        watch.round_with(round=2, outcome="settled", accepted=1)
        assert watch.end() == 0
    assert list(workspace.records()) == ["hello"]


def test_a_signal_at_rest_says_how_the_last_round_has_left_the_tasks(workspace):
    workspace.shell("refuser", "echo no >&2; exit 1")
    workspace.project()
    workspace.tasks(**of_hello(bad={"agent": "refuser", "prompt": "x"}))
    with watching(workspace) as watch:
        watch.round_with(round=1, unhealthy=1)
        assert watch.end() == 3


def test_under_nohup_a_hangup_is_not_heard(workspace):
    workspace.project()
    workspace.tasks(**of_hello())
    with watching(workspace, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as watch:
        watch.round_with(round=1)
        watch.running.signal(signal.SIGHUP)
        workspace.tasks(**of_hello("again"))
        watch.round_with(round=2)
        assert watch.end() == 0


def test_changed_agents_are_taken_over_when_the_runs_of_the_former_ones_have_ended(workspace):
    workspace.shell("patient", 'echo "$TASKSPEC_RUN_ID" >> started; while test ! -e go; do sleep 0.05; done; cat')
    workspace.project()
    workspace.tasks(long={"agent": "patient", "prompt": "x"})
    with watching(workspace, "--interval", "1s") as watch:
        workspace.until(lambda: workspace.lines("started"))
        workspace.shell("echo", "cat; echo anew")
        workspace.project()
        watch.round_with(outcome="held")
        workspace.write("go", "")
        workspace.tasks(long={"agent": "patient", "prompt": "x"}, **of_hello())
        workspace.until(lambda: _has(workspace, "hello.txt", "hianew"))
        workspace.until(lambda: _has(workspace, "long.txt", "x"))
        watch.round_with(outcome="settled", unchanged=2)
        assert watch.end() == 0
    assert len(workspace.lines("started")) == 1


def test_a_remote_that_is_down_is_waited_for_and_one_that_is_back_is_used(workspace):
    remote = Hosted()
    workspace.agents = {}
    workspace.project(remote={"type": "xpander", "baseUrl": remote.url, "organization": "o"})
    workspace.tasks(hello={"agent": "writer", "prompt": "hi"})
    environ = {**workspace.environ, "XPANDER_API_KEY": "k" * 32, "NO_PROXY": "127.0.0.1"}
    with remote.up():
        pass
    with watching(workspace, "--interval", "1s", env=environ) as watch:
        watch.round_with(outcome="hindered", round=2)
        assert len(_errors(watch)) == 1
        with remote.up():
            workspace.write("touched.yaml", "a: 1\n")  # an edit takes the pauses back
            watch.round_with(outcome="settled", accepted=1)
            remote.accepts_key = False
            workspace.tasks(hello={"agent": "writer", "prompt": "ho"})
            watch.round_with(outcome="hindered", round=len(watch.events()) + 1)
            remote.accepts_key = True
            watch.round_with(outcome="settled", accepted=1, round=watch.events()[-1]["round"] + 1)
        assert watch.end() in {0, 1}
    assert remote.created == ["hi", "ho"]


def test_without_a_terminal_it_needs_to_be_told_that_nobody_is_asked(workspace):
    workspace.project()
    workspace.tasks(**of_hello())
    done = workspace.taskspec("watch")
    assert done.code == 64
    assert "--yes" in done.err
    assert workspace.taskspec("watch", "--json").code == 64
    assert workspace.taskspec("watch", "--yes", "nosuch").code == 64
    assert workspace.taskspec("watch", "--yes", "--interval", "0s").code == 64
    assert not (workspace.folder / "results").exists()


def test_people_get_one_line_a_round(workspace):
    workspace.project()
    workspace.tasks(**of_hello())
    running = workspace.start("watch", "--yes")
    workspace.until(lambda: _has(workspace, "hello.txt", "hi"))
    workspace.tasks(**of_hello("again"))
    workspace.until(lambda: _has(workspace, "hello.txt", "again"))
    running.signal(signal.SIGTERM)
    done = running.wait()
    lines = done.out.splitlines()
    assert [line[9:] for line in lines if "changed:" in line] == ["changed: tasks.yaml"]
    assert lines[0][8:].startswith(" round 1: 1 run started, 1 accepted (")


def test_a_reader_that_has_gone_ends_it(workspace):
    workspace.project()
    workspace.tasks(**of_hello())
    running = workspace.start("watch", "--yes", "--interval", "1s")
    running.process.stdout.close()
    assert running.process.wait(30) == 0
    assert "Traceback" not in running.process.stderr.read()
    running.process.stderr.close()


def test_it_keeps_no_file_open_and_costs_nearly_nothing_at_rest(workspace):
    workspace.project()
    workspace.tasks(**of_hello())
    with watching(workspace, "--interval", "1s") as watch:
        watch.round_with(round=3)
        process = psutil.Process(watch.running.process.pid)
        files, threads = process.num_fds(), process.num_threads()
        watch.round_with(round=9)
        assert process.num_fds() <= files + 1
        assert process.num_threads() <= threads + 1
        assert watch.end() == 0


class Hosted:
    """A small hosted remote on a port of its own, that can be taken down and up again."""

    def __init__(self):
        self.accepts_key = True
        self.created = []
        self._runs = {}
        server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        self._port = server.server_address[1]
        server.server_close()
        self.url = f"http://127.0.0.1:{self._port}"

    @contextmanager
    def up(self):
        server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _answer(self, method, path, body):
        if not self.accepts_key:
            return 401, {"detail": "no such key"}
        parts = path.partition("?")[0].strip("/").split("/")
        if method == "POST":
            run = {**body, "id": f"run-{len(self._runs)}", "agent_id": "writer", "organization_id": "o"}
            run |= {"status": "completed", "result": "done", "created_at": "2026-01-01T00:00:00Z"}
            self._runs[run["id"]] = run
            self.created.append(body["input"]["text"])
            return 200, run
        if parts[-1] in self._runs or parts[-2] in self._runs:
            return 200, self._runs.get(parts[-1]) or self._runs[parts[-2]]
        if "history" in parts:
            return 200, list(self._runs.values())
        return 200, [{"id": "writer", "name": "writer", "status": "ACTIVE"}]

    def _handler(self):
        remote = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def _do(self):
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                status, document = remote._answer(self.command, self.path, body)
                content = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = _do  # noqa: N815  # as the library calls them

            def log_message(self, *arguments):
                pass

        return Handler


def _has(workspace, name, text):
    path = workspace.folder / "results" / name
    return path.exists() and path.read_text() == text


def _errors(watch):
    return [line for line in watch.out.splitlines() if line.startswith('{"error"')]


def _alive(runs):
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TASKSPEC_RUN_ID") in runs and process.pid != os.getpid():
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found
