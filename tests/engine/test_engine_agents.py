"""Agents as the engine runs them: what they are given, what becomes of what they say, and how they are ended."""

import hashlib
import json
import sys
from pathlib import Path

import pytest
from patience import little_work

from taskspec.engine import agents as execution
from taskspec.engine.hosting import AgentCommand


def test_a_prompt_goes_in_and_the_answer_comes_out(engine):
    task = engine.run("echo", "grüße\n\n")
    assert (task["status"], task["result"]) == ("completed", "grüße\n")
    assert task["started_at"] <= task["finished_at"]
    assert task["duration"] >= 0


def test_an_empty_answer_is_completed_and_empty(project):
    project.shell("silent", "true")
    with project.engine() as engine:
        task = engine.run("silent")
    assert (task["status"], task["result"]) == ("completed", "")


def test_an_answer_that_is_not_utf8_is_mended(project):
    project.shell("odd", r"printf '\377ok\r\n'")
    with project.engine() as engine:
        assert engine.run("odd")["result"] == "\ufffdok"


def test_a_large_prompt_reaches_an_agent_that_does_not_read_it(project):
    project.shell("deaf", "echo done")
    with project.engine() as engine:
        assert engine.run("deaf", "x" * 1_000_000)["result"] == "done"
        assert engine.run("echo", "y" * 1_000_000)["result"] == "y" * 1_000_000


def test_a_nonzero_exit_is_failed_with_the_agents_own_words(project):
    project.shell("bad", "echo half an answer; echo no money >&2; exit 3")
    with project.engine() as engine:
        task = engine.run("bad")
        assert (task["status"], task["result"]) == ("failed", "exit code 3\nno money")
        thoughts = [event["data"] for event in engine.events(task["id"]) if event["type"] == "think"]
    assert thoughts == [{"title": "stderr", "thought": "no money"}]


def test_an_agent_that_dies_of_a_signal_is_failed(project):
    project.shell("dies", "kill -9 $$")
    with project.engine() as engine:
        task = engine.run("dies")
    assert (task["status"], task["result"]) == ("failed", "ended by signal 9")


def test_a_time_out_is_failed(project, has_gone):
    project.shell("slow", "echo $$ > pid; exec sleep 600", timeout=0.3)
    with project.engine() as engine:
        task = engine.run("slow")
    assert (task["status"], task["result"]) == ("failed", "timed out after 0.3s")
    pid = project.folder / "pid"
    assert not pid.exists() or not pid.read_text() or has_gone(int(pid.read_text()))


def test_an_answer_beyond_the_limit_is_failed(project):
    project.shell("chatty", "head -c 11000000 /dev/zero; sleep 600")
    with project.engine() as engine:
        task = engine.run("chatty")
    assert task["status"] == "failed"
    assert task["result"].startswith("output limit")


def test_an_agent_that_cannot_start_is_failed_with_the_reason(project):
    project.agents["ghost"] = AgentCommand(command=("no-such-program-4711",))
    with project.engine() as engine:
        task = engine.run("ghost")
    assert (task["status"], task["result"]) == (
        "failed",
        "cannot start `no-such-program-4711`: No such file or directory",
    )


def test_python_is_the_interpreter_that_runs_us_and_paths_are_the_projects(project):
    project.python("who", "import os, sys; print(sys.executable, os.getcwd())")
    script = project.folder / "bin" / "tool"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\necho tool\n")
    script.chmod(0o755)
    project.agents["tool"] = AgentCommand(command=("bin/tool",))
    with project.engine() as engine:
        assert engine.run("who")["result"] == f"{sys.executable} {project.folder}"
        assert engine.run("tool")["result"] == "tool"


