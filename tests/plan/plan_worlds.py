"""Small worlds for the tests of planning: what is declared, recorded and observed, built from a few words."""

from hypothesis import HealthCheck, settings

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, Desired, DesiredTask
from taskspec.diagnostics import Diagnostic, ManifestError, Position
from taskspec.documents.model import (
    Document,
    Marks,
    OnChangeActive,
    OnRemove,
    Policies,
    Project,
    Rerun,
    Retry,
    Source,
    When,
)
from taskspec.judging.asserting import digest_of
from taskspec.observed.model import Absent, Observed, Present, Unreadable
from taskspec.plan.deciding import decide
from taskspec.plan.keeping import nothing_kept, unanswered
from taskspec.plan.model import Circumstances
from taskspec.state.model import (
    Accepted,
    Attempt,
    Generation,
    Record,
    ResultRef,
    Sending,
    Snapshot,
    StopCause,
    Verdict,
)
from taskspec.taskapi.records import TaskRecord
from taskspec.taskapi.remotes import RemoteIdentity

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For property tests: how long an example takes on a busy machine says nothing."""

HERE = RemoteIdentity(type="local", instance="one")
REMOTES = {
    "here": HERE,
    "another engine": RemoteIdentity(type="local", instance="two"),
    "another remote": RemoteIdentity(type="xpander", url="https://example.com", organization="org"),
}
RESULT = ResultRef(digest="0" * 64, size=3, format="text")
CONTENTS = {RESULT.digest: "answer", ResultRef.of("words", None).digest: "answer"}
"""What tasks see of the results of others: the same of each, so that a world is told by few words."""
FIELDS = (
    "agent", "prompt", "title", "retry", "onRemove", "dependsOn", "assertions",
    "rerun", "onChangeActive", "protect", "sideEffects",
)  # fmt: skip
DOCUMENT = Document(
    file="tasks.yaml",
    value={"kind": "Task", "spec": dict.fromkeys(FIELDS, "")},
    marks=Marks(
        1,
        1,
        keys={"spec": (2, 1)},
        children={
            "spec": Marks(
                3,
                3,
                keys={name: (3 + i, 3) for i, name in enumerate(FIELDS)},
                children={name: Marks(3 + i, 12) for i, name in enumerate(FIELDS)},
            )
        },
    ),
)


def fingerprint(text):
    return f"v1:{text}"


def spec(text):
    return {"agent": "writer", "prompt": text}


def task(address="a", text="A", *, title="Title", agent="writer", retry=None, on_remove="stop", **more):
    """Declare a task; `more` may give assertions, upstream, and the policies by their Python names."""
    return DesiredTask(
        address=Address(address),
        agent=agent,
        title=title,
        spec=spec(text),
        fingerprint=fingerprint(text),
        request={**spec(text), "userTokens": {"crm": "canary-secret"}},
        policies=Policies(
            retry=Retry(**(retry or {})),
            rerun=rerun_of(more.get("rerun", {})),
            on_change_active=OnChangeActive(more.get("on_change_active", "replace")),
            on_remove=OnRemove(on_remove),
            protect=more.get("protect", False),
            side_effects=more.get("side_effects", False),
        ),
        source=Source(document=DOCUMENT),
        assertions=tuple(more.get("assertions", ())),
        upstream=tuple(more.get("upstream", ())),
    )


def rerun_of(said):
    return Rerun(**{**said, "when": When(said.get("when", "onChange")), "ignore": frozenset(said.get("ignore", ()))})


def deferred(address="a", text="A", *, uses, upstream=(), fails=False, **said):
    """Build a task that uses the results of others: its text is `A+answer`, with the results in order of address."""

    def finish(results):
        assert results.keys() == set(uses)
        if fails:
            place = Position(file="tasks.yaml", line=4, column=15)
            raise ManifestError([Diagnostic(summary="No such field", detail="It has no `sum`.", position=place)])
        return task(address, "+".join([text, *(results[one] for one in sorted(uses))]), upstream=whole, **said)

    whole = tuple(dict.fromkeys((*upstream, *uses)))
    known = task(address, f"{text}+(known after {', '.join(sorted(uses))})", **said)
    return DeferredTask(
        address=known.address,
        agent=known.agent,
        title=known.title,
        spec=known.spec,
        policies=known.policies,
        assertions=known.assertions,
        source=known.source,
        upstream=whole,
        uses=frozenset(uses),
        finish=finish,
    )


def desired(*tasks, former=None):
    """Build what is declared; `former` gives the addresses that some of the tasks say that they had before."""
    project = Project(name="sales", folder="/p", data_folder="/p/.taskspec")
    return Desired(project=project, tasks={task.address: task for task in tasks}, former=former or {})


def attempt(number=1, *, address="a", generation=1, **said):
    """Build an attempt; `said` may give status, verdict, stop, sending, remote, title, run and detail.

    And `kept`, the text of its result, `assertions`, by which it was judged, and `rejudged`.
    """
    sending = Sending(said.get("sending", "bound"))
    name = f"{address}-g{generation}-{number}"
    return Attempt(
        number=number,
        nonce=f"nonce-{name}",
        marker=f"[{name}]",
        body_digest="0" * 64,
        intended_at=100.0,
        send_deadline=160.0,
        remote=REMOTES[said.get("remote", "here")],
        sending=sending,
        run=said.get("run", f"run-{name}") if sending is Sending.BOUND else None,
        title=said.get("title", "Title"),
        status=said.get("status"),
        verdict=Verdict(said["verdict"]) if said.get("verdict") else None,
        stop=StopCause(said["stop"]) if said.get("stop") else None,
        detail=said.get("detail", ""),
        result=ResultRef.of(said["kept"], None) if "kept" in said else None,
        assertions=digest_of(said.get("assertions", ())),
        rejudged=said.get("rejudged", False),
    )


def record(address="a", *, text="A", generation=1, attempts=(), accepted=None, on_remove="stop", protect=False):
    """Build a record; `accepted` is (generation, text), perhaps with what is said of its attempt, or None."""
    kept = next((a for a in attempts if a.verdict is Verdict.ACCEPTED), None)
    if kept is None and accepted:
        more = {"status": "completed", "verdict": "accepted", **(accepted[2] if accepted[2:] else {})}
        kept = attempt(address=address, generation=accepted[0], **more)
    return Record(
        address=Address(address),
        agent="writer",
        generation=Generation(
            number=generation, fingerprint=fingerprint(text), spec=spec(text), plan="p0", attempts=tuple(attempts)
        ),
        accepted=accepted
        and Accepted(
            generation=accepted[0],
            fingerprint=fingerprint(accepted[1]),
            plan="p0",
            agent="writer",
            attempt=kept,
            result=kept.result or RESULT,
            at=1_699_999_000.0,
        ),
        on_remove=OnRemove(on_remove),
        protect=protect,
    )


def shown(run, status, **more):
    return TaskRecord(id=run, agent_id="writer", status=status, **more)


def observation(run, said):
    """Return what was observed of a run: a status, or `absent`, or `unreadable`."""
    match said:
        case "absent":
            return Absent()
        case "unreadable":
            return Unreadable(reason="503 from the remote")
        case status:
            return Present(record=shown(run, status))


def snapshot(*records):
    return Snapshot(lineage="line", serial=7, records={record.address: record for record in records})


def planned(wanted, held, observed=None, **more):
    """Decide over values; `more` may give remote, requested, rerun, selected, contents, and texts of kept results.

    And `former` and `answer`, what is kept of older generations.
    """
    circumstances = Circumstances(
        now=1_700_000_000.0,
        plan="p1",
        remote=more.get("remote", HERE),
        kept={ResultRef.of(text, None).digest: text for text in more.get("kept", ("words",))},
        requested=frozenset(more.get("requested", ())),
        selected=more.get("selected"),
        rerun=frozenset(more.get("rerun", ())),
        former=more.get("former", nothing_kept),
        answer=more.get("answer", unanswered),
    )
    return decide(wanted, held, observed or Observed(), circumstances, more.get("contents", CONTENTS))
