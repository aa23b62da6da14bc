"""The decision table, cell by cell: each case is a few lines of YAML in cases/ that a person can read."""

from pathlib import Path

import pytest
import yaml
from plan_worlds import REMOTES, attempt, desired, observation, planned, record, shown, snapshot, task

from taskspec.observed.model import Observed

FOLDER = Path(__file__).parent / "cases"
DECLARED = {"text", "title", "agent", "retry", "on_remove", "assertions"}


def cases():
    for path in sorted(FOLDER.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text()):
            yield pytest.param(case, id=f"{path.stem}: {case['case']}")


def recorded(case):
    said = case.get("recorded")
    if said is None:
        return snapshot()
    generation = said.get("generation", 1)
    attempts = [attempt(i, generation=generation, **one) for i, one in enumerate(said.get("attempts", ()), start=1)]
    accepted = said.get("accepted")
    return snapshot(
        record(
            text=said.get("text", "A"),
            generation=generation,
            attempts=attempts,
            accepted=accepted and (accepted["generation"], accepted["text"], accepted.get("attempt", {})),
            on_remove=said.get("on_remove", "stop"),
        )
    )


def observed(case, held):
    attempts = held.records["a"].generation.attempts if held.records else ()
    runs = {}
    if "observed" in case:
        run = attempts[-1].run
        runs[run] = observation(run, case["observed"])
    marked = (
        {attempts[-1].nonce: tuple(shown(f"m{i}", s) for i, s in enumerate(case["marked"]))} if "marked" in case else {}
    )
    agents = frozenset(case["agents"]) if "agents" in case else None
    return Observed(runs=runs, marked=marked, agents=agents)


@pytest.mark.parametrize("case", list(cases()))
def test_the_decision_table(case):
    held = recorded(case)
    declared = case["declared"]
    wanted = (
        desired() if declared == "nothing" else desired(task(**{k: declared[k] for k in declared.keys() & DECLARED}))
    )
    plan = planned(
        wanted,
        held,
        observed(case, held),
        remote=REMOTES[case.get("remote", "here")],
        requested=("a",) if case.get("requested") else (),
        kept=case.get("kept", ()),
    )
    (change,) = plan.changes
    expect = case["expect"]
    found = {
        "action": change.action.value,
        "health": change.health.value,
        "paid": change.paid,
        "destructive": change.destructive,
        "in_error": change.in_error,
        "run": (change.generation, change.attempt),
        "reasons": [reason.code for reason in change.reasons],
    }
    quiet = {"paid": False, "destructive": False, "in_error": False}
    reasons = expect.get("reasons", [expect["reason"]] if "reason" in expect else None)
    assert reasons, "a case says for which reason"
    told = {**quiet, **{k: v for k, v in expect.items() if k not in {"reason", "run"}}, "reasons": reasons}
    if "run" in expect:
        told["run"] = (expect["run"]["generation"], expect["run"]["attempt"])
    else:
        del found["run"]
    assert found == told
