"""Workers: programs that connect to the engine, get runs, and report them; played by hand over HTTP."""

import json
import sqlite3
import threading
from pathlib import Path

import httpx
import pytest
from patience import PATIENCE, until

from taskspec.engine import lending, loans, notices, serving
from taskspec.engine.changing import Run, created
from taskspec.engine.hosting import AgentCommand, Mode
from taskspec.engine.model import Turn
from taskspec.engine.notices import Streams
from taskspec.engine.queueing import Queue
from taskspec.engine.register import Register
from taskspec.engine.runs import RunStore
from taskspec.engine.uploads import UploadFolder
from taskspec.engine.workers import SLOTS, Due, Patience

WAITED = Patience()
BEAT = 2.0
"""Seconds between the heartbeats of a worker."""


class Worker:
    """One registered worker: its stream is read in a thread, and it says nothing by itself."""

    def __init__(self, engine, agent="support", path="/None/events/{agent}/?environment=local"):
        self._engine = engine
        self.agent = agent
        self.got = []
        self.asset = None
        self.news = threading.Condition()
        self._answer = engine.http.send(
            engine.http.build_request("GET", path.format(agent=agent), timeout=None), stream=True
        )
        assert self._answer.headers["content-type"].startswith("text/event-stream"), self._answer.read()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        with self.news:
            assert self.news.wait_for(lambda: self.asset, PATIENCE)

    def _read(self):
        name = None
        try:
            for line in self._answer.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    content = json.loads(line.removeprefix("data: "))
                    with self.news:
                        if name == "worker-registration":
                            self.asset = content
                        else:
                            self.got.append((name, content))
                        self.news.notify_all()
        except (httpx.HTTPError, httpx.StreamError):
            return

    def next(self, number=1):
        with self.news:
            assert self.news.wait_for(lambda: len(self.got) >= number, PATIENCE), self.got
            name, task = self.got[number - 1]
        assert name == "agent-execution"
        return task

    def say(self, event, content):
        path = f"/None/events/{self.asset['id']}?type=worker&agent_id={self.agent}"
        answer = self._engine.http.post(path, json={"id": "x", "event": event, "data": content})
        assert (answer.status_code, answer.json()) == (200, {})

    def beat(self):
        self.say("worker-heartbeat", "2026-01-01T00:00:00")

    def save(self, task, **fields):
        return self._engine.http.patch(f"/agent-execution/{task['id']}/update", json={**task, **fields})

    def begin(self, task):
        answer = self.save(task, status="executing")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def die(self):
        """End the stream as the end of the process does; the engine has noticed it."""
        workers = self._engine.handle._engine.dispatcher.lender.register.workers
        stream = self._answer.extensions["network_stream"]
        stream.get_extra_info("socket").shutdown(2)
        self._thread.join()
        self._answer.close()
        until(lambda: (noted := workers.get(self.asset["id"])) is None or noted.left is not None)


class Clock:
    """The time by which the engine waits for workers: it passes where a test says so."""

    def __init__(self):
        self.now = 1000.0
        self.looks = 0

    def skip(self, seconds):
        self.now += seconds

    def passes(self, seconds):
        """Let time pass, and the engine look once at what is due since then."""
        self.skip(seconds)
        self.is_looked_at()

    def passes_for(self, *workers, seconds):
        """Let time pass in which these workers are alive."""
        for _ in range(int(seconds / BEAT) + 1):
            self.passes(BEAT)
            for worker in workers:
                worker.beat()
        self.is_looked_at()

    def is_looked_at(self):
        begun = self.looks
        until(lambda: self.looks > begun + 1)  # the first may have begun before


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    due, made = Register.due, Clock()

    def looked(self, now):
        made.looks += 1
        return due(self, now)

    monkeypatch.setattr(Register, "due", looked)
    monkeypatch.setattr(lending, "_now", lambda: made.now)
    monkeypatch.setattr(lending, "_TICK", 0.01)
    monkeypatch.setattr(lending, "PROOF_SECONDS", 0.2)
    return made


@pytest.fixture
def workers(project):
    project.agents["support"] = AgentCommand()
    return project


@pytest.fixture
def engine(workers):
    with workers.engine() as caller:
        yield caller


