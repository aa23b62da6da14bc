"""One round of a watch: what it leaves when it is cut, and that nothing is paid twice by that."""

import asyncio
import gc
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from taskspec.apply.model import Options
from taskspec.diagnostics import ManifestError
from taskspec.errors import LimitError, UsageError
from taskspec.events import ApplyFinished, ApplyStarted, Effect, RunCreated
from taskspec.runner.model import Need
from taskspec.runner.rounds import ApplyingRounds, Manner


class Host:
    """An engine that a watch keeps, or none."""

    def __init__(self, ports, *, owned):
        self.ports, self.owned = ports, owned
        self.kept, self.ended = [], 0

    async def keep(self, project):
        self.kept.append(project.name)

    async def end_runs(self):
        self.ended += 1
        await self.ports._end_runs()


@pytest.fixture(params=[False, True], ids=["hosted elsewhere", "engine of the watch"])
def owned(request):
    return request.param


class Watched:
    """The rounds of a watch on a scripted remote."""

    def __init__(self, ports, *words, owned=False, within=lambda plan: None):
        self.ports = ports
        self.host = Host(ports, owned=owned)
        self.remarks = []
        manner = Manner(options=Options(), require_within=within, remark=self.remarks.append)
        self.rounds = ApplyingRounds(ports.invocation(*words), ports, self.host, manner)

    def make(self, *, cut_when=None, stops=False):
        """Make a round; it is cut as soon as something holds."""

        async def run():
            self.ports.events = []
            made = asyncio.ensure_future(self.rounds.make(self.ports.events.append))
            while cut_when is not None and not made.done():
                if cut_when():
                    if stops:
                        self.rounds.stopping()
                    self.rounds.cut()
                    break
                await asyncio.sleep(0.001)
            return await made

        return asyncio.run(asyncio.wait_for(run(), 30))


def test_a_round_is_an_apply(ports):
    ports.task()
    watched = Watched(ports)
    assert watched.make()
    assert ports.finished()["a"].verdict == "accepted"
    assert isinstance(ports.events[0], ApplyStarted)
    assert isinstance(ports.events[-1], ApplyFinished)
    assert watched.host.kept == ["sales"]


def test_a_round_that_is_cut_leaves_its_run_and_the_next_goes_on_with_it(ports, owned):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    watched = Watched(ports, owned=owned)
    assert watched.make(cut_when=lambda: ports.remote.runs)
    assert ports.finished()["a"].effect is Effect.CUT
    assert watched.host.ended == 0
    ports.remote.runs["run-1"].steps = ["completed"]
    assert watched.make()
    assert ports.finished()["a"].verdict == "accepted"
    assert ports.told(RunCreated) == []
    assert list(ports.remote.runs) == ["run-1"]


def test_however_often_rounds_are_cut_nothing_is_paid_twice(ports):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    watched = Watched(ports, owned=True)
    for count in range(40):
        enough = sum(ports.remote.asked.values()) + count % 5
        with suppress(asyncio.CancelledError):
            watched.make(cut_when=lambda enough=enough: sum(ports.remote.asked.values()) >= enough)
    ports.remote.runs["run-1"].steps = ["completed"]
    watched.make()
    assert ports.finished()["a"].verdict == "accepted"
    assert ports.remote.asked["POST"] == 1
    assert ports.remote.asked["DELETE"] == 0


def test_an_edit_while_a_run_goes_on_replaces_it_as_apply_does(ports):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    watched = Watched(ports, owned=True)
    watched.make(cut_when=lambda: ports.remote.runs)
    ports.task(prompt="Otherwise.")
    assert watched.make()
    assert ports.finished()["a"].verdict == "accepted"
    assert [run.steps for run in ports.remote.runs.values()] == [["stopped"], ["completed"]]


def test_the_last_round_ends_the_runs_of_an_engine_that_ends_with_it(ports):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    watched = Watched(ports, owned=True)
    watched.make(cut_when=lambda: ports.remote.runs, stops=True)
    assert watched.host.ended == 1
    assert ports.records()["a"].generation.last.verdict == "error"


def test_the_last_round_leaves_the_runs_of_a_remote_that_goes_on(ports):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    watched = Watched(ports)
    watched.make(cut_when=lambda: ports.remote.runs, stops=True)
    assert watched.host.ended == 0
    assert (ports.finished()["a"].effect, ports.finished()["a"].verdict) == (Effect.CUT, "active")


