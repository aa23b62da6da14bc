"""The decision table, cell by cell: each case is a few lines of YAML in cases/ that a person can read."""

from pathlib import Path

import pytest
import yaml
from plan_worlds import (
    CONTENTS,
    REMOTES,
    attempt,
    deferred,
    desired,
    observation,
    planned,
    record,
    shown,
    snapshot,
    task,
)

from taskspec.observed.model import Observed

FOLDER = Path(__file__).parent / "cases"
DECLARED = {
    "text", "title", "agent", "retry", "on_remove", "upstream", "assertions",
    "rerun", "on_change_active", "protect", "side_effects",
}  # fmt: skip
DEFERRED = DECLARED | {"uses", "fails"}


def cases():
    for path in sorted(FOLDER.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text()):
            yield pytest.param(case, id=f"{path.stem}: {case['case']}")


def wanted_of(case):
    """Return what a case declares: the tasks that its `upstream` names, in that order, and then its own, `a`.

    `beside` names others that have nothing to do with it but perhaps their name.
    """
    parts = {**case.get("upstream", {}), "a": case, **case.get("beside", {})}
    made = []
    for address, part in parts.items():
        declared = part["declared"]
        if declared != "nothing":
            build, names = (deferred, DEFERRED) if "uses" in declared else (task, DECLARED)
            made.append(build(address, **{name: declared[name] for name in declared.keys() & names}))
    return desired(*made, former=case.get("former"))


def recorded(case):
    parts = {"a": case, **case.get("upstream", {}), **case.get("beside", {})}
    return snapshot(*[kept for address, part in parts.items() if (kept := recorded_of(address, part))])


def recorded_of(address, case):
    said = case.get("recorded")
    if said is None:
        return None
    generation = said.get("generation", 1)
    attempts = [
        attempt(i, address=address, generation=generation, **one)
        for i, one in enumerate(said.get("attempts", ()), start=1)
    ]
    accepted = said.get("accepted")
    return record(
        address,
        text=said.get("text", "A"),
        generation=generation,
        attempts=attempts,
        accepted=accepted and (accepted["generation"], accepted["text"], accepted.get("attempt", {})),
        on_remove=said.get("on_remove", "stop"),
        protect=said.get("protect", False),
    )


def observed(case, held):
    attempts = held.records["a"].generation.attempts if "a" in held.records else ()
    runs = {}
    for address, part in {"a": case, **case.get("upstream", {}), **case.get("beside", {})}.items():
        if "observed" in part:
            run = held.records[address].generation.attempts[-1].run
            runs[run] = observation(run, part["observed"])
    marked = (
        {attempts[-1].nonce: tuple(shown(f"m{i}", s) for i, s in enumerate(case["marked"]))} if "marked" in case else {}
    )
    strays = {
        address: tuple(shown(f"s{i}", status) for i, status in enumerate(part["strays"]))
        for address, part in {"a": case, **case.get("upstream", {})}.items()
        if "strays" in part
    }
    unlisted = {"writer": "503 from the remote"} if case.get("unlisted") else {}
    agents = frozenset(case["agents"]) if "agents" in case else None
    return Observed(runs=runs, marked=marked, strays=strays, unlisted=unlisted, agents=agents)


@pytest.mark.parametrize("case", list(cases()))
def test_the_decision_table(case):
    held = recorded(case)
    plan = planned(
        wanted_of(case),
        held,
        observed(case, held),
        remote=REMOTES[case.get("remote", "here")],
        requested=case["requested"]
        if isinstance(case.get("requested"), list)
        else ("a",) * bool(case.get("requested")),
        rerun=case["anew"] if isinstance(case.get("anew"), list) else ("a",) * bool(case.get("anew")),
        selected=frozenset(case["selected"]) if "selected" in case else None,
        contents={} if case.get("unreadable") else CONTENTS,
        kept=case.get("kept", ()),
    )
    (change,) = (change for change in plan.changes if change.address == case.get("of", "a"))
    expect = case["expect"]
    found = {
        "action": change.action.value,
        "health": change.health.value,
        "paid": change.paid,
        "conditional": change.conditional,
        "after": list(change.after),
        "destructive": change.destructive,
        "refused": change.refused,
        "in_error": change.in_error,
        "moved_from": change.moved_from,
        "run": (change.generation, change.attempt),
        "reasons": [reason.code for reason in change.reasons],
    }
    quiet = dict.fromkeys(("paid", "conditional", "destructive", "refused", "in_error"), False) | {
        "after": [],
        "moved_from": None,
    }
    reasons = expect.get("reasons", [expect["reason"]] if "reason" in expect else None)
    assert reasons, "a case says for which reason"
    told = {**quiet, **{k: v for k, v in expect.items() if k not in {"reason", "run"}}, "reasons": reasons}
    if "run" in expect:
        told["run"] = (expect["run"]["generation"], expect["run"]["attempt"])
    else:
        del found["run"]
    assert found == told