def test_a_worker_registers_gets_a_run_and_reports_it(engine):
    run = engine.create("support", "help", user_tokens={"crm": "secret"})
    assert run["status"] == "pending"
    worker = Worker(engine)
    required = {"id", "name", "organization_id", "created_at", "last_heartbeat"}
    assert all(worker.asset[key] for key in required)
    assert worker.asset["type"] == "worker"
    assert worker.asset.keys() >= {"created_by", "dedicated_agent_id", "parent_asset_id"}
    task = worker.next()
    assert (task["id"], task["input"]["text"], task["user_tokens"]) == (run["id"], "help", {"crm": "secret"})
    begun = worker.begin(task)
    assert begun["status"] == "executing"
    assert begun["started_at"]
    ended = worker.save(begun, status="completed", result="done", tokens={"prompt_tokens": 3}).json()
    assert (ended["status"], ended["result"]) == ("completed", "done")
    assert (ended["tokens"]["prompt_tokens"], ended["user_tokens"]) == (3, None)
    assert ended["finished_at"]
    assert [event["type"] for event in engine.events(run["id"])][-1] == "task_finished"


def test_secrets_of_a_run_reach_its_worker_and_no_file(engine, project):
    engine.create("support", "help", user_tokens={"crm": "canary-4711"})
    Worker(engine).next()
    for path in project.data.rglob("*"):
        if path.is_file() and path.name != "engine.db":
            assert b"canary-4711" not in path.read_bytes(), path


@pytest.mark.parametrize(
    "path", ["/events/{agent}", "/events/{agent}/", "/org1/events/{agent}?environment=local/", "//org1/events/{agent}/"]
)
def test_a_worker_registers_without_a_redirect_however_its_path_ends(engine, path):
    assert Worker(engine, path=path).asset


def test_a_worker_for_an_unknown_agent_is_told_the_agents(engine):
    answer = engine.http.get("/None/events/suport/?environment=local")
    assert answer.status_code == 404
    assert "`echo`, `support`" in answer.json()["detail"]
    assert "Did you mean `support`?" in answer.json()["detail"]


def test_an_engine_that_runs_nothing_takes_no_worker(workers):
    for mode in (Mode.READ, Mode.RECOVER):
        with workers.engine(mode=mode) as engine:
            assert engine.http.get("/None/events/support/").status_code == 409


def test_runs_without_a_worker_wait_and_hold_up_no_others(workers):
    with workers.engine(parallelism=1) as engine:
        waiting = [engine.create("support")["id"] for _ in range(3)]
        assert engine.run("echo", "hello")["result"] == "hello"
        assert [engine.task(run)["status"] for run in waiting] == ["pending"] * 3


def test_a_worker_takes_the_runs_of_an_agent_that_has_a_command_too(engine):
    worker = Worker(engine, "echo")
    run = engine.create("echo", "to the worker")
    assert worker.next()["id"] == run["id"]
    worker.die()
    worker.say("worker-finished", {})
    assert engine.until(run["id"])["result"] == "to the worker"


def test_two_workers_share_the_runs(engine):
    workers = [Worker(engine), Worker(engine)]
    runs = {engine.create("support")["id"] for _ in range(4)}
    got = [{worker.next(number)["id"] for number in (1, 2)} for worker in workers]
    assert got[0] | got[1] == runs


def test_a_worker_gets_no_more_than_its_places_and_nothing_while_it_is_busy(workers, clock):
    with workers.engine(parallelism=100) as engine:
        worker = Worker(engine)
        for _ in range(SLOTS + 1):
            engine.create("support")
        first = worker.begin(worker.next(SLOTS))
        clock.is_looked_at()
        assert len(worker.got) == SLOTS
        worker.say("worker-capacity-update", {"is_busy": True})
        worker.save(first, status="completed", result="x")
        clock.is_looked_at()
        assert len(worker.got) == SLOTS
        other = Worker(engine)
        assert other.next()
        engine.create("support")
        assert other.next(2)
        worker.say("worker-capacity-update", {"is_busy": False})
        for _ in range(SLOTS):
            engine.create("support")
        assert worker.next(SLOTS + 1)


def test_the_engines_parallelism_bounds_what_is_lent(workers, clock):
    with workers.engine(parallelism=1) as engine:
        worker = Worker(engine)
        engine.create("support")
        engine.create("support")
        task = worker.begin(worker.next())
        clock.is_looked_at()
        assert len(worker.got) == 1
        worker.save(task, status="error", result="no")
        assert worker.next(2)


