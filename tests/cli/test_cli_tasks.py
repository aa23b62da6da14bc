"""`taskspec tasks`: on an embedded engine of its own, beside one that serves, and on a remote of the environment."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from patience import PATIENCE

from taskspec.cli import running
from taskspec.cli.reaching import told_when_cut
from taskspec.cli.wiring import Reach, Wiring
from taskspec.report.exiting import ExitCode
from taskspec.report.tasks import HIDDEN, list_lines, of_status, without_secrets
from taskspec.report.text import Paint
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Need
from taskspec.settings import from_environ
from taskspec.taskapi.tasks.configuration import Configuration
from taskspec.taskapi.tasks.listing import list_item
from taskspec.taskapi.tasks.module import Tasks
from taskspec.taskapi.tasks.sessions import Session

AGENTS = """
    echo: {command: [cat]}
    broken: {command: [python, -c, "raise SystemExit('I will not')"]}
    rude: {command: [python, -c, "print(chr(27) + '[2Jboo')"]}
    slow: {command: [sleep, "60"]}
    lent: {worker: true}
"""
PROJECT = f"apiVersion: taskspec/v1\nkind: Project\nmetadata: {{name: p}}\nspec:\n  agents:{AGENTS.rstrip()}\n"
WRONG = "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: a}\nspec: {agent: nobody}\n"
"""These commands need no declared task to be right."""
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith(("XPANDER_", "TASKSPEC_"))}


def made(folder):
    (folder / "taskspec.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "tasks.yaml").write_text(WRONG, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return made(tmp_path_factory.mktemp("project"))


def start(folder, *arguments, **given):
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **given}
    environ = {**ENVIRON, **given.pop("environ", {})}
    return subprocess.Popen([sys.executable, "-m", "taskspec", *arguments], cwd=folder, env=environ, text=True, **given)


@contextmanager
def started(folder, *arguments, **given):
    """Start a command that is ended with the context, whatever happens in it."""
    with start(folder, *arguments, **given) as process:
        try:
            yield process
        finally:
            process.kill()


def run(folder, *arguments, stdin=""):
    process = start(folder, *arguments, stdin=subprocess.PIPE)
    out, err = process.communicate(stdin, timeout=PATIENCE)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@contextmanager
def serving(folder):
    with started(folder, "serve") as process:
        assert process.stdout.readline().startswith("The engine listens on ")
        yield
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)


def document(done):
    assert done.returncode == 0, done
    return json.loads(done.stdout)


class Remote:
    """A hosted remote of tests: answers by method and the end of a path, and keeps what it was asked."""

    def __init__(self):
        self.answers = {}
        self.asked = []
        remote = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                remote.asked.append((self.command, self.path, json.loads(body) if body else None, dict(self.headers)))
                path = self.path.partition("?")[0]
                found = [
                    given
                    for (verb, end), given in remote.answers.items()
                    if verb == self.command and path.endswith(end)
                ]
                status, content = found[0]() if found else (404, {"detail": "Task not found"})
                if status == 0:
                    self.close_connection = True
                    return
                kind = "text/event-stream" if isinstance(content, str) else "application/json"
                text = (content if isinstance(content, str) else json.dumps(content)).encode()
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815  # the standard library's names

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def on(self, verb, end, *contents, status=200):
        """Answer with the contents one after the other, the last one for ever."""
        left = list(contents)
        self.answers[verb, end] = lambda: (status, left.pop(0) if len(left) > 1 else left[0])

    def asked_by(self, verb):
        return [entry for entry in self.asked if entry[0] == verb]


@pytest.fixture
def remote(tmp_path, monkeypatch):
    found = Remote()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    for name in [name for name in os.environ if name.startswith(("XPANDER_", "TASKSPEC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XPANDER_API_KEY", "canary-key")
    monkeypatch.setenv("XPANDER_BASE_URL", found.url)
    monkeypatch.setenv("XPANDER_ORGANIZATION_ID", "acme")
    monkeypatch.chdir(tmp_path)
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def call(capsys, monkeypatch):
    """Return a command line in this process: its exit code, stdout and stderr."""
    monkeypatch.setattr(running, "_listen", lambda: None)
    monkeypatch.setattr(running.gc, "set_threshold", lambda *_: None)

    def called(*arguments):
        code = running.run(["tasks", *arguments])
        shown = capsys.readouterr()
        assert "canary-key" not in shown.out + shown.err
        return code, shown.out, shown.err

    return called


def wire(status="completed", **fields):
    whole = {"id": "t1", "agent_id": "a1", "organization_id": "acme", "status": status, "input": {"text": "Do it."}}
    return {**whole, "created_at": "2026-01-02T03:04:05Z", "source": "sdk", "events_streaming": True, **fields}


def event(kind, data):
    row = {"type": kind, "task_id": "t1", "organization_id": "acme", "time": "2026-01-02T03:04:06Z", "data": data}
    return f"data: {json.dumps(row)}\n\n"


# --- on an engine of the command's own


def test_a_followed_task_gives_its_result_to_a_pipe_and_its_events_to_stderr(project):
    done = run(project, "tasks", "create", "echo", "-", "-f", "--title", "One", stdin="hé\nllo")
    assert (done.returncode, done.stdout) == (0, "hé\nllo")
    assert "of agent echo: pending." in done.stderr
    assert "of agent echo: completed." in done.stderr


def test_a_task_that_fails_is_told_with_its_words_and_3(project):
    done = run(project, "tasks", "create", "broken", "Please.", "-f")
    assert (done.returncode, done.stdout) == (3, "")
    assert "I will not" in done.stderr


def test_followed_json_is_the_task_as_it_ended(project):
    found = document(run(project, "tasks", "create", "echo", "hello", "-f", "--json", "--payload", '{"order": 7}'))
    assert (found["status"], found["result"], found["payload_extension"]) == ("completed", "hello", {"order": 7})


def test_without_an_engine_nothing_is_created_that_nobody_follows(project):
    before = document(run(project, "tasks", "list", "slow", "--json"))
    done = run(project, "tasks", "create", "slow", "x")
    assert done.returncode == 64
    assert "`taskspec serve`" in done.stderr
    assert document(run(project, "tasks", "list", "slow", "--json")) == before


def test_without_an_engine_no_task_is_created_that_waits_for_a_worker(project):
    for follow in ([], ["-f"]):
        done = run(project, "tasks", "create", "lent", "x", *follow)
        assert done.returncode == 64
        assert "waits for a worker" in done.stderr
        assert "`taskspec serve`" in done.stderr
    assert document(run(project, "tasks", "list", "lent", "--json")) == {"tasks": []}


def test_a_worker_agent_may_be_followed_where_an_engine_serves(tmp_path):
    made(tmp_path)
    with serving(tmp_path), started(tmp_path, "tasks", "create", "lent", "x", "-f") as process:
        assert "of agent lent: pending." in process.stderr.readline()


def test_what_was_created_is_listed_and_shown_without_an_engine(project):
    created = document(run(project, "tasks", "create", "rude", "Say boo.", "-f", "--json", "--title", "Rude one"))
    rows = document(run(project, "tasks", "list", "rude", "--json"))["tasks"]
    assert created["id"] in [row["id"] for row in rows]
    shown = run(project, "tasks", "get", created["id"])
    assert shown.returncode == 0
    assert "Say boo." in shown.stdout
    assert "\\x1b[2Jboo" in shown.stdout
    assert "\x1b" not in shown.stdout
    told = run(project, "tasks", "events", created["id"])
    assert "task_finished: completed" in told.stdout
    assert created["id"] not in told.stdout
    assert [
        json.loads(line)["type"]
        for line in run(project, "tasks", "events", created["id"], "-f", "--json").stdout.splitlines()
    ][-1] == ("task_finished")


def interrupted(folder):
    """Follow a slow task until it executes, then press Ctrl-C; return the exit code and what was said since."""
    with started(folder, "tasks", "create", "slow", "x", "-f") as process:
        while "executing" not in (line := process.stderr.readline()):
            assert line
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        return process.returncode, err


def test_ctrl_c_says_that_the_task_ends_with_the_engine_of_the_command(project):
    code, err = interrupted(project)
    assert code == 130
    assert "ended with this command" in err
    newest = document(run(project, "tasks", "list", "slow", "--json"))["tasks"][0]
    assert newest["status"] == "error"


def test_ctrl_c_stops_a_task_that_has_not_begun(project, capsys):
    settings = from_environ()
    wiring = Wiring(settings, parallelism=1)
    declared = project_of(Invocation(target=project, settings=settings))
    with wiring.reach(declared, Need.RUN) as reach, Tasks(reach.configuration) as client:
        tasks = [client.create("slow", prompt="x") for _ in range(2)]
        while client.get(tasks[0].id).status == "pending":
            time.sleep(0.02)
        with pytest.raises(KeyboardInterrupt), told_when_cut(reach, client, tasks[1].id):
            raise KeyboardInterrupt
    told = capsys.readouterr().err
    assert f"Task {tasks[1].id} had not begun." in told
    assert "it is stopped." in told
    assert document(run(project, "tasks", "get", tasks[1].id, "--json"))["status"] == "stopped"
    assert document(run(project, "tasks", "get", tasks[0].id, "--json"))["status"] == "error"


@pytest.mark.parametrize(
    ("status", "told"), [("completed", "is completed"), ("error", "recorded it as `error`"), (None, "tasks get t1")]
)
def test_ctrl_c_tells_how_a_task_stands_when_the_engine_of_the_command_has_ended(remote, capsys, status, told):
    if status is not None:
        remote.on("GET", "/t1/status", wire(status))
    ended = []
    reach = Reach(configuration=Configuration(), owned=True, end_runs=lambda: ended.append(len(remote.asked)))
    with pytest.raises(KeyboardInterrupt), Tasks(Configuration()) as client, told_when_cut(reach, client, "t1"):
        raise KeyboardInterrupt
    assert told in capsys.readouterr().err
    assert ended == [0]


# --- beside an engine that serves


def test_a_serving_engine_is_joined(tmp_path):
    made(tmp_path)
    with serving(tmp_path):
        created = document(run(tmp_path, "tasks", "create", "slow", "x", "--json", "--idempotency-key", "k1"))
        again = document(run(tmp_path, "tasks", "create", "slow", "x", "--json", "--idempotency-key", "k1"))
        assert again["id"] == created["id"]
        until_now = run(tmp_path, "tasks", "events", created["id"])
        assert until_now.returncode == 0
        assert "task_created" in until_now.stdout
        assert "Follow it with -f." in until_now.stderr
        with started(tmp_path, "tasks", "events", created["id"], "-f") as process:
            assert "task_created" in process.stdout.readline()
            changed = document(run(tmp_path, "tasks", "update", created["id"], "--source", "desk", "--json"))
            assert changed["source"] == "desk"
            stopped = run(tmp_path, "tasks", "stop", created["id"])
            assert stopped.stdout == f"Task {created['id']} of agent slow: stopped.\n"
            out, _ = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0
            assert "task_finished: stopped" in out
        listed = document(run(tmp_path, "tasks", "list", "slow", "--status", "stopped", "--json"))
        assert [row["id"] for row in listed["tasks"]] == [created["id"]]
        code, err = interrupted(tmp_path)
        assert code == 130
        assert "goes on" in err


def test_what_a_dead_engine_left_is_shown_and_not_waited_for(tmp_path):
    made(tmp_path)
    with started(tmp_path, "serve") as engine:
        assert engine.stdout.readline()
        created = document(run(tmp_path, "tasks", "create", "slow", "x", "--json"))
        with started(tmp_path, "tasks", "events", created["id"], "-f") as process:
            while "executing" not in (line := process.stdout.readline()):
                assert line
    done = run(tmp_path, "tasks", "events", created["id"], "-f")
    assert done.returncode == 0
    assert "executing. No engine is running" in done.stderr
    stopped = document(run(tmp_path, "tasks", "stop", created["id"], "--json"))
    assert stopped["status"] == "error"


def test_logs_do_not_wait_for_a_run_that_a_dead_engine_left(tmp_path):
    made(tmp_path)
    task = "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: a}\nspec: {agent: slow, prompt: x}\n"
    (tmp_path / "tasks.yaml").write_text(task, encoding="utf-8")
    with started(tmp_path, "serve") as engine:
        assert engine.stdout.readline()
        assert run(tmp_path, "apply", "-y", "--no-wait").returncode == 0
        with started(tmp_path, "logs", "a", "-f") as process:
            while "executing" not in (line := process.stdout.readline()):
                assert line
    done = run(tmp_path, "logs", "a", "-f")
    assert done.returncode == 0
    assert "executing" in done.stdout
    assert "The run is executing. No engine is running" in done.stderr
    assert run(tmp_path, "stop", "a", "-y").returncode == 0


def test_a_signal_to_end_is_told_too(remote, tmp_path):
    remote.on("POST", "/agent-execution/a1", wire("pending"))
    remote.on("GET", "/t1/status", wire("executing"))
    remote.on("GET", "/t1/events", event("task_created", wire("pending")))
    environ = {name: os.environ[name] for name in os.environ if name.startswith("XPANDER_")}
    with started(tmp_path, "tasks", "create", "a1", "Do it.", "-f", environ=environ) as process:
        while "task_created" not in (line := process.stderr.readline()):
            assert line
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == ExitCode.TERMINATED
    assert "Task t1 goes on" in err


# --- on a remote that the environment names


def test_neither_project_nor_key_is_7(call, tmp_path, monkeypatch):
    monkeypatch.delenv("XPANDER_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    code, _, err = call("list", "a1")
    assert code == ExitCode.STALE
    assert "-C" in err
    assert "XPANDER_API_KEY" in err


def test_a_list_is_asked_for_with_its_filters_and_cut(remote, call):
    remote.on("GET", "/executions/history/a1", [wire(id=f"t{n}", title=f"T{n}\x1b") for n in range(3)])
    code, out, _ = call(
        "list", "a1", "--status", "Completed", "--user", "u1", "--filter", "internal_status=x", "--limit", "2"
    )
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["ID", "t0", "t1"]
    assert "T0\\x1b" in out
    path = remote.asked[0][1]
    assert all(part in path for part in ("status=completed", "user_id=u1", "internal_status=x"))


def test_a_title_is_cut_to_the_width_of_a_terminal_and_whole_in_a_pipe(remote, call):
    title = "T" * 150
    remote.on("GET", "/executions/history/a1", [wire(title=title)])
    assert title in call("list", "a1")[1]
    row = list_item(wire(title=title), "a1", Session(Configuration()))
    lines = list(list_lines([row], Paint(color=False), 80))
    assert [len(line) <= 80 for line in lines] == [True, True]
    assert lines[1].endswith("T…")
    assert list(list_lines([row], Paint(color=False), 10))[1].endswith("  TTTT…")


def test_the_tasks_of_a_user_need_no_agent(remote, call):
    remote.on("GET", "/executions/history/user/u1", [])
    assert call("list", "--user", "u1")[:2] == (0, "No task was found.\n")
    assert call("list", "--user", "u1", "--json")[1] == '{\n  "tasks": [\n  ]\n}\n'
    assert call("list")[0] == ExitCode.USAGE


def test_an_unknown_status_is_shown_as_it_came(remote, call):
    remote.on("GET", "/executions/history/a1", [wire("dreaming")])
    code, out, _ = call("list", "a1")
    assert code == 0
    assert "dreaming" in out


def test_no_secret_of_an_answer_is_shown(remote, call):
    servers = [{"name": "m", "type": "http", "url": "https://x/?k=canary", "headers": {"authorization": "canary"}}]
    secrets = {"user_tokens": {"x": "canary"}, "user_oidc_token": "canary", "mcp_servers": servers}
    remote.on("GET", "/t1/status", wire(**secrets, payload_extension={"headers": {"x": "canary"}}))
    remote.on("GET", "/t1/events", event("task_finished", wire(**secrets)))
    for arguments in (["get", "t1"], ["get", "t1", "--json"], ["events", "t1"], ["events", "t1", "--json"]):
        code, out, err = call(*arguments)
        assert code == 0
        assert "canary" not in out + err, arguments
    assert json.loads(call("get", "t1", "--json")[1])["mcp_servers"] == [
        {"name": "m", "type": "http", "url": HIDDEN, "headers": HIDDEN}
    ]


def test_an_unknown_id_is_told_in_the_words_of_the_remote(remote, call):
    code, out, err = call("get", "nosuch", "--json")
    assert code == ExitCode.ERROR
    assert "Task not found" in err
    assert "taskspec tasks list AGENT" in err
    assert json.loads(out)["error"]["exitCode"] == 1


def test_an_unknown_id_says_where_ids_are_found(remote, call):
    for arguments in (["get", "t9"], ["stop", "t9"], ["update", "t9", "--source", "s"], ["events", "t9"]):
        code, _, err = call(*arguments)
        assert (code, "taskspec tasks list AGENT" in err) == (ExitCode.ERROR, True), arguments


def test_a_task_comes_from_taskspec_unless_it_is_said_to_come_from_elsewhere(remote, call):
    remote.on("POST", "/agent-execution/a1", wire("pending"))
    assert call("create", "a1", "x")[0] == call("create", "a1", "x", "--source", "")[0] == 0
    assert [entry[2]["source"] for entry in remote.asked_by("POST")] == ["taskspec", ""]


def test_files_are_enough_of_a_prompt(remote, call):
    remote.on("POST", "/agent-execution/a1", wire("pending"))
    assert call("create", "a1", "", "--file", "https://x/f")[0] == 0


@pytest.mark.parametrize("answer", [0, 200])
def test_a_create_that_nobody_knows_of_is_9_and_not_repeated(remote, call, answer):
    remote.on("POST", "/agent-execution/a1", {"nothing": "of use"}, status=answer)
    code, _, err = call("create", "a1", "Do it.")
    assert code == ExitCode.UNKNOWN
    assert "taskspec tasks list a1" in err
    assert len(remote.asked_by("POST")) == 1


def test_a_change_without_a_usable_answer_is_9_and_a_read_without_one_is_1(remote, call):
    for verb, end in (("PATCH", "/t1/update"), ("DELETE", "/t1"), ("GET", "/t1/status")):
        remote.on(verb, end, ["no task"])
    code, _, err = call("update", "t1", "--source", "s")
    assert code == ExitCode.UNKNOWN
    assert "taskspec tasks get t1" in err
    assert call("stop", "t1")[0] == ExitCode.UNKNOWN
    assert call("get", "t1")[0] == ExitCode.ERROR


def test_every_option_of_create_reaches_the_wire(remote, call, tmp_path):
    remote.on("POST", "/agent-execution/a1", wire("pending"))
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object"}')
    given = {"title": "T", "output-format": "json", "output-schema": str(schema), "context": "c", "source": "s"}
    given |= {
        "expected-output": "e",
        "instructions": "i",
        "payload": '{"p": 1}',
        "continue": "t0",
        "agent-version": "3",
    }
    given |= {"file": "https://x/f", "idempotency-key": "k"}
    options = [word for name, value in given.items() for word in (f"--{name}", value)]
    code, out, _ = call("create", "a1", "Do it.", *options)
    assert (code, out) == (0, "Task t1 of agent a1: pending.\n")
    _, _, body, headers = remote.asked_by("POST")[0]
    sent = {"id": "t0", "title": "T", "output_format": "json", "output_schema": {"type": "object"}, "source": "s"}
    sent |= {"additional_context": "c", "expected_output": "e", "instructions_override": "i"}
    sent |= {"payload_extension": {"p": 1}, "events_streaming": True}
    assert {name: body[name] for name in sent} == sent
    assert (body["input"]["text"], body["input"]["files"]) == ("Do it.", ["https://x/f"])
    lower = {name.lower(): value for name, value in headers.items()}
    assert (lower["x-agent-version"], lower["idempotency-key"]) == ("3", "k")


def test_an_update_sends_only_what_is_given(remote, call):
    remote.on("PATCH", "/t1/update", wire(source="s"))
    assert call("update", "t1", "--source", "s")[0] == 0
    assert remote.asked_by("PATCH")[0][2] == {"source": "s"}
    assert call("update", "t1")[0] == ExitCode.USAGE
    assert len(remote.asked_by("PATCH")) == 1


@pytest.mark.parametrize(("terminal", "times"), [(True, 1), (False, 2)])
def test_an_answer_is_shown_once_on_a_terminal(remote, call, monkeypatch, terminal, times):
    ended = wire(result="Done.")
    remote.on("POST", "/agent-execution/a1", wire("pending"))
    remote.on("GET", "/t1/status", ended)
    told = [event("chunk", "Done."), event("think", {"title": "Hm", "thought": "so"}), event("task_finished", ended)]
    remote.on("GET", "/t1/events", "".join(told))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    code, out, err = call("create", "a1", "x", "-f")
    assert (code, out) == (0, "Done.\n" if terminal else "Done.")
    assert (out + err).count("Done.") == times
    assert "Hm: so" in err


def test_a_task_that_waits_for_a_person_is_left_and_told_with_5(remote, call):
    paused = wire("paused", pending_eca_request={"connector_name": "mail", "auth_url": "https://auth/x"})
    remote.on("POST", "/agent-execution/a1", wire("pending"))
    remote.on("GET", "/t1/status", paused)
    remote.on("GET", "/t1/events", event("task_created", wire("pending")) + event("task_updated", paused))
    code, out, err = call("create", "a1", "Do it.", "-f")
    assert (code, out) == (ExitCode.NEEDS_INPUT, "")
    assert ": paused, waits for https://auth/x." in err


def test_a_paused_task_that_has_gone_on_since_is_followed_to_its_end(remote, call):
    paused, ended = wire("paused"), wire(result="Done.")
    remote.on("POST", "/agent-execution/a1", wire("pending"))
    remote.on("GET", "/t1/status", wire("executing"), ended)
    remote.on("GET", "/t1/events", event("task_updated", paused) + event("task_finished", ended))
    assert call("create", "a1", "Do it.", "-f")[:2] == (0, "Done.")


@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "a1"],
        ["create", "a1", ""],
        ["create", "a1", " \n"],
        ["create", "a1", "x", "--file", "./local.txt"],
        ["create", "a1", "x", "--payload", "[1]"],
        ["create", "a1", "x", "--payload", "{"],
        ["create", "a1", "x", "--payload", '{"n": NaN}'],
        ["create", "a1", "x", "--output-schema", "nosuch.json"],
        ["create", "a1", "x", "--output-format", "html"],
        ["create", "", "x"],
        ["get", ""],
        ["list", "a1", "--filter", "status"],
        ["list", "a1", "--status", "Running"],
        ["list", "a1", "--limit", "0"],
        ["update", "t1", "--payload", "7"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_refused_before_anything_is_asked(remote, call, arguments):
    code, _, err = call(*arguments)
    assert code == ExitCode.USAGE
    assert err
    assert remote.asked == []


# --- pieces


def test_the_help_of_the_group_loads_no_library():
    program = "import sys\nfrom taskspec.cli.running import run\nrun(sys.argv[1:])\nprint(*sys.modules)"
    command = [sys.executable, "-c", program, "tasks", "create", "--help"]
    loaded = set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout.split())
    assert loaded & {"httpx", "aiohttp", "asyncio", "taskspec.taskapi.tasks", "taskspec.engine.hosting"} == set()


def test_the_exit_codes_of_statuses():
    assert of_status("completed") is ExitCode.OK
    assert {of_status(status) for status in ("failed", "error", "stopped")} == {ExitCode.UNHEALTHY}
    assert of_status("paused") is ExitCode.NEEDS_INPUT
    assert {of_status(status) for status in ("dreaming", "executing", "unknown", "")} == {ExitCode.UNKNOWN}


def test_what_is_nested_too_deeply_is_not_shown():
    nested = []
    for _ in range(900):
        nested = [nested]
    assert HIDDEN in json.dumps(without_secrets(nested))
    assert without_secrets({"user_tokens": None, "headers": {}, "x": [1]}) == {
        "user_tokens": None,
        "headers": {},
        "x": [1],
    }