def test_an_agent_sees_the_minimal_environment_and_what_it_is_allowed(project):
    project.environ |= {"ALLOWED": "yes", "SECRET": "no", "LANG": "C.UTF-8"}
    project.shell("env", "env -0", env_allow=("ALLOWED", "MISSING"))
    with project.engine() as engine:
        task = engine.run("env")
    seen = dict(entry.split("=", 1) for entry in task["result"].split("\0") if entry)
    assert seen["ALLOWED"] == "yes"
    assert seen["TASKSPEC_RUN_ID"] == task["id"]
    assert seen["TASKSPEC_AGENT_ID"] == "env"
    inherited = {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ", "USER", "SHELL"}
    given = {"TASKSPEC_TASK_FILE", "TASKSPEC_RUN_ID", "TASKSPEC_AGENT_ID", "TASKSPEC_EVENTS", "ALLOWED"}
    assert set(seen) - inherited - given <= {"PWD", "SHLVL", "_", "OLDPWD"}


def test_an_agent_has_its_own_session_and_no_descriptor_of_ours(project):
    project.python("fds", "import os; print(os.getsid(0) == os.getpid(), sorted(map(int, os.listdir('/dev/fd'))))")
    with project.engine() as engine:
        own_session, _, descriptors = engine.run("fds")["result"].partition(" ")
    assert own_session == "True"
    assert len(json.loads(descriptors)) == 5  # the three, the events, and the listing itself


def test_the_whole_task_is_in_a_file_that_goes_with_the_agent(project):
    project.shell("reader", 'cat "$TASKSPEC_TASK_FILE"; ls -l "$TASKSPEC_TASK_FILE" >&2; exit 0')
    with project.engine() as engine:
        task = engine.run("reader", "hi", user_tokens={"crm": "canary-1"}, output_schema={"type": "object"})
        given = json.loads(task["result"])
        assert given["user_tokens"] == {"crm": "canary-1"}
        assert given["output_schema"] == {"type": "object"}
        assert given["input"]["text"] == "hi"
        assert task["user_tokens"] is None
        (mode,) = [e["data"]["thought"] for e in engine.events(task["id"]) if e["type"] == "think"]
        assert mode.startswith("-rw-------")
    assert not list(project.data.rglob("task.json"))


def test_an_agent_streams_its_own_events_and_its_usage(project):
    project.python(
        "events",
        "import json, os\n"
        "with open(os.environ['TASKSPEC_EVENTS'], 'a') as events:\n"
        "    for event in ({'type': 'think', 'data': {'title': 't', 'thought': 'x'}}, {'type': 'task_finished'},\n"
        "                  {'type': 'usage', 'data': {'prompt_tokens': 3, 'completion_tokens': 4}}):\n"
        "        print(json.dumps(event), file=events)\n"
        "    print('not json', file=events)\n"
        "print('answer')\n",
    )
    with project.engine() as engine:
        task = engine.run("events")
        kinds = [event["type"] for event in engine.events(task["id"])]
    assert sorted(kinds) == ["chunk", "task_created", "task_finished", "task_updated", "think"]
    assert kinds[-1] == "task_finished"
    assert (task["tokens"]["prompt_tokens"], task["tokens"]["completion_tokens"]) == (3, 4)


def test_a_stop_ends_the_agent_before_it_is_answered(project, pid_in, has_gone):
    project.shell("slow", "echo $$ > pid; sleep 600")
    with project.engine() as engine:
        run = engine.create("slow")["id"]
        pid = pid_in(project.folder / "pid")
        task = engine.stop(run)
        assert has_gone(pid)
        assert (task["status"], task["is_manually_stopped"]) == ("stopped", True)
        assert task["finished_at"]
        assert engine.stop(run) == task


def test_a_stop_ends_an_agent_that_ignores_the_request(project, pid_in, has_gone, monkeypatch):
    monkeypatch.setattr(execution, "GRACE", 0.2)
    project.python(
        "stubborn",
        "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)\n",
    )
    with project.engine() as engine:
        run = engine.create("stubborn")["id"]
        pid = pid_in(project.folder / "pid")
        assert engine.stop(run)["status"] == "stopped"
        assert has_gone(pid)


def test_a_stop_ends_a_grandchild_that_left_the_session(project, pid_in, has_gone):
    project.python(
        "parent",
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "open('pid', 'w').write(str(child.pid))\ntime.sleep(600)\n",
    )
    with project.engine() as engine:
        run = engine.create("parent")["id"]
        pid = pid_in(project.folder / "pid")
        engine.stop(run)
        assert has_gone(pid)


def test_a_grandchild_that_keeps_the_output_open_does_not_hang_the_run(project, pid_in, has_gone, monkeypatch):
    monkeypatch.setattr(execution, "DRAIN_SECONDS", 0.2)
    project.shell("leaves", "sleep 600 & echo $! > pid; echo answer")
    with project.engine() as engine:
        task = engine.run("leaves")
        assert has_gone(pid_in(project.folder / "pid"))
    assert (task["status"], task["result"]) == ("completed", "answer")


def test_a_pending_run_is_stopped_at_once_and_never_starts(project):
    project.shell("slow", "echo x >> started; sleep 600")
    with project.engine(parallelism=1) as engine:
        first = engine.create("slow")["id"]
        engine.until(first, "executing")
        second = engine.create("slow")["id"]
        assert engine.stop(second)["status"] == "stopped"
        engine.stop(first)
        third = engine.run("echo", "after")
        assert third["status"] == "completed"
    assert (project.folder / "started").read_text().count("x") == 1


def test_a_status_of_a_running_agent_is_not_a_clients_to_set(project):
    project.shell("slow", "sleep 600")
    with project.engine() as engine:
        run = engine.create("slow")["id"]
        engine.until(run, "executing")
        answer = engine.http.patch(f"/agent-execution/{run}/update", json={"status": "completed"})
        assert answer.status_code == 409
        assert engine.task(run)["status"] == "executing"


@pytest.mark.parametrize("parallelism", [1, 2])
def test_so_many_run_at_once_and_one_after_another_in_their_order(project, parallelism):
    project.shell("one", "echo $TASKSPEC_RUN_ID >> order; echo > in.$$; ls in.* | wc -l >> most; sleep 0.05; rm in.$$")
    with project.engine(parallelism=parallelism) as engine:
        runs = [engine.create("one")["id"] for _ in range(8)]
        for run in runs:
            engine.until(run)
    assert max(int(line) for line in (project.folder / "most").read_text().split()) <= parallelism
    order = (project.folder / "order").read_text().split()
    assert order == runs if parallelism == 1 else sorted(order) == sorted(runs)


def _put(engine, content, digest=None):
    digest = digest or hashlib.sha256(content).hexdigest()
    return digest, engine.http.put(f"/files/{digest}", content=content)


def test_an_uploaded_file_is_at_its_path_when_the_agent_starts(project):
    project.shell("files", 'cat "$TASKSPEC_TASK_FILE"')
    project.python(
        "sums", "import json, os\nfor f in json.load(open(os.environ['TASKSPEC_TASK_FILE']))['input']['files'][:1]:\n"
        "    print(open(f).read())\n    open(f, 'w').write('spoilt')\n",
    )  # fmt: skip
    with project.engine() as engine:
        digest, answer = _put(engine, b"a,b\n1,2\n")
        assert (answer.status_code, answer.json()) == (201, {"sha256": digest, "size": 8})
        assert _put(engine, b"a,b\n1,2\n")[1].status_code == 200
        assert engine.http.head(f"/files/{digest}").status_code == 200
        assert engine.http.head(f"/files/{'0' * 64}").status_code == 404
        files = [f"upload:{digest}/data/sales.csv", "https://example.com/fx.csv"]
        task = engine.until(engine.create("files", files=files)["id"])
        given = json.loads(task["result"])["input"]["files"]
        assert task["input"]["files"] == files
        assert Path(given[0]).is_absolute()
        assert given[0].endswith(f"/runs/{task['id']}/files/data/sales.csv")
        assert given[1] == files[1]
        for _ in range(2):
            assert engine.until(engine.create("sums", files=files)["id"])["result"] == "a,b\n1,2\n"


def test_an_upload_whose_content_is_another_is_refused(engine, project):
    assert _put(engine, b"x", digest="0" * 64)[1].status_code == 422
    assert _put(engine, b"x", digest="abc")[1].status_code == 422
    assert not list((project.data / "files").iterdir())


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../x", "a//b", "", ".", "a/./b", "a\\..\\b", "a\0b", "x" * 2000]
)
def test_a_path_that_leaves_the_runs_folder_is_refused(engine, path):
    digest, _ = _put(engine, b"x")
    answer = engine.http.post("/agent-execution/echo", json={"input": {"files": [f"upload:{digest}/{path}"]}})
    assert answer.status_code == 422