def test_a_run_whose_worker_died_goes_to_another_and_is_completed_once(engine, clock):
    first = Worker(engine)
    run = engine.create("support")["id"]
    first.begin(first.next())
    first.die()
    second = Worker(engine)
    clock.passes(WAITED.grace)
    task = second.next()
    assert (task["id"], task["status"], task["execution_attempts"]) == (run, "pending", 2)
    assert task["started_at"] is None
    second.save(second.begin(task), status="completed", result="second")
    assert engine.task(run)["result"] == "second"


def test_a_silent_worker_is_lost_although_its_stream_is_open(engine, clock):
    silent = Worker(engine)
    run = engine.create("support")["id"]
    silent.begin(silent.next())
    clock.passes(WAITED.silence + WAITED.grace)
    assert engine.task(run)["status"] == "pending"
    assert Worker(engine).next()["id"] == run


def test_a_worker_with_a_heartbeat_keeps_its_run(engine, clock):
    worker = Worker(engine)
    run = engine.create("support")["id"]
    task = worker.begin(worker.next())
    clock.passes_for(worker, seconds=2 * (WAITED.silence + WAITED.grace))
    assert engine.task(run)["status"] == "executing"
    assert worker.save(task, status="completed", result="x").json()["status"] == "completed"


def test_a_run_that_no_worker_begins_goes_to_another(engine, clock):
    idle = Worker(engine)
    run = engine.create("support")["id"]
    idle.next()
    other = Worker(engine)
    clock.passes_for(idle, other, seconds=WAITED.claim)
    task = other.next()
    assert (task["id"], task["execution_attempts"]) == (run, 2)
    late = idle.save(idle.next(), status="executing")
    assert late.status_code == 409
    assert "taken back" in late.json()["detail"]
    assert other.begin(task)["status"] == "executing"


def test_a_program_that_lost_its_stream_goes_on_with_its_runs(engine, clock):
    before = Worker(engine)
    run = engine.create("support")["id"]
    task = before.begin(before.next())
    before.die()
    clock.passes(1)
    before.beat()
    again = Worker(engine)
    clock.passes_for(again, seconds=2 * (WAITED.silence + WAITED.grace))
    assert engine.task(run)["status"] == "executing"
    assert again.got == []
    assert again.save(task, status="completed", result="x").json()["result"] == "x"


def test_a_word_about_its_run_within_the_grace_keeps_it(engine, clock):
    worker = Worker(engine)
    run = engine.create("support")["id"]
    task = worker.begin(worker.next())
    worker.die()
    for _ in range(5):
        clock.passes(WAITED.grace - 1)
        task = worker.save(task, title="still at it").json()
    assert (task["status"], task["execution_attempts"]) == ("executing", 1)
    clock.skip(WAITED.grace)
    engine.until(run, "pending")


def test_a_late_result_of_a_waiting_run_is_taken_and_not_paid_twice(engine, clock):
    worker = Worker(engine)
    run = engine.create("support")["id"]
    task = worker.begin(worker.next())
    worker.die()
    clock.skip(WAITED.grace)
    engine.until(run, "pending")
    assert worker.save(task, status="completed", result="late").json()["result"] == "late"
    other = Worker(engine)
    clock.is_looked_at()
    assert other.got == []
    after = engine.task(run)
    assert (after["status"], after["result"]) == ("completed", "late")


def test_a_run_whose_worker_died_five_times_ends_in_error(engine, clock):
    run = engine.create("support")["id"]
    for _ in range(5):
        worker = Worker(engine)
        worker.begin(worker.next())
        worker.die()
        clock.skip(WAITED.grace)
    after = engine.until(run)
    assert (after["status"], after["result"]) == ("error", "its worker died 5 times")
    late = worker.save(after, status="completed", result="late", finished_at=None).json()
    assert (late["status"], late["result"]) == ("error", "its worker died 5 times")


def test_a_worker_that_finishes_gives_its_runs_back_at_once(engine):
    worker = Worker(engine)
    run = engine.create("support")["id"]
    worker.begin(worker.next())
    worker.say("worker-finished", {})
    engine.until(run, "pending")


