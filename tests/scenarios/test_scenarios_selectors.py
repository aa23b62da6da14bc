"""Which tasks a command is about: selectors through the command line, over a project of two teams and four files."""

import pytest
import yaml


@pytest.fixture
def office(workspace):
    workspace.shell("moody", "test -e mended && cat || exit 1")
    workspace.project()
    task(workspace, "letters", "letter-ada", labels={"team": "post", "lang": "en"})
    task(workspace, "letters", "letter-emil", labels={"team": "post", "lang": "de"})
    task(workspace, "house/chores", "chore", agent="moody", labels={"team": "house"})
    task(workspace, "house/notes", "note", labels={"team": "house"})
    return workspace


def task(workspace, file, name, *, labels=None, agent="echo", prompt="hi"):
    document = {
        "apiVersion": "taskspec/v1",
        "kind": "Task",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"agent": agent, "prompt": prompt},
    }
    before = workspace.lines(f"{file}.yaml")
    workspace.write(f"{file}.yaml", "\n".join([*before, "---", yaml.safe_dump(document)]))


@pytest.mark.parametrize(
    ("arguments", "selected"),
    [
        (["letter-*"], "letter-ada letter-emil"),
        (["label:team=house"], "chore note"),
        (["label:lang", "note"], "letter-ada letter-emil note"),
        (["label:team=post,label:lang=d?"], "letter-emil"),
        (["file:house"], "chore note"),
        (["file:*/notes.yaml"], "note"),
        (["+note+"], "note"),
        (["--exclude", "label:team=post", "--exclude", "chore"], "note"),
        (["letters.yaml", "label:lang=en note"], "letter-ada"),
        (["letters.yaml", "--exclude", "letter-ada"], "letter-emil"),
        (["state:new,letter-ada"], "letter-ada"),
        (["result:none", "--exclude", "file:letters.yaml"], "chore note"),
    ],
)
def test_a_plan_is_about_what_is_selected_and_counts_the_rest(office, arguments, selected):
    planned = office.taskspec("plan", "--json", *arguments).json
    assert {change["address"] for change in planned["changes"]} == set(selected.split())
    assert planned["summary"]["unselected"] == 4 - len(planned["changes"])


def test_what_has_changed_and_what_has_failed_is_selected_by_what_is_recorded(office):
    assert office.apply("--exclude", "letter-emil").code == 3
    task(office, "house/notes", "late")
    office.write("letters.yaml", "\n".join(office.lines("letters.yaml")).replace("prompt: hi", "prompt: ho"))
    assert set(office.planned("state:changed")) == {"letter-ada"}
    assert set(office.planned("state:new")) == {"late", "letter-emil"}
    assert set(office.planned("state:unchanged")) == {"chore", "note"}
    assert set(office.planned("result:failed")) == {"chore"}
    assert set(office.planned("result:accepted,state:changed")) == {"letter-ada"}
    (office.folder / "house" / "notes.yaml").unlink()
    assert office.planned("state:removed") == {"note": "forget"}
    assert office.planned("note", "letter-ada") == {"note": "forget", "letter-ada": "create"}
    assert office.planned("house/chores.yaml") == {"chore": "none"}


def test_a_retry_of_what_has_failed_touches_nothing_else(office):
    assert office.apply().code == 3
    office.write("mended", "")
    done = office.taskspec("retry", "--yes", "result:failed")
    assert done.code == 0, done
    assert office.standing("chore")["attempt"] == 2
    assert {office.standing(name)["attempt"] for name in ("letter-ada", "letter-emil", "note")} == {1}
    again = office.taskspec("retry", "--yes", "result:failed")
    assert (again.code, "No task is selected" in again.err) == (64, True)


def test_nothing_selected_is_never_told_as_all_done(office):
    assert office.apply("label:team=post").code == 0
    plan = office.taskspec("plan", "state:changed", "--detailed-exitcode")
    assert plan.code == 0
    assert plan.out == "No task is selected.\n\nstories: 4 not selected.\n"
    planned = office.taskspec("plan", "--json", "state:changed")
    assert (planned.json["changes"], planned.err) == ([], "No task is selected by `state:changed`.\n")
    status = office.taskspec("status", "result:failed")
    assert (status.code, status.out, status.err) == (0, "", "No task is selected by `result:failed`.\n")
    results = office.taskspec("results", "--json", "result:failed")
    assert (results.code, results.json, results.err) == (0, {"results": []}, status.err)
    assert office.taskspec("validate", "state:changed").out == "4 tasks in stories: valid, none of them selected.\n"
    assert office.taskspec("validate", "--json", "label:team=post").json["selected"] == 2


