"""Deciding by hand through the command line: adopt, forget, orphans, drift, each with its exit code."""

import json

import pytest


@pytest.fixture
def applied(workspace):
    workspace.project()
    workspace.tasks(one={"agent": "echo", "prompt": "One."}, two={"agent": "echo", "prompt": "Two."})
    assert workspace.apply().code == 0
    return workspace


def test_a_forgotten_task_is_found_again_by_a_full_refresh_and_taken_back_unpaid(applied):
    forgotten = applied.taskspec("forget", "one", "--yes")
    assert (forgotten.code, "the next apply starts a run of it" in forgotten.out) == (0, True)
    assert applied.taskspec("plan", "--detailed-exitcode").code == 2
    assert applied.taskspec("plan", "--refresh=full").code == 9
    held = applied.apply("--refresh=full")
    assert (held.code, "0 runs started" in held.out) == (9, True)
    (orphan,) = applied.taskspec("orphans", "--json").json["orphans"]
    assert (orphan["address"], orphan["text"], orphan["status"]) == ("one", "declared", "completed")
    adopted = applied.taskspec("adopt", "one", orphan["run"], "--yes", "--json")
    assert [event["event"] for event in adopted.events] == ["RunAdopted"]
    again = applied.apply()
    assert (again.code, "0 runs started, 1 accepted" in again.out) == (0, True)
    assert applied.taskspec("plan", "--refresh=full", "--detailed-exitcode").code == 0


def test_a_run_made_with_the_task_api_is_adopted(applied):
    applied.tasks(
        one={"agent": "echo", "prompt": "One."},
        two={"agent": "echo", "prompt": "Two."},
        three={"agent": "echo", "prompt": "Three."},
    )
    made = applied.taskspec("tasks", "create", "echo", "Three.", "-f", "--json").json["id"]
    adopted = applied.taskspec("adopt", "three", made, "--yes")
    assert (adopted.code, "it bears no marker" in adopted.out, "prompt" in adopted.out) == (0, True, False)
    assert applied.apply().code == 0
    assert applied.result("three.txt") == "Three."
    assert len(applied.taskspec("tasks", "list", "echo", "--json").json["tasks"]) == 3


def test_without_a_terminal_nothing_is_decided(applied):
    before = applied.records()
    run = before["one"].generation.last.run
    for words in (["forget", "one"], ["forget", "one", "--json"], ["forget", "--yes"], ["adopt", "one", run]):
        done = applied.taskspec(*words)
        assert done.code == 64, done
    assert applied.records() == before


def test_wrong_words_say_what_is_right(applied):
    assert "Did you mean `one`?" in applied.taskspec("adopt", "onne", "r1").err
    missing = applied.taskspec("adopt", "one", "nosuch", "--yes")
    assert (missing.code, "taskspec orphans" in missing.err) == (1, True)
    taken = applied.taskspec("adopt", "two", applied.records()["one"].generation.last.run, "--yes")
    assert (taken.code, "taskspec forget one" in taken.err) == (64, True)
    assert applied.taskspec("forget", "nosuch", "--yes").code == 64
    assert applied.taskspec("orphans", "one").code == 64
    both = applied.taskspec("plan", "--refresh-only", "--refresh=none")
    assert (both.code, "Leave one out" in both.err) == (64, True)


def test_drift_is_shown_by_machine_and_by_words(applied):
    assert "Nothing has drifted." in applied.taskspec("plan", "--refresh-only", "--refresh=full").out
    shown = applied.taskspec("plan", "--refresh-only", "--json", "one").json
    assert (shown["recorded"], shown["looked"], shown["drift"]) == (1, 0, [])


def test_drift_that_nothing_acts_on_is_taken_notice_of_by_hand(applied):
    run = applied.records()["one"].accepted.run
    assert applied.taskspec("tasks", "update", run, "--status", "failed").code == 0
    check = ("reconcile", "--plan-only", "--refresh=full", "--detailed-exitcode")
    red = applied.taskspec(*check)
    assert (red.code, "`taskspec apply --refresh-only` takes notice of what the run of one shows" in red.out) == (
        2,
        True,
    )
    unasked = applied.taskspec("apply", "--refresh-only")
    assert (unasked.code, "no terminal to ask on" in unasked.err) == (64, True)
    assert applied.taskspec(*check).code == 2
    assert applied.taskspec("apply", "--refresh-only", "--json").code == 64
    told = applied.taskspec("apply", "--refresh-only", "--yes", "--json")
    (event,) = told.events
    assert (event["event"], event["address"], event["status"]) == ("DriftAcknowledged", "one", "failed")
    assert "~ one  completed → failed" in told.err
    assert applied.taskspec(*check).code == 0
    assert "shows failed; the result stays accepted" in applied.taskspec("history", "one", "--limit", "1").out
    assert "run shows since  failed" in applied.taskspec("state", "show", "one").out
    again = applied.apply("--refresh-only")
    assert (again.code, "Nothing has drifted." in again.out) == (0, True)
    assert applied.apply("--refresh-only", "--quiet").out == ""
    assert applied.result("one.txt") == "One."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--refresh=active"], "looks at all tasks"),
        (["--refresh=none"], "Leave one out"),
        (["--rerun", "one"], "--rerun is about a plan"),
        (["--since", "main"], "--since is about a plan"),
        (["--report", "junit=report.xml"], "--report is about a plan"),
        (["--fail-on-risk", "any"], "--fail-on-risk is about a plan"),
        (["--no-wait"], "--wait is about a plan"),
        (["--override", "nonsense"], "`nonsense` is no limit and no policy"),
        (["kept.plan"], "carries out no plan"),
    ],
)
def test_what_takes_notice_alone_is_told_nothing_else(applied, words, said):
    assert applied.taskspec("plan", "--out", "kept.plan").code == 0
    done = applied.apply("--refresh-only", *words)
    assert (done.code, said in done.err) == (64, True), done


def test_a_run_whose_engine_is_gone_is_given_up_by_hand(workspace):
    workspace.project()
    workspace.tasks(one={"agent": "slow", "prompt": "One."}, two={"agent": "echo", "prompt": "Two."})
    with workspace.serving():
        assert workspace.apply("--no-wait").code == 0
        workspace.until(lambda: workspace.lines("started"))
    for path in sorted((workspace.folder / ".taskspec/engine").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert workspace.taskspec("plan").code == 1
    assert workspace.taskspec("plan", "--refresh-only", "--detailed-exitcode").code == 1
    workspace.tasks(two={"agent": "echo", "prompt": "Two."})
    assert "taskspec forget one" in workspace.taskspec("plan").out
    forgotten = workspace.taskspec("forget", "one", "--yes")
    assert (forgotten.code, "it may go on" in forgotten.out) == (0, True)
    assert workspace.taskspec("status").code in {0, 9}
    assert "one" not in workspace.records()


def test_a_full_refresh_of_a_new_project_asks_and_creates(workspace):
    workspace.project()
    workspace.tasks(one={"agent": "echo", "prompt": "One."})
    assert workspace.taskspec("plan", "--refresh=full", "--detailed-exitcode").code == 2
    assert workspace.taskspec("orphans").code == 0
    assert workspace.apply("--refresh=full").code == 0


def test_the_json_of_every_new_command_is_json(applied):
    assert set(json.loads(applied.taskspec("orphans", "--json").out)) == {"orphans", "past", "foreign", "unlisted"}
    (event,) = applied.taskspec("forget", "one", "--yes", "--json").events
    assert (event["event"], event["address"]) == ("AddressForgotten", "one")
