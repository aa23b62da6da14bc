"""The state that an apply of a project leaves when every run was accepted, written without one. Starts no run.

`python settled.py FOLDER [ATTEMPTS]`: for numbers of tasks that would take an hour to apply; of the attempts of each
task, the last was accepted. It wants the Python of the taskspec that is to plan them.
"""

import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from taskspec.cli.wiring import ORGANIZATION, Wiring
from taskspec.desired.model import DesiredTask
from taskspec.documents.model import LOCAL
from taskspec.markers import Marker
from taskspec.runner.model import Invocation
from taskspec.runner.preparing import prepare
from taskspec.settings import from_environ
from taskspec.state.model import (
    Accepted,
    Attempt,
    Generation,
    Note,
    PutRecord,
    PutResult,
    Record,
    ResultRef,
    Sending,
    StateChange,
    StopCause,
    Verdict,
)
from taskspec.taskapi.remotes import RemoteIdentity

PLAN = "5e970c0645099efd"
SECONDS = 2.5
"""What each run is said to have taken."""


def main() -> None:
    """Write the state of the project that the command line names."""
    invocation = Invocation(target=Path(sys.argv[1]), settings=from_environ())
    ports = Wiring(invocation.settings)
    attempts = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    desired = prepare(invocation, ports).desired
    store = ports.open_state(desired.project, read_only=False)
    lease = store.acquire(ports.holder())
    try:
        snapshot = store.read()
        remote = RemoteIdentity(type=LOCAL, organization=ORGANIZATION, instance=str(uuid.uuid4()))
        changes = [
            change
            for task in desired.tasks.values()
            if isinstance(task, DesiredTask)
            for change in _kept(task, snapshot.lineage, remote, attempts)
        ]
        store.commit(lease, snapshot.serial, changes)
    finally:
        store.release(lease)
        store.close()


def _kept(task: DesiredTask, lineage: str, remote: RemoteIdentity, attempts: int) -> Iterator[StateChange]:
    """Yield what is recorded of a task whose last run answered with its prompt."""
    now = time.time()
    answer = task.spec["prompt"]
    result = ResultRef.of(answer, task.spec.get("outputFormat"))
    made = [_attempt(task, lineage, remote, number, now) for number in range(1, attempts + 1)]
    made[-1] = replace(made[-1], status="completed", verdict=Verdict.ACCEPTED, stop=None, result=result)
    accepted = Accepted(
        generation=1,
        fingerprint=task.fingerprint,
        plan=PLAN,
        agent=task.agent,
        attempt=made[-1],
        result=result,
        at=now + SECONDS,
    )
    generation = Generation(number=1, fingerprint=task.fingerprint, spec=task.spec, plan=PLAN, attempts=tuple(made))
    yield PutResult(ref=result, content=answer)
    yield PutRecord(
        record=Record(
            address=task.address,
            agent=task.agent,
            generation=generation,
            accepted=accepted,
            on_remove=task.policies.on_remove,
        )
    )
    for attempt in made:
        for what in ("intended", "bound", str(attempt.verdict)):
            yield Note(address=task.address, at=now, what=what, data={"generation": 1, "attempt": attempt.number})


def _attempt(task: DesiredTask, lineage: str, remote: RemoteIdentity, number: int, now: float) -> Attempt:
    """Return an attempt that failed, and behind which another one was granted."""
    nonce = uuid.uuid4().hex[:16]
    return Attempt(
        number=number,
        nonce=nonce,
        marker=Marker.of(lineage, task.address, task.fingerprint, 1, nonce).text,
        body_digest=ResultRef.of(task.spec["prompt"], None).digest,
        intended_at=now,
        send_deadline=now + 20,
        remote=remote,
        sending=Sending.BOUND,
        run=str(uuid.uuid4()),
        title=task.title,
        status="failed",
        verdict=Verdict.FAILED,
        stop=StopCause.RETRY,
        started_at=now,
        finished_at=now + SECONDS,
    )


if __name__ == "__main__":
    main()
