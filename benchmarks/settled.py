"""The state that an apply of a project leaves when every run was accepted, written without one. Starts no run.

`python settled.py FOLDER`: for numbers of tasks that would take an hour to apply. It wants the Python of the taskspec
that is to plan them.
"""

import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from taskspec.apply.requesting import marker
from taskspec.cli.wiring import ORGANIZATION, Wiring
from taskspec.desired.model import DesiredTask
from taskspec.documents.model import LOCAL
from taskspec.runner.model import Invocation
from taskspec.runner.planning import prepare
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
            for change in _kept(task, snapshot.lineage, remote)
        ]
        store.commit(lease, snapshot.serial, changes)
    finally:
        store.release(lease)
        store.close()


def _kept(task: DesiredTask, lineage: str, remote: RemoteIdentity) -> Iterator[StateChange]:
    """Yield what is recorded of a task whose run answered with its prompt."""
    now, nonce = time.time(), uuid.uuid4().hex[:16]
    answer = task.spec["prompt"]
    result = ResultRef.of(answer, task.spec.get("outputFormat"))
    attempt = Attempt(
        number=1,
        nonce=nonce,
        marker=marker(lineage, task.address, task.fingerprint, 1, nonce),
        body_digest=result.digest,
        intended_at=now,
        send_deadline=now + 20,
        remote=remote,
        sending=Sending.BOUND,
        run=str(uuid.uuid4()),
        title=task.title,
        status="completed",
        verdict=Verdict.ACCEPTED,
        started_at=now,
        finished_at=now + SECONDS,
        result=result,
    )
    accepted = Accepted(
        generation=1,
        fingerprint=task.fingerprint,
        plan=PLAN,
        agent=task.agent,
        attempt=attempt,
        result=result,
        at=now + SECONDS,
    )
    generation = Generation(number=1, fingerprint=task.fingerprint, spec=task.spec, plan=PLAN, attempts=(attempt,))
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
    for what in ("intended", "bound", "accepted"):
        yield Note(address=task.address, at=now, what=what, data={"generation": 1, "attempt": 1})


if __name__ == "__main__":
    main()
