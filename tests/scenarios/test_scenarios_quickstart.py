"""The quickstart, through the command line: what a newcomer sees, and what the machine-readable forms say."""

import csv
import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from scenario_workspaces import Workspace

from taskspec.contracts import Contract, load_schema

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"
TASKS = ["growth", "monthly-totals", "outliers", "regions"]


@pytest.fixture(scope="module")
def applied_once(tmp_path_factory):
    """The quickstart after its first apply: made once, and copied for each test."""
    folder = tmp_path_factory.mktemp("quickstart")
    made = Workspace(folder / "project", folder / "cache")
    made.copy(QUICKSTART)
    done = made.apply()
    assert done.code == 0, done
    return made


@pytest.fixture
def applied(workspace, applied_once):
    shutil.copytree(applied_once.folder, workspace.folder, dirs_exist_ok=True)
    return workspace


@pytest.fixture
def quickstart(workspace):
    """The quickstart, as a newcomer finds it."""
    workspace.copy(QUICKSTART)
    return workspace


def test_the_results_are_those_of_the_data(applied):
    totals = json.loads(applied.result("monthly-totals.json"))
    with (applied.folder / "data/sales.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["region"] == "emea" and r["month"].startswith("2025")]
    assert totals["revenue"] == float(sum(Decimal(row["revenue"]) for row in rows))
    assert [found["month"] for found in json.loads(applied.result("outliers.json"))["outliers"]] == [
        "2025-09",
        "2025-08",
    ]
    assert applied.result("growth.md").startswith("# ")
    assert "| emea |" in applied.result("regions.md")


def test_a_second_plan_has_nothing_to_do_and_a_second_apply_starts_nothing(applied):
    planned = applied.taskspec("plan", "--detailed-exitcode")
    assert planned.code == 0
    assert planned.out.startswith("Nothing is to be done.")
    again = applied.apply("--json")
    assert again.code == 0
    assert not [event for event in again.events if event["event"] == "RunCreated"]


def test_another_region_is_a_new_generation_of_what_depends_on_it(applied):
    assert applied.planned("--var", "region=apac") == {
        "monthly-totals": "create",
        "outliers": "create",
        "growth": "create",
        "regions": "none",
    }
    assert applied.apply("--var", "region=apac").code == 0
    assert json.loads(applied.result("monthly-totals.json"))["region"] == "apac"
    assert [applied.standing(name)["generation"] for name in TASKS] == [2, 2, 2, 1]


def test_a_variable_is_given_by_the_environment_too(quickstart):
    done = quickstart.taskspec("apply", "--yes", "monthly-totals", TASKSPEC_VAR_region="amer")
    assert done.code == 0
    assert json.loads(quickstart.result("monthly-totals.json"))["region"] == "amer"
    assert [path.name for path in sorted((quickstart.folder / "results").iterdir())] == [
        "monthly-totals.json",
        "monthly-totals.provenance.json",
    ]


def test_the_provenance_tells_which_run_gave_a_result(applied):
    provenance = json.loads(applied.result("growth.provenance.json"))
    standing = applied.standing("growth")
    assert provenance["run"] == standing["run"]
    assert provenance["result"]["sha256"] == standing["accepted"]["sha256"]
    assert provenance["verdict"] == "accepted"


def test_a_plan_as_json_is_what_its_schema_says(quickstart):
    contract = Contract(load_schema("plan.v1"))
    first = quickstart.taskspec("plan", "--json").json
    assert list(contract.violations(first)) == []
    assert [change["action"] for change in first["changes"]] == ["create"] * 4
    assert quickstart.apply("growth").code == 0
    second = quickstart.taskspec("plan", "--json", "--var", "region=apac").json
    assert list(contract.violations(second)) == []
    assert {change["address"]: change["action"] for change in second["changes"]}["growth"] == "create"
    assert list(contract.violations({**second, "changes": [{"address": 1}]}))


def test_an_apply_as_json_is_one_event_a_line_and_ends_with_its_end(quickstart):
    done = quickstart.apply("--json")
    names = [event["event"] for event in done.events]
    assert names[0] == "ApplyStarted"
    assert names[-1] == "ApplyFinished"
    assert names.count("RunCreated") == names.count("RunEnded") == names.count("ChangeFinished") == 4
    assert {event["format"] for event in done.events} == {1}


@pytest.mark.parametrize(
    "command",
    [["validate"], ["plan"], ["apply", "--yes"], ["status"], ["results"], ["stop", "--yes"], ["agents", "list"]],
    ids=" ".join,
)
def test_what_a_command_writes_as_json_is_json_and_nothing_else(applied, command):
    done = applied.taskspec(*command, "--json")
    assert done.code == 0
    assert done.err == ""
    assert done.events if command[0] in {"apply", "stop"} and done.out else done.out == "" or done.json


def test_logs_as_json_are_one_message_a_line(applied):
    messages = applied.taskspec("logs", "growth", "--json").rows
    assert [message["role"] for message in messages if "role" in message] == ["user", "agent"]
    followed = applied.taskspec("logs", "outliers", "-f", "--json").rows
    assert followed[-1]["type"] == "task_finished"


def test_a_result_is_printed_byte_for_byte(applied):
    assert applied.taskspec("results", "growth").out == applied.result("growth.md")
    assert sorted(line.split()[0] for line in applied.taskspec("results").out.splitlines()[1:]) == TASKS


def test_the_agents_of_the_project_are_listed(quickstart):
    lines = quickstart.taskspec("agents", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["ID", "analyst", "auditor", "reporter"]


def test_result_files_that_were_deleted_are_made_again(applied):
    before = applied.result("growth.md")
    (applied.folder / "results" / "growth.md").unlink()
    done = applied.apply()
    assert done.code == 0
    assert applied.result("growth.md") == before
    assert "0 runs started" in done.out
