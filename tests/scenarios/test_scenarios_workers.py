"""An agent whose runs are carried out by a worker that connects to `taskspec serve`."""

import json
import threading

import httpx
import pytest
from patience import PATIENCE


@pytest.fixture
def supported(workspace):
    workspace.agents["support"] = {"worker": True}
    workspace.project()
    workspace.tasks(a={"agent": "support", "prompt": "hi"})
    return workspace


def _carry_out_one(endpoint, answered):
    """Be a worker for one run: register, begin it, answer in capitals."""
    with httpx.Client(
        base_url=endpoint["url"], headers={"x-api-key": endpoint["api_key"]}, trust_env=False, timeout=PATIENCE
    ) as http:
        with http.stream("GET", "/org/events/support/") as stream:
            texts = (line.removeprefix("data: ") for line in stream.iter_lines() if line.startswith("data: "))
            next(texts)
            task = json.loads(next(texts))
            update = f"/agent-execution/{task['id']}/update"
            http.patch(update, json={**task, "status": "executing"})
            answer = task["input"]["text"].upper()
            http.patch(update, json={**task, "status": "completed", "result": answer})
        answered.append(task["id"])


def test_a_run_is_carried_out_by_a_worker(supported):
    answered = []
    with supported.serving():
        endpoint = json.loads((supported.folder / ".taskspec/engine/endpoint.json").read_text())
        worker = threading.Thread(target=_carry_out_one, args=(endpoint, answered))
        worker.start()
        done = supported.apply()
        worker.join(PATIENCE)
        assert done.code == 0, done
        assert supported.standing("a")["run"] in answered
    assert supported.result("a.txt") == "HI"


def test_without_an_engine_that_a_worker_can_find_nothing_is_started(supported):
    done = supported.apply()
    assert done.code == 64, done
    assert "`support`, whose runs wait for a worker" in done.err
    assert "taskspec serve" in done.err
    assert supported.planned() == {"a": "create"}