def test_a_file_that_was_not_uploaded_is_refused_at_create(engine):
    answer = engine.http.post("/agent-execution/echo", json={"input": {"files": [f"upload:{'0' * 64}/x"]}})
    assert answer.status_code == 422
    assert engine.http.get("/agent-execution/executions/history/echo").json() == []


def test_the_activity_log_is_the_thread_of_a_run(project):
    project.shell("thinks", "echo hmm >&2; echo answer")
    with project.engine() as engine:
        task = engine.run("thinks", "question")
        log = engine.http.get(f"/activity/thinks/{task['id']}").json()
        assert engine.http.get(f"/activity/echo/{task['id']}").status_code == 404
    prompt, thought, answer = log["messages"]
    assert (prompt["role"], prompt["content"]["text"]) == ("user", "question")
    assert (thought["type"], thought["thought"]) == ("think", "hmm")
    assert (answer["role"], answer["content"]["text"]) == ("agent", "answer")


def test_a_stream_is_live(project):
    project.shell("steps", "echo one; while [ ! -e go ]; do sleep 0.02; done; echo two")
    with project.engine() as engine:
        run = engine.create("steps")["id"]
        seen = []
        with engine.http.stream("GET", f"/agent-execution/{run}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                if not line.startswith("data: "):
                    continue
                event = json.loads(line.removeprefix("data: "))
                seen.append(event["type"])
                if event["data"] == "one\n":
                    (project.folder / "go").touch()
    assert seen[-3:] == ["chunk", "chunk", "task_finished"]


def test_an_idle_stream_is_kept_alive(project, monkeypatch):
    monkeypatch.setattr("taskspec.engine.streaming.KEEP_ALIVE_SECONDS", 0.05)
    project.shell("slow", "sleep 600")
    with project.engine() as engine:
        run = engine.create("slow")["id"]
        with engine.http.stream("GET", f"/agent-execution/{run}/events") as answer:
            assert next(line for line in answer.iter_lines() if line.startswith(":")) == ": keep-alive"


def test_many_trivial_runs_cost_little(project):
    with project.engine() as engine, little_work():
        runs = [engine.create("echo", str(number))["id"] for number in range(200)]
        for run in runs:
            engine.until(run)
        rows = engine.http.get("/agent-execution/executions/history/echo").json()
    assert [row["result"] for row in rows] == [str(number) for number in range(199, -1, -1)]
