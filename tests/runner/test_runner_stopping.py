"""The story of a stop by hand: it ends runs, says why, and starts nothing."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from runner_ports import HOLDER

from taskspec.apply.model import Options
from taskspec.errors import UsageError
from taskspec.events import Effect
from taskspec.health import Health
from taskspec.runner import stopping, telling
from taskspec.runner.applying import Job, apply
from taskspec.state.model import StopCause
from taskspec.state.sqlite import SqliteState


def test_a_stop_by_hand_is_recorded_with_its_cause_and_stands(ports):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    ports.apply(wait=False)
    assert ports.stop("a")
    last = ports.records()["a"].generation.last
    assert (last.stop, last.status, last.verdict) == (StopCause.USER, "stopped", "stopped")
    ports.apply()
    assert ports.finished()["a"].health is Health.UNHEALTHY
    assert len(ports.remote.runs) == 1


def test_a_stop_by_hand_of_a_run_that_had_completed_keeps_its_result(ports):
    ports.remote.scripts["Write."], ports.remote.stops = [["executing"]], ["completed"]
    ports.task()
    ports.apply(wait=False)
    ports.stop()
    ports.apply()
    assert ports.finished()["a"].verdict == "accepted"


def test_a_stop_that_is_not_approved_stops_nothing(ports):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    ports.apply(wait=False)
    assert not ports.stop(approve=lambda addresses: False)
    assert ports.remote.asked["DELETE"] == 0


def test_a_stop_while_another_command_holds_the_lock_stops_all_the_same(ports):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    ports.apply(wait=False)
    other = SqliteState(ports.folder / ".taskspec", "sales", "default", read_only=False)
    other.acquire(HOLDER)
    try:
        assert ports.stop()
    finally:
        other.close()
    assert ports.remote.runs["run-1"].steps == ["stopped"]


def test_a_run_that_another_command_has_looked_at_meanwhile_is_stopped_with_its_cause(ports):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task(retry="{maxAttempts: 2, statuses: [stopped], backoff: 0s}")
    ports.apply(wait=False)

    def thinking(_):
        ports.remote.runs["run-1"].steps = ["paused"]
        job = Job(options=Options(), approve=lambda _: True, emit=ports.events.append, cutting=lambda *_: nullcontext())
        with ThreadPoolExecutor() as another:
            another.submit(asyncio.run, apply(ports.invocation(), ports, job)).result()
        return ports.records()["a"].generation.last.status == "paused"

    assert ports.stop(approve=thinking)
    assert ports.records()["a"].generation.last.stop is StopCause.USER
    ports.apply()
    assert len(ports.remote.runs) == 1, "a stop by hand is paid for with no further attempt"


def test_a_run_of_which_nobody_knows_is_not_taken_for_none(ports):
    ports.remote.scripts["Write."], ports.remote.sends = [["executing"]], ["drop"]
    ports.task()
    ports.apply(hold_unknown=True)
    ports.events = []
    assert ports.stop()
    assert (ports.finished()["a"].effect, ports.finished()["a"].health) == (Effect.UNKNOWN, Health.UNKNOWN)
    assert ports.remote.asked["DELETE"] == 0


def test_nothing_that_runs_is_nothing_to_stop(ports):
    ports.task()
    ports.apply()
    assert ports.stop()
    assert ports.remote.asked["DELETE"] == 0


def moved_away(ports, monkeypatch):
    """Let the project name another organization's remote from now on."""
    from dataclasses import replace

    before = ports.offline

    def offline(project):
        found = before(project)
        return replace(found, identity=replace(found.identity, organization="other"))

    monkeypatch.setattr(ports, "offline", offline)


def test_a_run_on_another_remote_is_never_asked_for_here(ports, monkeypatch):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    ports.apply(wait=False)
    moved_away(ports, monkeypatch)
    ports.remote.asked.clear()
    assert ports.stop("a")
    assert ports.finished()["a"].effect is Effect.FAILED
    assert "another remote" in ports.finished()["a"].detail
    (standing,) = asyncio.run(telling.status(ports.invocation(), ports, print))
    assert (standing.verdict, standing.health) == ("unknown", Health.UNKNOWN)
    assert "another remote" in standing.detail
    with pytest.raises(UsageError, match="another remote"):
        asyncio.run(telling.log(ports.invocation("a"), ports))
    assert not ports.remote.asked


def test_one_stop_that_fails_leaves_no_other_running(ports):
    ports.remote.scripts |= {"Write.": [["executing"]], "Other.": [["executing"]]}
    ports.task()
    ports.task("b", "Other.")
    ports.apply(wait=False)
    (gone,) = ports.remote.started("Write.")
    del ports.remote.runs[gone.id]
    assert ports.stop()
    assert ports.finished()["a"].effect is Effect.UNKNOWN
    assert ports.records()["b"].generation.last.verdict == "stopped"


def test_a_stop_is_done_only_when_the_run_has_ended(ports):
    ports.remote.scripts["Write."], ports.remote.stops = [["executing"]], ["executing", "executing", "stopped"]
    ports.task()
    ports.apply(wait=False)
    assert ports.stop()
    assert ports.records()["a"].generation.last.verdict == "stopped"


def test_a_run_that_does_not_end_is_told_as_such(ports, monkeypatch):
    monkeypatch.setattr(stopping, "CONFIRMATION", 0.1)
    ports.remote.scripts["Write."], ports.remote.stops = [["executing"]], ["executing"]
    ports.task()
    ports.apply(wait=False)
    assert ports.stop()
    assert ports.finished()["a"].effect is Effect.UNKNOWN
    assert "still executing" in ports.finished()["a"].detail
    assert ports.records()["a"].generation.last.verdict is None


def test_a_declared_task_that_was_never_applied_is_shown_as_such(ports):
    ports.task()
    (standing,) = asyncio.run(telling.status(ports.invocation(), ports, print))
    assert (standing.address, standing.verdict, standing.health) == ("a", "not applied", None)


def test_a_project_that_is_wrong_in_another_file_is_not_taken_for_none(ports):
    from taskspec.diagnostics import ManifestError
    from taskspec.runner.locating import project_of

    (ports.folder / "taskspec.yaml").rename(ports.folder / "other.yaml")
    text = "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: sales}\nspec: {remote: nowhere}\n"
    ports.write(text, "other.yaml")
    with pytest.raises(ManifestError):
        project_of(ports.invocation())


def test_finding_the_project_reads_no_task(ports):
    from taskspec.runner.locating import project_of

    ports.write("kind: Task\napiVersion: taskspec/v1\n  broken: [", "tasks.yaml")
    assert project_of(ports.invocation()).name == "sales"


def test_all_results_are_read_with_the_project_found_once(ports, monkeypatch):
    from taskspec.runner import locating

    ports.task()
    ports.task("b", "Other.")
    ports.apply()
    found = []
    load = locating.load_project
    monkeypatch.setattr(locating, "load_project", lambda *where: found.append(where) or load(*where))
    with telling.results(ports.invocation(), ports) as opened:
        texts = [opened.content(accepted) for _, accepted in opened.found]
    assert texts == ["answer to Write.", "answer to Other."]
    assert len(found) == 1