def test_what_looks_after_runs_takes_selectors_although_the_manifests_are_broken(office):
    assert office.apply().code == 3
    office.write("house/notes.yaml", "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: [\n")
    shown = office.taskspec("status", "letter-*", "result:failed", "--json").json["tasks"]
    assert [row["address"] for row in shown] == ["chore", "letter-ada", "letter-emil"]
    assert "exit code 1" in office.taskspec("logs", "result:failed").out
    assert [row["address"] for row in office.taskspec("results", "--json", "n*").json["results"]] == ["note"]
    broken = office.taskspec("status", "label:team=post")
    assert (broken.code, broken.err.startswith("house/notes.yaml:")) == (1, True), broken


def test_a_result_is_printed_where_one_address_is_given_and_listed_otherwise(office):
    assert office.apply("label:team=post").code == 0
    assert office.taskspec("results", "letter-ada").out == "hi"
    assert office.taskspec("results", "letter-a*").out.startswith("ADDRESS")
    assert "letter-emil" not in office.taskspec("results", "label:lang=en").out
    several = office.taskspec("logs", "letter-*")
    assert (several.code, "letter-ada, letter-emil" in several.err) == (64, True)


def test_a_stop_asks_before_it_ends_what_was_not_named_in_full(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "slow", "prompt": "hi"}, b={"agent": "slow", "prompt": "ho"})
    with workspace.serving():
        assert workspace.apply("--no-wait").code == 0
        workspace.until(lambda: len(workspace.lines("started")) == 2)
        refused = workspace.taskspec("stop", "?")
        assert (refused.code, "--yes" in refused.err) == (64, True)
        assert workspace.taskspec("stop", "result:active", "--exclude", "b", "--yes").code == 0
        assert workspace.standing("a")["verdict"] == "stopped"
        assert workspace.standing("b")["verdict"] == "executing"
        nothing = workspace.taskspec("stop", "result:failed", "--yes")
        assert (nothing.code, "No task is selected" in nothing.err) == (64, True)
        assert workspace.taskspec("stop", "b").code == 0


def test_a_single_file_bounds_what_is_stopped_and_shown(office):
    assert office.apply().code == 3
    shown = office.taskspec("status", "letters.yaml", "--json").json["tasks"]
    assert [row["address"] for row in shown] == ["letter-ada", "letter-emil"]
    assert "note" not in office.taskspec("results", "house/chores.yaml").out
    office.write("letters.yaml", "\n".join(office.lines("letters.yaml")).replace("prompt", "promt"))
    broken = office.taskspec("stop", "--yes", "letters.yaml")
    assert (broken.code, broken.err.startswith("letters.yaml:")) == (1, True)


def test_a_selector_that_needs_the_documents_takes_variables(workspace):
    workspace.project(variables={"region": {}})
    workspace.tasks(a={"agent": "echo", "prompt": "{{ vars.region }}"})
    assert workspace.apply("--var", "region=emea").code == 0
    for region, selected in (("emea", []), ("apac", ["a"])):
        shown = workspace.taskspec("status", "--json", "state:changed", "--var", f"region={region}").json["tasks"]
        assert [row["address"] for row in shown] == selected
    assert workspace.taskspec("status", "state:changed").code == 1
    assert workspace.taskspec("status", "a").code == 0


def test_a_retry_touches_nothing_that_was_never_applied(office):
    assert office.apply("letter-ada").code == 0
    done = office.taskspec("retry", "--yes", "note")
    assert (done.code, "has never been applied" in done.err) == (64, True), done.err
    assert office.apply("chore").code == 3
    assert office.taskspec("retry", "--yes", "label:team=house").code == 3
    assert office.standing("chore")["attempt"] == 2
    assert office.planned("note") == {"note": "create"}


def test_runs_are_looked_after_where_an_agents_program_is_gone(office):
    assert office.apply("letter-ada").code == 0
    office.agents["gone"] = {"command": ["no-such-program-anywhere"]}
    office.project()
    assert office.taskspec("plan").code == 1
    for command in (["status"], ["results", "letter-ada"], ["logs", "letter-ada"], ["stop", "letter-ada", "--yes"]):
        done = office.taskspec(*command)
        assert done.code == 0, done