def test_a_round_that_is_cut_before_it_begins_carries_nothing_out(ports):
    ports.task()
    assert not Watched(ports).make(cut_when=lambda: True)
    assert ports.remote.asked["POST"] == 0


def test_a_round_that_is_cut_while_it_plans_starts_nothing(ports):
    ports.task()
    watched = Watched(ports, within=lambda plan: watched.rounds.cut())
    with pytest.raises(asyncio.CancelledError):
        watched.make()
    assert ports.remote.asked["POST"] == 0
    assert ports.events == []


def test_the_lock_is_free_between_rounds(ports):
    ports.task()
    Watched(ports).make()
    ports.task("b", "Other.")
    ports.apply()
    assert ports.finished()["b"].verdict == "accepted"


def test_a_plan_beyond_a_limit_is_not_carried_out(ports):
    def refuse(plan):
        raise LimitError("beyond")

    ports.task()
    with pytest.raises(LimitError):
        Watched(ports, within=refuse).make()
    assert ports.remote.asked["POST"] == 0


def test_wrong_documents_change_nothing_and_mending_them_is_seen(ports):
    ports.task()
    watched = Watched(ports)
    watched.make()
    ports.task(prompt="'{{ vars.x'")
    with pytest.raises(ManifestError):
        watched.make()
    assert asyncio.run(watched.rounds.changes()) == {}
    ports.task(prompt="Mended.")
    assert [Path(path).name for path in asyncio.run(watched.rounds.changes())] == ["a.yaml"]
    assert watched.make()
    assert len(ports.remote.runs) == 2


def test_what_always_runs_again_needs_a_pause_between_its_runs(ports):
    ports.task("never", "Once.")
    ports.task(rerun="always")
    watched = Watched(ports)
    with pytest.raises(ManifestError) as raised:
        watched.make()
    (wrong,) = raised.value.diagnostics
    assert "`a` has `rerun: always`" in wrong.detail
    assert (Path(wrong.position.file).name, wrong.position.line) == ("a.yaml", 7)
    assert ports.remote.asked["POST"] == 0
    ports.task(rerun="{when: always, after: 1h}")
    assert asyncio.run(watched.rounds.changes())
    watched.make()
    watched.make()
    assert len(ports.remote.started("Write.")) == 1
    ports.remote.clock.time += 3600
    watched.make()
    assert len(ports.remote.started("Write.")) == 2


def test_what_always_runs_again_may_be_left_out(ports):
    ports.task(rerun="always")
    ports.task("b", "Other.")
    assert Watched(ports, "b").make()


def test_a_warning_is_told_once(ports):
    ports.write("kind: Deployment\n", "other.yaml")
    ports.task()
    watched = Watched(ports)
    watched.make()
    watched.make()
    assert len(watched.remarks) == 1


def test_a_run_that_needs_a_worker_is_refused_where_no_worker_could_find_the_engine(ports):
    spec = "spec: {agents: {writer: {worker: true}}}"
    ports.write(f"apiVersion: taskspec/v1\nkind: Project\nmetadata: {{name: sales}}\n{spec}\n", "taskspec.yaml")
    ports.task()
    with pytest.raises(UsageError, match="worker"):
        Watched(ports, owned=True).make()


def test_no_round_asks_a_remote_for_anything_where_nothing_is_to_be_done(ports):
    ports.task()
    watched = Watched(ports)
    watched.make()
    ports.needs.clear()
    watched.make()
    assert Need.RUN not in ports.needs


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_rounds_keep_no_memory_and_no_file(ports):
    ports.task()
    watched = Watched(ports, owned=True)

    def mark():
        gc.collect()
        return tracemalloc.get_traced_memory()[0], len(list(Path("/proc/self/fd").iterdir()))

    async def run():
        marks = []
        for number in range(1001):
            if number % 100 == 50:
                ports.task(prompt=f"Write {number // 100}.")
            await watched.rounds.make(lambda event: None)
            if number in {200, 1000}:
                marks.append(mark())
        return marks

    gc.freeze()
    tracemalloc.start()
    try:
        (memory, files), (later, more) = asyncio.run(run())
    finally:
        tracemalloc.stop()
        gc.unfreeze()
    assert later - memory < 200_000
    assert more == files
