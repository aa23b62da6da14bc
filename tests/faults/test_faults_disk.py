"""A disk that is full or read-only: one clear error, the state stays readable, and nothing is paid for twice."""

from pathlib import Path

import pytest

FULL = ["the disk is full", "No space left on device", "database or disk is full", "space, quota, health"]


def clear(done):
    """Check that a command ended with one documented error that says what to do."""
    assert done.code == 1, done
    assert done.err.count("error: ") == 1, done
    assert "→ " in done.err, done
    return done


@pytest.mark.slow
@pytest.mark.parametrize("leaving", [0, 16, 48, 96, 160, 256], ids=lambda kib: f"{kib} KiB left")
def test_a_disk_that_is_full_is_told_and_nothing_is_lost_or_run_twice(workspace, disk, leaving):
    disk.fill(leaving * 1024)
    done = workspace.apply()
    if done.code:
        assert any(words in clear(done).err for words in FULL), done
    for look in (["plan"], ["status"], ["results"]):
        assert workspace.taskspec(*look).code in {0, 3, 9}
    started = {record.generation.last.run for record in workspace.records().values()} - {None}
    disk.free()
    again = workspace.apply("--on-unknown=wait")
    assert again.code in {0, 3}, again
    after = workspace.records()
    assert {record.generation.number for record in after.values()} == {1}
    assert started <= {record.generation.last.run for record in after.values()}
    assert all(
        len(record.generation.attempts) == 1 or not record.generation.attempts[0].counts for record in after.values()
    )


@pytest.mark.slow
def test_a_disk_that_fills_up_while_runs_go_on_keeps_what_was_accepted(workspace, disk):
    workspace.tasks(a={"agent": "echo", "prompt": "small"})
    assert workspace.apply().code == 0
    workspace.tasks(a={"agent": "echo", "prompt": "small"}, b={"agent": "large", "prompt": "x"})
    disk.fill(400 * 1024)
    clear(workspace.apply())
    assert workspace.taskspec("results", "a").out == "small"
    assert workspace.standing("a")["verdict"] == "accepted"
    disk.free()
    assert workspace.apply().code in {0, 3}
    assert len(workspace.lines("started")) <= 2


def test_a_full_disk_for_results_is_told_and_the_state_keeps_the_result(workspace, disk):
    workspace.tasks(b={"agent": "large", "prompt": "x"})
    results = disk.folder / "results"
    results.mkdir()
    small = type(disk)(results)
    assert small.mount("size=100k")
    try:
        done = workspace.apply()
        assert done.code == 1
        assert "b: its result file is not written: results/b.txt cannot be written: No space left on device" in done.out
        assert workspace.standing("b")["verdict"] == "accepted"
        assert [path.name for path in results.iterdir()] == []
        small.remount("size=2m")
        assert "result in results/b.txt" in workspace.apply().out
        assert len(workspace.lines("started")) == 1
    finally:
        small.unmount()


@pytest.mark.parametrize("before", ["new", "applied"])
def test_a_read_only_disk_lets_everything_be_read_and_nothing_be_started(workspace, disk, before):
    if before == "applied":
        assert workspace.apply().code == 0
    disk.remount("ro")
    for look in (["validate"], ["plan"], ["status"], ["results"], ["tasks", "list", "echo"]):
        assert workspace.taskspec(*look).code == 0, look
    assert "Read-only file system" in clear(workspace.apply()).err
    assert clear(workspace.taskspec("tasks", "create", "echo", "-f", "hi")).err
    disk.remount("rw")
    assert workspace.apply().code == 0
    assert len(workspace.lines("started")) == 4


@pytest.mark.parametrize("command", [["plan"], ["plan", "--json"], ["status"], ["validate"], ["--help"], ["--version"]])
def test_an_output_that_cannot_be_written_is_told(workspace, command):
    with Path("/dev/full").open("w") as full:
        done = workspace.start(*command, stdout=full).wait()
    assert done.code == 1
    assert done.err.splitlines()[-1].endswith("No space left on device.") or command == ["--version"]
    assert "internal error" not in done.err
    assert "Traceback" not in done.err


def test_an_apply_whose_output_cannot_be_written_starts_nothing_or_is_carried_out_and_never_green(workspace):
    with Path("/dev/full").open("w") as full:
        shown = workspace.start("apply", "--yes", stdout=full).wait()
        assert (shown.code, workspace.records()) == (1, {})
        lines = workspace.start("apply", "--yes", "--json", stdout=full).wait()
    assert lines.code == 1
    assert {record.generation.last.verdict for record in workspace.records().values()} == {"accepted"}
    assert workspace.apply().code == 0


def test_a_cache_that_cannot_be_written_is_no_trouble(workspace):
    done = workspace.taskspec("apply", "--yes", XDG_CACHE_HOME="/proc/nowhere")
    assert (done.code, done.err) == (0, "")