def test_a_stop_during_a_run_is_not_overwritten(engine):
    worker = Worker(engine)
    run = engine.create("support")["id"]
    task = worker.begin(worker.next())
    stopped = engine.stop(run)
    assert (stopped["status"], stopped["is_manually_stopped"]) == ("stopped", True)
    after = worker.save(task, status="completed", result="late", tokens={"prompt_tokens": 5})
    assert after.status_code == 200
    assert (after.json()["status"], after.json()["result"]) == ("stopped", None)
    assert after.json()["tokens"]["prompt_tokens"] == 5


def test_a_run_that_was_stopped_before_its_worker_began_is_not_begun(engine):
    worker = Worker(engine)
    run = engine.create("support")["id"]
    task = worker.next()
    engine.stop(run)
    assert worker.save(task, status="executing").status_code == 409
    assert worker.save(task, status="error", result="refused").json()["status"] == "stopped"


def test_a_run_that_takes_longer_than_the_agents_timeout_has_failed(workers, clock):
    workers.agents["support"] = AgentCommand(timeout=7.5)
    with workers.engine() as engine:
        worker = Worker(engine)
        run = engine.create("support")["id"]
        task = worker.begin(worker.next())
        clock.passes(7.4)
        assert engine.task(run)["status"] == "executing"
        clock.passes(0.2)
        after = engine.task(run)
        assert (after["status"], after["result"]) == ("failed", "timed out after 7.5s")
        assert worker.save(task, status="completed", result="late").json()["status"] == "failed"


def test_what_is_lent_outlives_the_engine_and_its_worker_goes_on(workers, clock):
    with workers.engine(api_key="k") as engine:
        worker = Worker(engine)
        run = engine.create("support")["id"]
        task = worker.begin(worker.next())
        assert engine.handle.active() == 1
    with workers.engine(api_key="k") as engine:
        assert engine.task(run)["status"] == "executing"
        worker._engine = engine
        clock.passes(1)
        worker.beat()
        again = Worker(engine)
        clock.passes_for(again, seconds=2 * WAITED.revival)
        assert engine.task(run)["status"] == "executing"
        assert again.save(task, status="completed", result="x").json()["result"] == "x"


def test_what_was_lent_and_is_not_asked_for_again_goes_back(workers, clock):
    with workers.engine() as engine:
        worker = Worker(engine)
        run = engine.create("support")["id"]
        worker.begin(worker.next())
    with workers.engine() as engine:
        other = Worker(engine)
        clock.passes_for(other, seconds=WAITED.revival)
        assert other.next()["id"] == run
        assert engine.handle.active() == 1


def test_a_run_that_only_an_absent_worker_can_carry_out_keeps_no_engine(engine):
    run = engine.create("support")["id"]
    assert engine.handle.active() == 0
    assert engine.task(run)["status"] == "pending"


def test_the_streams_of_workers_end_with_the_engine_and_hold_it_up_no_longer(workers, monkeypatch):
    monkeypatch.setattr(notices, "KEEP_ALIVE_SECONDS", 10 * PATIENCE)
    monkeypatch.setattr(serving, "_CLOSING_TICKS", 10**9)
    with workers.engine() as engine:
        worker = Worker(engine)
    worker._thread.join(PATIENCE)
    assert not worker._thread.is_alive()


def test_a_run_that_a_worker_creates_for_itself_is_not_given_to_it(engine):
    worker = Worker(engine)
    task = engine.create("support", run_locally=True, worker_id=worker.asset["id"])
    ended = worker.save(worker.begin(task), status="completed", result="by itself").json()
    assert (ended["status"], ended["result"], worker.got) == ("completed", "by itself", [])
    other = engine.create("support", run_locally=True, worker_id="nobody")
    assert worker.next()["id"] == other["id"]


def test_uploaded_files_are_given_to_a_worker_as_paths(engine):
    import hashlib

    digest = hashlib.sha256(b"content").hexdigest()
    assert engine.http.put(f"/files/{digest}", content=b"content").status_code == 201
    worker = Worker(engine)
    engine.create("support", files=[f"upload:{digest}/a/b.txt", "https://example.org/c"])
    path, url = worker.next()["input"]["files"]
    assert url == "https://example.org/c"
    assert Path(path).read_bytes() == b"content"


