"""A task gets another name: what was paid for goes on under it. Through the command line, with real agents."""

import json
import re
from pathlib import Path

from taskspec.contracts import Contract, load_schema

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"


def renamed(workspace, file, before, after):
    path = workspace.folder / file
    path.write_text(path.read_text("utf-8").replace(f"name: {before}\n", f"name: {after}\n"), "utf-8")


def result_files(workspace):
    return sorted(path.name for path in (workspace.folder / "results").iterdir())


def test_a_task_of_the_quickstart_with_another_name_is_moved_and_starts_no_run(workspace):
    workspace.copy(QUICKSTART)
    assert workspace.apply().code == 0
    before = workspace.standing("growth")
    report = workspace.result("growth.md")
    renamed(workspace, "tasks/reports.yaml", "growth", "yearly-growth")
    planned = workspace.taskspec("plan", "--json", "--detailed-exitcode")
    assert planned.code == 2
    assert not Contract(load_schema("plan.v1")).violations(planned.json)
    changes = {change["address"]: change for change in planned.json["changes"]}
    assert "growth" not in changes
    assert (changes["yearly-growth"]["action"], changes["yearly-growth"]["movedFrom"]) == ("move", "growth")
    assert planned.json["summary"]["paidRuns"] == 0
    shown = workspace.taskspec("plan").out
    assert shown.startswith("Plan: starts no run.")
    assert "→ yearly-growth (was growth)  move g1" in shown
    applied = workspace.apply("--json")
    assert applied.code == 0
    assert not [event for event in applied.events if event["event"] == "RunCreated"]
    assert workspace.result("yearly-growth.md") == report
    assert json.loads(workspace.result("yearly-growth.provenance.json"))["run"] == before["run"]
    assert not [name for name in result_files(workspace) if name.startswith("growth")]
    assert workspace.standing("yearly-growth")["run"] == before["run"]
    assert workspace.taskspec("logs", "yearly-growth").code == 0
    assert workspace.taskspec("plan", "--detailed-exitcode").code == 0


def test_a_title_that_is_the_name_is_changed_on_the_engine_too(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "echo", "prompt": "hi"})
    assert workspace.apply().code == 0
    workspace.tasks(b={"agent": "echo", "prompt": "hi"})
    done = workspace.apply()
    assert done.code == 0
    assert "b: was a; its record and its results go on under this name" in done.out
    assert "b: title updated" in done.out
    assert "0 runs started." in done.out
    listed = workspace.taskspec("tasks", "list", "echo", "--json").json["tasks"]
    assert [task["title"].partition(" ")[0] for task in listed] == ["b"]
    assert workspace.planned() == {"b": "none"}


def test_all_cells_get_other_names_and_what_the_plan_says_to_write_keeps_what_was_paid_for(workspace):
    spec = {"agent": "echo", "matrix": {"region": ["emea", "the apac"]}, "prompt": "{{ matrix.region }}"}
    workspace.project()
    workspace.tasks(report=spec)
    assert workspace.apply().code == 0
    spec |= {
        "matrix": {"format": ["pdf", "html"], "region": ["emea", "the apac"]},
        "prompt": "{{ matrix.region }} as {{ matrix.format }}",
    }
    workspace.tasks(report=spec)
    plan = workspace.taskspec("plan", "--json").json
    assert plan["summary"]["paidRuns"] == 4
    said = next(reason["text"] for reason in plan["changes"][0]["reasons"] if reason["code"] == "cells_renamed")
    assert "4 runs are paid anew" in said
    (written,) = re.findall(r'`moved: \{from: "(.*)"\}`', said)
    workspace.tasks(report={**spec, "prompt": "{{ matrix.region }}", "moved": {"from": written}})
    assert workspace.planned() == {
        "report[pdf,emea]": "move",
        'report[pdf,"the apac"]': "move",
        "report[html,emea]": "create",
        'report[html,"the apac"]': "create",
    }
    assert workspace.apply().code == 0
    assert workspace.result("report[pdf,emea].txt") == "emea"
    assert sorted(name for name in result_files(workspace) if name.endswith(".txt")) == [
        "report[html,%22the%20apac%22].txt",
        "report[html,emea].txt",
        "report[pdf,%22the%20apac%22].txt",
        "report[pdf,emea].txt",
    ]
    assert set(workspace.planned().values()) == {"none"}


def test_a_task_that_gets_cells_may_go_on_as_one_of_them(workspace):
    workspace.project()
    workspace.tasks(report={"agent": "echo", "prompt": "emea"})
    assert workspace.apply().code == 0
    spec = {"agent": "echo", "matrix": {"region": ["emea", "apac"]}, "prompt": "Now for {{ matrix.region }}"}
    workspace.tasks(report=spec)
    plan = workspace.taskspec("plan", "--json").json
    said = next(reason["text"] for reason in plan["changes"][0]["reasons"] if reason["code"] == "cells_renamed")
    (written,) = re.findall(r'`moved: \{from: "(.*)"\}`', said)
    assert written == "{% if matrix.region == 'emea' %}report{% endif %}"
    workspace.tasks(report={**spec, "prompt": "{{ matrix.region }}", "moved": {"from": written}})
    assert workspace.planned() == {"report[emea]": "move", "report[apac]": "create"}


def test_a_run_that_goes_on_under_an_engine_is_followed_under_the_new_name(workspace):
    workspace.shell("gated", "cat; until [ -e gate ]; do sleep 0.05; done")
    workspace.project()
    workspace.tasks(a={"agent": "gated", "prompt": "hi"})
    with workspace.serving():
        assert workspace.apply("--no-wait").code == 0
        workspace.tasks(b={"agent": "gated", "prompt": "hi"})
        assert workspace.planned() == {"b": "wait"}
        (workspace.folder / "gate").touch()
        done = workspace.apply("--json")
        assert done.code == 0
        assert not [event for event in done.events if event["event"] in {"RunCreated", "RunStopped"}]
    assert workspace.result("b.txt") == "hi"
    assert list(workspace.records()) == ["b"]
