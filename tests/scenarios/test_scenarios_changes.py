"""What a project goes through: edits, removals, failures, retries; each through the command line, with real agents."""

import pytest


def test_an_edited_prompt_is_a_new_generation_with_its_diff(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "echo", "prompt": "first\nthe same\n"})
    assert workspace.apply().code == 0
    workspace.tasks(a={"agent": "echo", "prompt": "second\nthe same\n"})
    planned = workspace.taskspec("plan", "--detailed-exitcode")
    assert planned.code == 2
    assert "+ a  create g2" in planned.out
    assert "- first" in planned.out
    assert "+ second" in planned.out
    assert "the same" in planned.out
    assert workspace.apply().code == 0
    assert workspace.result("a.txt") == "second\nthe same"
    assert workspace.taskspec("plan", "--detailed-exitcode").code == 0


def test_an_edited_title_is_an_update_that_starts_no_run(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "echo", "prompt": "hi", "title": "Old"})
    assert workspace.apply().code == 0
    run = workspace.standing("a")["run"]
    workspace.tasks(a={"agent": "echo", "prompt": "hi", "title": "New"})
    assert workspace.planned() == {"a": "update"}
    done = workspace.apply()
    assert done.code == 0
    assert "a: title updated" in done.out
    assert workspace.planned() == {"a": "none"}
    assert workspace.standing("a")["run"] == run


def test_a_cosmetic_edit_changes_nothing(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "echo", "prompt": "hi"})
    assert workspace.apply().code == 0
    text = (workspace.folder / "tasks.yaml").read_text()
    workspace.write("tasks.yaml", "# a comment\n" + text.replace("prompt: hi", "prompt: 'hi'   # quoted"))
    assert workspace.planned() == {"a": "none"}


def test_a_removed_task_is_forgotten_and_its_result_file_stays(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "echo", "prompt": "hi"}, b={"agent": "echo", "prompt": "ho"})
    assert workspace.apply().code == 0
    workspace.tasks(a={"agent": "echo", "prompt": "hi"})
    assert workspace.planned() == {"a": "none", "b": "forget"}
    assert workspace.apply().code == 0
    assert workspace.result("b.txt") == "ho"
    assert workspace.planned() == {"a": "none"}


def test_a_failing_agent_is_exit_3_with_its_own_words(workspace):
    workspace.shell("broken", "echo 'the disk is on fire' >&2; exit 7")
    workspace.project()
    workspace.tasks(a={"agent": "broken", "prompt": "hi"}, b={"agent": "echo", "prompt": "ho"})
    done = workspace.apply()
    assert done.code == 3
    assert "exit code 7" in done.out
    assert "the disk is on fire" in done.out
    assert workspace.result("b.txt") == "ho"
    assert "the disk is on fire" in workspace.taskspec("logs", "a").out
    assert "the disk is on fire" in workspace.taskspec("logs", "a", "-f").out


def test_a_failed_task_stays_unhealthy_until_somebody_asks_for_another_attempt(workspace):
    workspace.shell("moody", "test -e mended && cat || exit 1")
    workspace.project()
    workspace.tasks(a={"agent": "moody", "prompt": "hi"})
    assert workspace.apply().code == 3
    planned = workspace.taskspec("plan")
    assert planned.code == 3
    assert "✗ a  failed" in planned.out
    assert workspace.apply().code == 3
    assert len(workspace.records()["a"].generation.attempts) == 1
    assert workspace.taskspec("status").code == 3
    workspace.write("mended", "")
    done = workspace.taskspec("retry", "a", "--yes")
    assert done.code == 0, done
    assert workspace.standing("a")["attempt"] == 2
    assert workspace.result("a.txt") == "hi"


def test_a_policy_grants_as_many_attempts_as_it_says(workspace):
    workspace.shell("moody", 'echo x >> tries; test "$(wc -l < tries)" -ge 3 && cat || exit 1')
    workspace.project(defaults=[{"spec": {"retry": {"maxAttempts": 3, "statuses": ["failed"], "backoff": "0s"}}}])
    workspace.tasks(a={"agent": "moody", "prompt": "hi"})
    assert workspace.apply().code == 0
    assert workspace.lines("tries") == ["x"] * 3
    assert workspace.standing("a")["attempt"] == 3


@pytest.mark.parametrize(
    ("answer", "word"), [("echo not json", "JSON"), ('echo \'{"total": "many"}\'', "total"), ("true", "empty")]
)
def test_an_answer_that_does_not_meet_its_contract_is_rejected(workspace, answer, word):
    workspace.shell("sloppy", answer)
    workspace.project()
    schema = {"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}}}
    workspace.tasks(a={"agent": "sloppy", "prompt": "hi", "outputFormat": "json", "outputSchema": schema})
    done = workspace.apply()
    assert done.code == 3
    assert "a: rejected" in done.out
    assert word in done.out
    assert not list((workspace.folder / "results").glob("a*"))


def test_a_run_that_takes_longer_than_its_policy_allows_is_stopped_and_failed(workspace):
    workspace.project(defaults=[{"spec": {"timeout": "1s"}}])
    workspace.tasks(a={"agent": "slow", "prompt": "hi"})
    done = workspace.apply()
    assert done.code == 3
    assert workspace.standing("a")["verdict"] == "failed"
    assert "(cause: timeout)" in done.out


def test_an_agent_that_is_cut_by_its_own_time_limit_has_failed(workspace):
    workspace.shell("endless", "echo thinking >&2; sleep 600", timeout="3s")
    workspace.project()
    workspace.tasks(a={"agent": "endless", "prompt": "hi"})
    done = workspace.apply()
    assert done.code == 3
    assert "timed out after 3s" in done.out
    assert "thinking" in done.out


def test_addresses_select_what_is_applied(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "echo", "prompt": "hi"}, b={"agent": "echo", "prompt": "ho"})
    assert workspace.apply("b").code == 0
    assert list(workspace.records()) == ["b"]
    assert "1 not selected" in workspace.taskspec("plan", "b").out


def test_a_single_file_needs_no_project_file(workspace):
    workspace.tasks(a={"agent": "echo", "prompt": "hi"})
    done = workspace.taskspec("plan", "tasks.yaml")
    assert done.code == 1
    assert "echo" in done.err
    workspace.project()
    assert workspace.apply("tasks.yaml").code == 0


def test_an_attached_file_reaches_the_agent_by_content(workspace):
    workspace.shell(
        "reader",
        'python3 -c \'import json,os; t=json.load(open(os.environ["TASKSPEC_TASK_FILE"]));'
        ' print(open(t["input"]["files"][0]).read())\'',
    )
    workspace.project()
    workspace.write("data.csv", "1,2,3")
    workspace.tasks(a={"agent": "reader", "prompt": "hi", "files": ["data.csv"]})
    assert workspace.apply().code == 0
    assert workspace.result("a.txt") == "1,2,3"
    workspace.write("data.csv", "4,5,6")
    assert workspace.planned() == {"a": "create"}
