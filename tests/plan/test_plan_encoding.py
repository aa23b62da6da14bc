"""The plan as JSON: valid against the published schema, without secrets."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from plan_worlds import HERE, UNHURRIED, attempt, desired, observation, planned, record, snapshot, task
from test_plan_properties import plan_of, worlds

from taskspec.observed.model import Observed
from taskspec.plan.encoding import to_json
from taskspec.plan.model import Action
from taskspec.state.model import Verdict

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "plan.v1.json").read_text())
CHECK = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


@pytest.fixture
def document():
    made = attempt(status="executing")
    held = snapshot(record(attempts=[made]))
    return to_json(
        planned(desired(task(text="B"), task("b")), held, Observed(runs={made.run: observation(made.run, "executing")}))
    )


@UNHURRIED
@given(worlds())
def test_every_plan_is_valid_against_the_published_schema(world):
    CHECK.validate(to_json(plan_of(world)))


def test_a_change_tells_its_reason_its_place_and_its_difference(document):
    assert document["changes"][0] == {
        "address": "a",
        "movedFrom": None,
        "action": "replace",
        "reasons": [
            {
                "code": "spec_changed",
                "text": "`prompt` changed since g1",
                "at": {"file": "tasks.yaml", "line": 4, "column": 12, "commit": None},
                "because": [],
            },
            {"code": "run_executing", "text": "run run-a-g1-1 is executing", "because": []},
        ],
        "paid": True,
        "conditional": False,
        "retries": 0,
        "after": [],
        "destructive": True,
        "health": "healthy",
        "agent": "writer",
        "generation": 2,
        "attempt": 1,
        "fingerprint": "v1:B",
        "run": "run-a-g1-1",
        "verdict": "active",
        "kept": None,
        "refused": False,
        "inError": False,
        "diff": [{"path": "prompt", "before": "A", "after": "B"}],
        "risks": [],
        "estimate": {"seconds": None, "tokens": None},
        "ownDiff": None,
    }


def test_a_side_without_a_value_is_left_out(document):
    assert document["changes"][1]["diff"] == [
        {"path": "agent", "after": "writer"},
        {"path": "prompt", "after": "A"},
    ]


def test_the_summary_adds_up(document):
    assert document["summary"] == {
        "counts": {"create": 1, "replace": 1},
        "paidRuns": 2,
        "conditionalRuns": 0,
        "retries": 0,
        "unselected": 0,
        "risks": {},
        "estimate": {
            "seconds": {"p50": None, "p90": None, "known": 0, "unknown": 2},
            "tokens": {"p50": None, "p90": None, "known": 0, "unknown": 2},
        },
    }
    assert document["createdAt"] == "2023-11-14T22:13:20.000Z"


def test_what_is_sent_with_the_run_is_not_in_the_plan(document):
    assert "canary-secret" not in json.dumps(document)


def test_the_schema_is_strict_and_describes_every_property():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    loose, silent = [], []

    def walk(node, path):
        if isinstance(node, dict):
            if "properties" in node:
                loose.extend([path] if node.get("additionalProperties") is not False else [])
                silent.extend(f"{path}/{name}" for name, p in node["properties"].items() if not p.get("description"))
            for key, value in node.items():
                walk(value, f"{path}/{key}")

    walk(SCHEMA, "#")
    assert (loose, silent) == ([], [])


def test_the_schema_knows_every_action_and_verdict():
    change = SCHEMA["$defs"]["change"]["properties"]
    assert set(SCHEMA["$defs"]["action"]["enum"]) == {action.value for action in Action}
    assert set(change["verdict"]["enum"]) == {verdict.value for verdict in Verdict} | {None}


def test_an_unknown_property_is_refused(document):
    document["changes"][0]["surprise"] = 1
    with pytest.raises(jsonschema.ValidationError, match="surprise"):
        CHECK.validate(document)


def test_a_plan_for_another_remote_still_names_no_address_of_it():
    assert "example.com" not in json.dumps(to_json(planned(desired(task()), snapshot(), remote=HERE)))