def test_a_key_is_good_for_every_agent_or_for_none(engine):
    def allowed(key):
        return engine.http.post("/metadata/api_key_allowance", json={"api_key": key}).json()["agent_ids"]

    assert allowed(engine.handle.api_key) == ["echo", "support"]
    assert allowed("other") == allowed(None) == []


def test_a_workers_agent_is_listed(engine):
    listed = {agent["id"]: agent["description"] for agent in engine.http.get("/agents/list").json()}
    assert listed["support"] == "runs on its workers"


@pytest.fixture
def lent_twice(engine, clock):
    """An engine with a run that was taken back from a worker which lives, and that another has begun."""
    stale = Worker(engine)
    engine.create("support")
    old = stale.begin(stale.next())
    stale.die()
    holder = Worker(engine)
    clock.passes(WAITED.grace)
    new = holder.begin(holder.next())
    assert (new["id"], old["execution_attempts"], new["execution_attempts"]) == (old["id"], 1, 2)
    return engine, (stale, old), (holder, new)


@pytest.mark.parametrize(
    "word",
    [
        {"status": "failed", "result": "boom"},
        {"status": "error", "result": "the run was taken back"},
        {"status": "stopped"},
        {"status": "paused"},
        {"status": "completed"},
        {"status": "completed", "result": ""},
        {"status": None, "result": "half"},
    ],
)
def test_only_a_result_counts_of_what_a_worker_says_of_a_run_that_it_has_no_longer(lent_twice, word):
    engine, (stale, old), (holder, new) = lent_twice
    answer = stale.save(old, **word, tokens={"prompt_tokens": 9})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["status"], told["result"], told["tokens"]) == ("executing", None, None)
    assert holder.save(new, status="completed", result="real").json()["result"] == "real"
    for late in (word, {"status": "completed", "result": "mine"}):
        told = stale.save(old, **late).json()
        assert (told["status"], told["result"]) == ("completed", "real")
    assert engine.task(old["id"]) == told


def test_the_first_result_of_a_run_that_two_workers_carry_out_stays(lent_twice):
    engine, (stale, old), (holder, new) = lent_twice
    assert stale.save(old, status="completed", result="first").json()["result"] == "first"
    read = engine.task(new["id"])
    for word in (
        {**new, "status": "completed", "result": "second"},
        {**new, "status": "error", "result": "boom"},
        {**read, "status": "completed", "result": "second"},
        {**read, "status": "failed", "result": "boom"},
    ):
        told = holder.save(word).json()
        assert (told["status"], told["result"]) == ("completed", "first")
    sparse = engine.http.patch(f"/agent-execution/{new['id']}/update", json={"status": "failed", "result": "judged"})
    assert (sparse.json()["status"], sparse.json()["result"]) == ("failed", "judged")


def test_a_client_that_read_a_run_before_it_was_lent_again_still_changes_its_title(lent_twice):
    engine, (_, old), _ = lent_twice
    read = {**old, "status": "pending", "started_at": None, "title": "named"}
    told = engine.http.patch(f"/agent-execution/{old['id']}/update", json=read).json()
    assert (told["title"], told["status"]) == ("named", "executing")


def test_a_late_failure_of_a_worker_does_not_end_a_run_that_the_engines_own_agent_has(workers, clock):
    workers.shell("slow", "while [ ! -e go ]; do sleep 0.02; done; echo own")
    with workers.engine() as engine:
        worker = Worker(engine, "slow")
        run = engine.create("slow")["id"]
        old = worker.begin(worker.next())
        worker.die()
        clock.skip(WAITED.grace)
        until(lambda: engine.task(run)["execution_attempts"] > 1)
        engine.until(run, "executing")
        assert worker.save(old, status="failed", result="boom").json()["status"] == "executing"
        (workers.folder / "go").touch()
        after = engine.until(run)
        assert (after["status"], after["result"]) == ("completed", "own")


def test_a_worker_that_comes_back_from_the_dead_does_not_replace_the_result_of_another(engine, clock):
    stopped = Worker(engine)
    run = engine.create("support")["id"]
    stopped.begin(stopped.next())
    clock.passes(WAITED.silence + WAITED.grace)
    other = Worker(engine)
    task = other.next()
    assert other.save(other.begin(task), status="completed", result="other").json()["execution_attempts"] == 2
    stopped.beat()
    told = stopped.save(engine.task(run), status="completed", result="from the dead").json()
    assert (told["status"], told["result"]) == ("completed", "other")


