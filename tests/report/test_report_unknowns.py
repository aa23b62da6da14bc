"""What a person is told before deciding by hand: nothing foreign steers the terminal, and nothing is left out."""

import json

from taskspec.address import Address
from taskspec.health import Health
from taskspec.markers import Marker
from taskspec.observed.model import Duplicate, Observed
from taskspec.plan.adopting import Candidate
from taskspec.plan.drifting import Difference, Drift
from taskspec.plan.model import Basis, Circumstances, Plan
from taskspec.plan.refusals import Refusal, RefusalKind
from taskspec.plan.standing import Situation, Standing
from taskspec.report.adopting import candidate_lines
from taskspec.report.drifts import Drifts, drift_lines, drifts_json
from taskspec.report.exiting import of_plan
from taskspec.report.forgetting import Farewell, farewell_lines
from taskspec.report.orphans import Orphan, Orphans, orphan_lines, orphans_json
from taskspec.report.plans import lines
from taskspec.report.text import Paint
from taskspec.state.model import Attempt, Generation, Record, Sending, Verdict
from taskspec.taskapi.records import TaskRecord
from taskspec.taskapi.remotes import RemoteIdentity

A = Address("report")
EVIL = "\x1b[2J\u202eevil\n::error::x"
HERE = RemoteIdentity(type="xpander", url="https://x.test", organization="o")
PLAIN = Paint(color=False)


def run(name="r1", status="executing", **more):
    return TaskRecord(id=name, agent_id="writer", status=status, **more)


def said(lines):
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    return text


def record(**attempt):
    one = Attempt(
        **{
            "number": 1,
            "nonce": "n1",
            "marker": "[ts1.x]",
            "body_digest": "",
            "intended_at": 0.0,
            "send_deadline": 0.0,
            "remote": HERE,
            "sending": Sending.BOUND,
            "run": "r1",
            **attempt,
        }
    )
    return Record(
        address=A,
        agent="writer",
        generation=Generation(number=2, fingerprint="1:x", spec={}, plan="p", attempts=(one,)),
    )


def test_a_run_that_is_to_be_adopted_is_shown_with_its_doubts():
    candidate = Candidate(
        address=A,
        task=None,
        situation=Situation(standing=Standing.NOTHING),
        run=run(EVIL, EVIL, title=EVIL),
        lineage="line",
    )
    text = said(candidate_lines(candidate, PLAIN))
    assert "created  the remote does not say" in text
    assert "it bears no marker" in text
    assert "is not known" in text
    assert "1970-01-01 00:01:40 UTC" in said(
        candidate_lines(
            Candidate(address=A, task=None, situation=candidate.situation, run=run(created_at=100.0), lineage="line"),
            PLAIN,
        )
    )


def test_what_is_forgotten_says_what_may_still_be_at_work():
    unknown = said(farewell_lines(Farewell(record=record(sending=Sending.INTENDED, run=None), declared=True), PLAIN))
    assert "leaves the state (g2, outcome unknown)" in unknown
    assert "nobody knows whether it is there" in unknown
    assert "https://x.test" in unknown
    assert "paid for" in unknown
    active = said(farewell_lines(Farewell(record=record(status=EVIL), declared=None), PLAIN))
    assert "`taskspec stop report` ends it first" in active
    assert "the manifests are wrong" in active
    lost = said(
        farewell_lines(Farewell(record=record(status="executing", verdict=Verdict.LOST), declared=False), PLAIN)
    )
    assert "last seen executing" in lost
    assert "taskspec stop" not in lost
    failed = said(
        farewell_lines(Farewell(record=record(status="failed", verdict=Verdict.FAILED), declared=False), PLAIN)
    )
    assert len(failed.splitlines()) == 1


def orphan(**more):
    marker = Marker.of("line", A, "1:x", 3, "n")
    return Orphan(**{"run": run(title=EVIL), "marker": marker, "address": A, "text": "declared", **more})


def test_orphans_are_shown_with_what_can_be_done():
    found = Orphans(
        found=(orphan(), orphan(run=run(EVIL, EVIL), address=None, text=""), orphan(duplicate_of=EVIL)),
        foreign=2,
        past=1,
        unlisted={EVIL: EVIL},
    )
    text = said(orphan_lines(found, PLAIN))
    assert "`taskspec adopt report r1`" in text
    assert "`taskspec tasks stop RUN`" in text
    assert "1 run more, of older generations or removed tasks, has ended." in text
    assert "2 runs bear markers of other projects" in text
    assert "cannot be listed" in text
    assert found.exit_code == 1
    assert json.loads(json.dumps(orphans_json(found)))["orphans"][0]["generation"] == 3


def test_the_run_of_an_orphan_stays_whole_where_a_terminal_is_narrow():
    name = "122857ec-0856-4f9a-942a-469c8a82d3e3"
    found = Orphans(found=(orphan(run=run(name, title="A long title")),))
    told = {width: [line.split() for line in orphan_lines(found, PLAIN, width)][:2] for width in (83, 46)}
    assert told[83] == [
        ["RUN", "STATUS", "ADDRESS", "TEXT", "AGENT", "TITLE"],
        [name, "executing", "report", "declared", "writer", "A", "long…"],
    ]
    assert told[46] == [["RUN", "ADDRESS"], [name, "report"]]


def test_where_nothing_is_orphaned_that_is_said():
    assert said(orphan_lines(Orphans(found=()), PLAIN)) == "Every run that bears a marker of this state is recorded."
    ended = Orphans(found=(orphan(run=run(status="completed")),))
    assert "tasks stop" not in said(orphan_lines(ended, PLAIN))
    assert ended.exit_code == 0


def plan(**more):
    observed = Observed(duplicates=(Duplicate(address=None, runs=(run(EVIL), run("r2", "completed"))),))
    basis = Basis(observed=observed, circumstances=Circumstances(now=0.0, plan="p", remote=HERE))
    given = {"project": "sales", "environment": "default", "lineage": "l", "serial": 1, "created_at": 0.0}
    return Plan(id="p", changes=(), basis=basis, **given, **more)


def test_a_plan_tells_of_duplicates_and_of_many_runs_that_are_gone():
    gone = tuple(Address(f"t{n}") for n in range(7))
    refusal = Refusal(kind=RefusalKind.MISSING, limit="missing", allowed=2, found=7, addresses=gone)
    text = said(lines(plan(refusals=(refusal,)), PLAIN))
    assert "Duplicate: a task that is neither declared nor recorded: the remote has one create as 2 runs" in text
    assert text.startswith("Refused: nothing of it will be carried out. It would start no run.")
    assert "Refused: the remote does not know 7 runs that are recorded on it" in text
    assert "t0, t1, t2, t3, t4 and 2 more." in text
    assert "`--override missing`" in text
    assert of_plan(plan()) == 9


def test_drift_is_shown_with_both_sides():
    given = {"agent": "writer", "run": "r1", "recorded": "executing"}
    found = tuple(
        Drift(
            address=Address(f"t{n}"), difference=difference, health=Health.UNKNOWN, observed=EVIL, detail=EVIL, **given
        )
        for n, difference in enumerate(Difference)
    )
    drifts = Drifts(project="sales", environment="prod", lineage="l", serial=1, looked=7, found=found, astray=1)
    text = said(drift_lines(drifts, PLAIN))
    assert text.startswith("Drift: 4 tasks.")
    assert "executing → gone" in text
    assert "1 run is not recorded: `taskspec orphans` lists them." in text
    assert "sales (prod): 7 tasks recorded, 7 runs looked at." in text
    assert [row["difference"] for row in drifts_json(drifts)["drift"]] == list(Difference)
