"""Several commands on one project: readers beside an apply, two applies, and an engine that outlives its commands."""

import signal

import pytest


@pytest.fixture
def gated(workspace):
    """A project whose agent runs until the file `open` is there."""
    script = 'echo "$TASKSPEC_RUN_ID" >> started; while [ ! -e open ]; do sleep 0.05; done; cat'
    workspace.shell("gated", script)
    workspace.project()
    workspace.tasks(a={"agent": "gated", "prompt": "hi"})
    return workspace


def test_readers_join_a_running_apply_and_disturb_nothing(gated):
    running = gated.start("apply", "--yes")
    gated.until(lambda: gated.lines("started"))
    planned = gated.taskspec("plan")
    assert planned.code == 0, planned
    assert "> a  wait" in planned.out
    status = gated.taskspec("status")
    assert status.code == 0, status
    assert "executing" in status.out
    assert gated.taskspec("logs", "a").code == 0
    assert gated.taskspec("results").code == 0
    gated.write("open", "")
    done = running.wait()
    assert done.code == 0, done
    assert len(gated.lines("started")) == 1


def test_a_second_apply_is_told_who_holds_the_lock(gated):
    running = gated.start("apply", "--yes")
    gated.until(lambda: gated.lines("started"))
    second = gated.apply()
    assert second.code == 8, second
    assert str(running.process.pid) in second.err
    assert "taskspec apply" in second.err
    gated.write("open", "")
    assert running.wait().code == 0
    assert len(gated.lines("started")) == 1


def test_waiting_too_long_is_exit_4_and_what_cannot_go_on_is_recorded(gated):
    done = gated.apply("--wait-timeout", "3s")
    assert "Waited too long for 1 task." in done.out
    assert done.code == 3, done  # the embedded engine ends with the command: 3 comes before 4
    assert gated.standing("a")["verdict"] == "error"


def test_under_serve_a_run_goes_on_when_the_wait_is_over(gated):
    with gated.serving():
        done = gated.apply("--wait-timeout", "3s")
        assert done.code == 4, done
        gated.write("open", "")
        assert gated.apply().code == 0
    assert gated.result("a.txt") == "hi"
    assert len(gated.lines("started")) == 1


def test_no_wait_needs_an_engine_that_outlives_the_command(gated):
    done = gated.apply("--no-wait")
    assert done.code == 64, done
    assert "taskspec serve" in done.err
    assert gated.lines("started") == []
    assert not (gated.folder / ".taskspec/default/state.db").exists()


def test_under_serve_a_run_that_nobody_waits_for_is_recorded_by_the_next_apply(gated):
    with gated.serving():
        left = gated.apply("--no-wait")
        assert left.code == 0, left
        assert gated.taskspec("status").code == 0
        gated.write("open", "")
        gated.until(lambda: gated.standing("a")["status"] == "completed")
        assert gated.planned() == {"a": "rejudge"}
        assert gated.apply().code == 0
    assert gated.result("a.txt") == "hi"


def test_a_removed_task_that_is_running_is_stopped(gated):
    with gated.serving():
        assert gated.apply("--no-wait").code == 0
        gated.until(lambda: gated.lines("started"))
        gated.tasks(b={"agent": "echo", "prompt": "ho"})
        planned = gated.taskspec("plan")
        assert "- a  stop" in planned.out
        assert "destructive" in planned.out
        done = gated.apply()
        assert done.code == 0, done
        assert "(cause: remove)" in done.out
    assert list(gated.records()) == ["b"]


def test_an_edited_task_that_is_running_is_replaced(gated):
    with gated.serving():
        assert gated.apply("--no-wait").code == 0
        gated.until(lambda: gated.lines("started"))
        gated.tasks(a={"agent": "gated", "prompt": "other"})
        assert gated.planned() == {"a": "replace"}
        gated.write("open", "")
        done = gated.apply()
    assert done.code == 0, done
    assert gated.result("a.txt") == "other"
    assert gated.standing("a")["generation"] == 2


def test_a_run_is_stopped_by_hand_and_stays_so(gated):
    with gated.serving():
        assert gated.apply("--no-wait").code == 0
        gated.until(lambda: gated.lines("started"))
        refused = gated.taskspec("stop")
        assert refused.code == 64
        assert "--yes" in refused.err
        done = gated.taskspec("stop", "a")
        assert done.code == 0, done
        assert "a: stopped run" in done.out
        assert gated.taskspec("stop", "--yes").out == "No run is active.\n"
        assert gated.apply().code == 3
    assert gated.standing("a")["verdict"] == "stopped"
    assert len(gated.lines("started")) == 1


def test_all_runs_are_stopped_with_yes(gated):
    gated.tasks(a={"agent": "gated", "prompt": "hi"}, b={"agent": "gated", "prompt": "ho"})
    with gated.serving():
        assert gated.apply("--no-wait").code == 0
        gated.until(lambda: len(gated.lines("started")) == 2)
        done = gated.taskspec("stop", "--yes", "--json")
        assert done.code == 0, done
        assert [event["event"] for event in done.events] == ["RunStopped", "RunStopped"]


def test_a_stop_beside_a_running_apply_is_recorded_by_that_apply(gated):
    running = gated.start("apply", "--yes")
    gated.until(lambda: gated.lines("started"))
    assert gated.taskspec("stop", "a").code == 0
    done = running.wait()
    assert done.code == 3, done
    assert gated.standing("a")["verdict"] == "stopped"


def test_events_are_followed_while_they_come(gated):
    running = gated.start("apply", "--yes")
    gated.until(lambda: gated.lines("started"))
    following = gated.start("logs", "a", "-f")
    gated.write("open", "")
    assert running.wait().code == 0
    followed = following.wait()
    assert followed.code == 0, followed
    assert "task_finished" in followed.out


def test_one_project_has_one_engine(gated):
    with gated.serving() as served:
        second = gated.taskspec("serve")
        assert second.code == 1
        assert str(served.process.pid) in second.err
        served.signal(signal.SIGTERM)
        assert served.wait().code in {0, 143}
    assert not (gated.folder / ".taskspec/engine/endpoint.json").exists()