def continuing(engine, run, text="again"):
    return engine.http.post("/agent-execution/support", json={"id": run, "input": {"text": text}})


def refused_as_at_work(answer):
    return answer.status_code == 409 and "a worker may still be at work on the turn before" in answer.json()["detail"]


@pytest.mark.parametrize("text", ["again", "help"])
def test_a_stopped_run_is_not_continued_before_its_worker_has_ended_it(engine, text):
    worker = Worker(engine)
    run = engine.create("support", "help")["id"]
    task = worker.begin(worker.next())
    engine.stop(run)
    assert refused_as_at_work(continuing(engine, run, text))
    worker.save(task, title="half way")
    assert refused_as_at_work(continuing(engine, run, text))
    worker.save(engine.task(run), result="first")
    assert continuing(engine, run, text).status_code == 200
    second = worker.begin(worker.next(2))
    assert worker.save(second, status="completed", result="second").json()["result"] == "second"


def test_a_run_that_took_too_long_is_not_continued_before_its_worker_has_ended_it(workers, clock):
    workers.agents["support"] = AgentCommand(timeout=7.5)
    with workers.engine() as engine:
        worker = Worker(engine)
        run = engine.create("support")["id"]
        task = worker.begin(worker.next())
        clock.passes(7.5)
        assert engine.task(run)["status"] == "failed"
        assert refused_as_at_work(continuing(engine, run))
        worker.save(task, status="completed", result="late")
        assert continuing(engine, run).status_code == 200


def test_a_stop_by_a_sparse_patch_is_not_the_word_of_the_worker(engine):
    worker = Worker(engine)
    run = engine.create("support")["id"]
    worker.begin(worker.next())
    engine.http.patch(f"/agent-execution/{run}/update", json={"status": "stopped"})
    assert refused_as_at_work(continuing(engine, run))


@pytest.mark.parametrize("status", ["completed", "failed", "error", "stopped"])
def test_a_run_that_its_worker_has_ended_is_continued_at_once(engine, status):
    worker = Worker(engine)
    run = engine.create("support")["id"]
    worker.save(worker.begin(worker.next()), status=status, result="x")
    assert continuing(engine, run).status_code == 200
    assert worker.next(2)["input"]["text"] == "again"


def test_a_stopped_run_whose_worker_left_or_died_is_continued(engine, clock):
    for leave in (lambda worker: worker.say("worker-finished", {}), Worker.die):
        worker = Worker(engine)
        run = engine.create("support")["id"]
        worker.begin(worker.next())
        engine.stop(run)
        assert refused_as_at_work(continuing(engine, run))
        leave(worker)
        clock.skip(WAITED.grace)
        assert continuing(engine, run).status_code == 200
        engine.stop(run)


def test_a_program_that_lost_its_stream_may_still_be_at_work_on_a_stopped_run(engine, clock):
    before = Worker(engine)
    run = engine.create("support")["id"]
    before.begin(before.next())
    engine.stop(run)
    before.die()
    clock.skip(1)
    before.beat()
    again = Worker(engine)
    clock.passes_for(again, seconds=2 * (WAITED.silence + WAITED.grace))
    assert refused_as_at_work(continuing(engine, run))


def test_a_run_that_was_stopped_before_a_worker_got_it_is_continued_at_once(engine):
    run = engine.create("support")["id"]
    engine.stop(run)
    assert continuing(engine, run).status_code == 200
    assert Worker(engine).next()["input"]["text"] == "again"


def test_a_run_that_was_stopped_before_it_was_begun_is_continued_when_its_worker_was_told(engine):
    worker = Worker(engine)
    run = engine.create("support", "again")["id"]
    task = worker.next()
    engine.stop(run)
    assert refused_as_at_work(continuing(engine, run))
    assert worker.save(task, status="executing").status_code == 409
    worker.save(task, status="error", result="refused")
    assert continuing(engine, run).status_code == 200


