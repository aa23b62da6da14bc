"""Workers made with the vendor's `@on_task` are given runs by the engine, end them, die in them or are stopped."""

from contextlib import contextmanager

import pytest
from conformance_stages import free_port, served
from patience import until

SLOTS = 6
"""How many runs a worker of the SDK takes at once."""


class Office:
    """An engine with an agent that waits for workers, and the workers."""

    def __init__(self, sdk, engine, folder):
        self.sdk, self.engine, self.folder = sdk, engine, folder
        self.journal_file = folder / "journal"

    def start(self, name):
        """Start a worker; its log goes to a file."""
        environ = {
            "XPANDER_BASE_URL": self.engine.url,
            "XPANDER_AGENT_ID": "desk",
            "XPANDER_STREAMING_PORT": str(free_port()),
            "WORKER_NAME": name,
            "WORKER_FOLDER": str(self.folder),
        }
        with (self.folder / f"{name}.log").open("w") as log:
            return self.sdk.start("worker", home=self.folder, stderr=log, **environ)

    def log(self, name):
        """Return what a worker's SDK has logged."""
        return (self.folder / f"{name}.log").read_text()

    def journal(self, run):
        """Return what workers noted of a run: (worker, word)."""
        if not self.journal_file.exists():
            return []
        lines = [line.split() for line in self.journal_file.read_text().splitlines()]
        return [(name, word) for name, word, noted in lines if noted == run]

    def let_go(self, gate):
        """Let the runs go on that hold at this gate."""
        (self.folder / gate).touch()

    def handled(self, name, run):
        """Wait until a worker has told the engine all that it has to tell of a run."""
        until(lambda: f"Finished handling task {run}" in self.log(name), lambda: self.log(name))


@contextmanager
def ended(process):
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def office(sdk, tmp_path_factory):
    folder = tmp_path_factory.mktemp("office")
    with served(folder / "project", {"desk": {"worker": True}}) as engine:
        yield Office(sdk, engine, folder)


@pytest.fixture(scope="module")
def worker(office):
    with ended(office.start("first")) as process:
        until(lambda: "Worker registered" in office.log("first"), lambda: office.log("first"))
        yield process


def test_a_worker_executes_a_run_and_its_answer_is_kept(worker, office):
    run = office.engine.create("desk", "echo hello", events_streaming=True)
    task = office.engine.until(run, "completed")
    office.handled("first", run)
    assert (task["result"], task["execution_attempts"]) == ("first: hello", 1)
    assert task["created_at"] <= task["started_at"] <= task["finished_at"]
    assert office.journal(run) == [("first", "began"), ("first", "finished")]
    events = office.engine.events(run)
    assert (events[0], events[-1]) == ("task_created", "task_finished")
    assert (events.count("task_created"), events.count("task_finished")) == (1, 1)


def test_the_usage_that_a_worker_tells_is_on_the_task(worker, office):
    run = office.engine.create("desk", "echo counted")
    office.engine.until(run, "completed")
    office.handled("first", run)
    tokens = office.engine.task(run)["tokens"]
    assert (tokens["prompt_tokens"], tokens["completion_tokens"]) == (3, 4)


def test_a_run_whose_worker_raises_ends_as_error_with_the_reason(worker, office):
    run = office.engine.create("desk", "fail this")
    task = office.engine.until(run, "completed", "failed", "error", "stopped")
    assert (task["status"], task["result"]) == ("error", "cannot do this")


def test_a_stop_during_a_workers_run_is_not_overwritten(worker, office):
    run = office.engine.create("desk", "hold until-stopped")
    until(lambda: office.journal(run))
    stopped = office.engine.stop(run)
    assert (stopped["status"], stopped["is_manually_stopped"]) == ("stopped", True)
    office.let_go("until-stopped")
    office.handled("first", run)
    assert office.journal(run) == [("first", "began"), ("first", "finished")]
    after = office.engine.task(run)
    assert (after["status"], after["is_manually_stopped"]) == ("stopped", True)
    assert after["finished_at"] == stopped["finished_at"]
    assert office.engine.events(run).count("task_finished") == 1


def test_a_waiting_run_that_is_stopped_reaches_no_worker(worker, office):
    held = [office.engine.create("desk", "hold all-slots") for _ in range(SLOTS)]
    until(lambda: all(office.journal(run) for run in held))
    waiting = [office.engine.create("desk", "hold all-slots") for _ in range(2)]
    assert [office.engine.task(run)["status"] for run in waiting] == ["pending", "pending"]
    assert office.engine.stop(waiting[0])["status"] == "stopped"
    office.let_go("all-slots")
    for run in [*held, waiting[1]]:
        office.engine.until(run, "completed")
        assert office.journal(run) == [("first", "began"), ("first", "finished")]
    assert office.journal(waiting[0]) == []


def test_a_run_whose_worker_is_killed_is_completed_once_by_another(worker, office):
    run = office.engine.create("desk", "hold after-the-kill", events_streaming=True)
    until(lambda: office.journal(run))
    worker.kill()
    with ended(office.start("second")):
        until(
            lambda: ("second", "began") in office.journal(run), lambda: (office.engine.task(run), office.log("second"))
        )
        office.let_go("after-the-kill")
        task = office.engine.until(run, "completed")
        office.handled("second", run)
    assert (task["result"], task["execution_attempts"]) == ("second: after-the-kill", 2)
    assert office.journal(run) == [("first", "began"), ("second", "began"), ("second", "finished")]
    assert office.engine.events(run).count("task_finished") == 1
