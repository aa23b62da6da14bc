"""Uploading: a content that many tasks name is read, hashed and sent once, and not on the event loop."""

import threading

from apply_stages import local_file, task

from taskspec.apply import uploading
from taskspec.events import Effect


def reading(monkeypatch):
    """Return the threads in which contents are read from now on."""
    threads = []
    read = uploading._content
    monkeypatch.setattr(uploading, "_content", lambda *said: threads.append(threading.current_thread()) or read(*said))
    return threads


def test_a_file_of_many_tasks_is_read_and_sent_once_and_off_the_event_loop(stage, monkeypatch):
    threads = reading(monkeypatch)
    file = local_file(stage.folder, "sales.csv", b"a,b")
    finished = stage.apply(*(task(f"t{i:02}", f"Write {i}.", files=[file]) for i in range(20)))
    assert {event.verdict for event in finished.values()} == {"accepted"}
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
    assert stage.remote.asked["HEAD"] + stage.remote.asked["PUT"] <= 2


def test_the_next_apply_asks_its_remote_again(stage, monkeypatch):
    threads = reading(monkeypatch)
    file = local_file(stage.folder, "sales.csv", b"a,b")
    stage.apply(task(files=[file]))
    stage.remote.files.clear()
    stage.apply(task("b", "Write more.", files=[file]))
    assert len(threads) == 2
    assert stage.remote.files


def test_a_file_that_failed_for_one_task_is_tried_again_for_the_next(stage):
    file = local_file(stage.folder, "sales.csv", b"a")
    (stage.folder / "sales.csv").write_bytes(b"b")
    finished = stage.apply(task(files=[file]), task("b", files=[file]), parallelism=1)
    assert {event.effect for event in finished.values()} == {Effect.FAILED}