@pytest.fixture
def refusals(monkeypatch):
    """The functions of `loans` whose next changes, by their names, the database refuses."""
    left, change = {}, RunStore.change

    async def changed(self, run, decide):
        name = getattr(getattr(decide, "func", decide), "__name__", "")
        if left.get(name, 0) > 0:
            left[name] -= 1
            raise sqlite3.OperationalError("disk I/O error")
        return await change(self, run, decide)

    monkeypatch.setattr(RunStore, "change", changed)
    monkeypatch.setattr(lending, "PAUSE_SECONDS", 0.2)
    return left


def test_a_run_that_the_database_does_not_let_lend_is_lent_a_little_later(refusals, workers):
    refusals["lent"] = 2
    with workers.engine(parallelism=1) as engine:
        worker = Worker(engine)
        run = engine.create("support")["id"]
        task = worker.next()
        assert (task["id"], task["execution_attempts"], refusals["lent"]) == (run, 1, 0)
        assert worker.save(worker.begin(task), status="completed", result="x").json()["status"] == "completed"


def test_a_run_that_the_database_does_not_let_take_back_is_taken_back_a_little_later(refusals, workers, clock):
    with workers.engine(parallelism=1) as engine:
        worker = Worker(engine)
        run = engine.create("support")["id"]
        worker.begin(worker.next())
        refusals["taken_back"] = 2
        worker.die()
        other = Worker(engine)
        clock.skip(WAITED.grace)
        assert other.next()["id"] == run
        assert refusals["taken_back"] == 0


def test_a_run_whose_worker_left_before_it_was_sent_goes_to_the_next_at_once(monkeypatch, workers):
    send, tries = Streams.send, []

    def sent(self, worker, notice):
        tries.append(worker)
        return len(tries) > 1 and send(self, worker, notice)

    monkeypatch.setattr(Streams, "send", sent)
    with workers.engine() as engine:
        worker = Worker(engine)
        engine.create("support")
        assert worker.next()["execution_attempts"] == 1
        assert len(tries) == 2


def test_a_run_whose_files_cannot_be_placed_for_its_worker_has_failed(monkeypatch, workers):
    def full(self, files, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(UploadFolder, "place", full)
    digest = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
    with workers.engine() as engine:
        assert engine.http.put(f"/files/{digest}", content=b"content").status_code == 201
        Worker(engine)
        after = engine.until(engine.create("support", files=[f"upload:{digest}/b.txt"])["id"])
        assert after["status"] == "failed"
        assert after["result"] == "the agent's files cannot be written: No space left on device"


def test_a_patch_of_a_run_that_is_just_being_lent_loses_it_not(monkeypatch, workers):
    change, reached, go = RunStore.change, threading.Event(), threading.Event()

    async def held(self, run, decide):
        if getattr(decide, "func", None) is loans.lent:
            reached.set()
            while not go.is_set():
                await lending.asyncio.sleep(0.01)
        return await change(self, run, decide)

    monkeypatch.setattr(RunStore, "change", held)
    with workers.engine() as engine:
        worker = Worker(engine)
        run = engine.create("support")["id"]
        assert reached.wait(PATIENCE)
        engine.http.patch(f"/agent-execution/{run}/update", json={"title": "named"})
        go.set()
        assert worker.begin(worker.next())["title"] == "named"
        assert engine.handle._engine.dispatcher.lender.has(run)


def test_a_single_worker_that_missed_a_run_gets_it_again_after_a_while(engine, clock):
    worker = Worker(engine)
    run = engine.create("support")["id"]
    worker.next()
    clock.passes_for(worker, seconds=WAITED.claim)
    assert len(worker.got) == 1
    clock.passes_for(worker, seconds=WAITED.rest)
    task = worker.next(2)
    assert (task["id"], task["execution_attempts"]) == (run, 2)
    assert worker.save(worker.begin(task), status="completed", result="x").json()["result"] == "x"


def test_a_program_that_loses_its_stream_again_and_again_keeps_its_runs(workers, clock):
    with workers.engine(api_key="k") as engine:
        first = Worker(engine)
        engine.create("support")
        task = first.begin(first.next())
        first.die()
        clock.passes(1)
        first.beat()
        second = Worker(engine)
        clock.passes_for(second, seconds=BEAT)
    with workers.engine(api_key="k") as engine:
        second._engine = engine
        clock.passes(1)
        second.beat()
        third = Worker(engine)
        clock.passes_for(third, seconds=2 * WAITED.revival)
        assert engine.task(task["id"])["status"] == "executing"
        assert third.save(task, status="completed", result="x").json()["result"] == "x"


@pytest.fixture
def register():
    return Register(Patience(claim=10, silence=10, grace=3, revival=15))


def test_the_register_takes_back_only_what_is_due(register):
    worker = register.join("w", "a", now=0)
    register.lend("r", worker, now=0)
    assert register.due(9.9) == []
    assert [why for _, why in register.due(10)] == [Due.UNCLAIMED]
    register.claim("r", now=10)
    assert register.due(22.9) == []
    assert [why for _, why in register.due(23)] == [Due.LOST]
    register.hear("w", now=23)
    assert register.due(30) == []
    register.leave("w", now=30)
    assert [why for _, why in register.due(33)] == [Due.LOST]


def test_a_worker_that_misses_runs_rests_longer_each_time_and_no_longer_than_eight_minutes(register):
    worker = register.join("w", "a", now=0)
    now, rests = 0, []
    for _ in range(7):
        worker.rest(now)
        worker.rest(now + 1)
        rests.append(worker.rested_at - now)
        now = worker.rested_at
        register.hear("w", now=now)
        assert register.free("a", now - 1) is None
        assert register.free("a", now) is worker
    assert rests == [30, 60, 120, 240, 480, 480, 480]
    worker.rest(now)
    register.hear("w", now=now, busy=False)
    assert register.free("a", now) is worker
    worker.rest(now)
    assert worker.rested_at - now == 30
    register.lend("r", worker, now)
    register.claim("r", now)
    assert register.free("a", now) is worker


def test_a_worker_that_has_finished_is_not_revived_by_a_late_heartbeat(register):
    worker = register.join("w", "a", now=0)
    register.lend("r", worker, now=0)
    register.farewell("w")
    register.hear("w", now=1)
    assert [why for _, why in register.due(1)] == [Due.LOST]


def test_a_run_that_a_worker_creates_while_it_leaves_is_looked_after(register):
    register.keep("r", "gone", "a", now=0)
    assert register.due(14) == []
    assert [why for _, why in register.due(15)] == [Due.LOST]


def test_a_run_that_began_when_it_was_about_to_be_taken_back_is_left_to_its_worker():
    task = created("r", "a", {"input": {"text": "x"}}, "2026-01-01T00:00:00Z").task
    begun = Run(task={**task, "status": "executing", "started_at": "2026-01-01T00:00:01Z"}, turn=Turn.LENT)
    assert loans.taken_back(begun, Due.UNCLAIMED, "2026-01-01T00:00:02Z") is begun
    assert loans.taken_back(begun, Due.LOST, "2026-01-01T00:00:02Z").turn is Turn.WAITING


def test_a_loan_that_is_over_is_never_due_again(register):
    worker = register.join("w", "a", now=0)
    loan = register.lend("r", worker, now=0)
    register.end("r", now=5)
    register.lend("r", worker, now=5)
    assert register.why_due(loan, now=10) is None


@pytest.mark.parametrize(("timeout", "longest"), [(None, 600), (30, 600), (3600, 3600)])
def test_a_worker_is_not_at_work_on_a_stopped_run_for_ever(register, timeout, longest):
    worker = register.join("w", "a", now=0)
    register.lend("r", worker, now=0, timeout=timeout)
    register.claim("r", now=0)
    register.end("r", now=1)
    register.hear("w", now=longest)
    assert register.lingers("r", now=longest)
    assert register.due(longest) == []
    assert not register.lingers("r", now=longest + 1)
    register.hear("w", now=longest + 1)
    register.leave("w", now=longest + 1)
    assert register.due(longest + 1) == []
    assert register.workers == {}


def test_a_lost_worker_gets_nothing(register):
    register.join("w", "a", now=0)
    assert register.free("a", now=9)
    assert register.free("a", now=10) is None
    assert not register.serves("a", now=10)
    register.leave("w", now=10)
    assert register.workers == {}


def test_waiting_runs_start_oldest_first_among_those_that_can():
    queue = Queue()
    queue.extend([("a", "1"), ("b", "2"), ("a", "3")])
    queue.add_first("b", "0")
    assert queue.take(lambda agent: agent == "a") == ("a", "1")
    assert [queue.take(lambda agent: True) for _ in range(4)] == [("b", "0"), ("b", "2"), ("a", "3"), None]
