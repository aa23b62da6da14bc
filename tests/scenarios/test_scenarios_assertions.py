"""Assertions through the command line: edited, they judge what is kept, and nothing runs again."""

import pytest

WORDS = {"agent": "counted", "prompt": "some words"}


@pytest.fixture
def counting(workspace):
    """A workspace whose agent leaves a line for each run that it carries out."""
    workspace.shell("counted", "echo run >> runs.txt; cat")
    workspace.project()
    return workspace


def runs(workspace):
    return (workspace.folder / "runs.txt").read_text().count("run")


def declare(workspace, *assertions, **more):
    workspace.tasks(a={**WORDS, **more, "assertions": list(assertions)})


def planned_reasons(workspace):
    (change,) = workspace.taskspec("plan", "--json").json["changes"]
    return [(reason["code"], reason["text"]) for reason in change["reasons"]]


def test_an_answer_that_an_assertion_rejects_is_exit_3_and_says_which(counting):
    declare(counting, {"regex": "nosuch", "message": "the word is missing"})
    done = counting.apply()
    assert done.code == 3
    assert "assertion 1 does not hold: the word is missing (`nosuch` does not match" in done.out
    assert not (counting.folder / "results" / "a.txt").exists()


def test_edited_assertions_take_acceptance_away_and_give_it_back_without_a_run(counting):
    declare(counting, {"regex": "words"})
    assert counting.apply().code == 0
    declare(counting, {"minLength": 100})
    planned = counting.taskspec("plan")
    assert planned.code == 3
    assert "= a  rejudge g1" in planned.out
    assert "its assertions changed: the kept result would be rejected: assertion 1 does not hold" in planned.out
    assert "starts no run" in planned.out
    assert "tasks.yaml:" in planned.out
    done = counting.apply()
    assert done.code == 3
    assert "a: rejected: assertion 1 does not hold: at least 100 characters are needed, found 10" in done.out
    assert "a: removed results/a.txt, which is no longer accepted" in done.out
    assert list((counting.folder / "results").iterdir()) == []
    assert counting.standing("a")["verdict"] == "rejected"
    assert counting.taskspec("results", "a").code != 0
    assert counting.planned() == {"a": "none"}
    assert counting.taskspec("plan").code == 3
    declare(counting, {"minLength": 5})
    assert counting.planned() == {"a": "rejudge"}
    assert counting.apply().code == 0
    assert counting.result("a.txt") == "some words"
    assert (counting.folder / "results" / "a.provenance.json").exists()
    assert counting.taskspec("plan", "--detailed-exitcode").code == 0
    assert runs(counting) == 1


def test_assertions_that_the_result_keeps_too_are_taken_over_quietly(counting):
    declare(counting)
    assert counting.apply().code == 0
    declare(counting, {"regex": "words"})
    assert planned_reasons(counting)[1] == (
        "assertions_changed",
        "its assertions changed: the kept result is accepted by them too",
    )
    assert counting.taskspec("plan", "--detailed-exitcode").code == 0
    assert counting.apply().code == 0
    assert [code for code, _ in planned_reasons(counting)] == ["accepted"]
    assert runs(counting) == 1


def test_a_rejection_by_judging_again_earns_no_further_attempt(counting):
    policy = {"retry": {"maxAttempts": 3, "statuses": ["rejected"], "backoff": "0s"}}
    declare(counting, **policy)
    assert counting.apply().code == 0
    declare(counting, {"regex": "nosuch"}, **policy)
    assert counting.apply().code == 3
    assert counting.planned() == {"a": "none"}
    assert counting.apply().code == 3
    assert runs(counting) == 1
    assert counting.taskspec("retry", "a", "--yes").code == 3
    assert runs(counting) == 3  # a run that was asked for is judged as it ends, and the policy holds again


def test_a_rejected_result_that_changed_assertions_still_reject_tells_why_in_the_new_words(counting):
    declare(counting, {"regex": "first"})
    assert counting.apply().code == 3
    declare(counting, {"regex": "second"})
    assert "`second` does not match" in planned_reasons(counting)[0][1]
    assert counting.apply().code == 3
    code, text = planned_reasons(counting)[0]
    assert code == "result_rejected"
    assert "`second` does not match" in text
    assert runs(counting) == 1


def test_an_older_accepted_text_that_comes_back_is_held_against_the_assertions_of_now(counting):
    declare(counting)
    assert counting.apply().code == 0
    counting.tasks(a={**WORDS, "prompt": "other words"})
    assert counting.apply().code == 0
    counting.tasks(a={**WORDS, "agent": "counted", "prompt": "third", "assertions": [{"minLength": 100}]})
    assert counting.apply().code == 3
    before = runs(counting)
    counting.tasks(a={**WORDS, "prompt": "other words", "assertions": [{"regex": "nosuch"}]})
    assert counting.planned() == {"a": "rejudge"}
    assert counting.apply().code == 3
    assert counting.planned() == {"a": "none"}
    assert list((counting.folder / "results").iterdir()) == []
    counting.tasks(a={**WORDS, "prompt": "other words", "assertions": [{"regex": "other"}]})
    assert counting.apply().code == 0
    assert counting.result("a.txt") == "other words"
    assert counting.planned() == {"a": "none"}
    assert runs(counting) == before


def test_a_result_file_of_somebody_else_survives_the_taking_back(counting):
    declare(counting)
    assert counting.apply().code == 0
    (counting.folder / "results" / "a.provenance.json").unlink()
    counting.write("results/a.txt", "mine")
    declare(counting, {"regex": "nosuch"})
    assert counting.apply().code == 3
    assert counting.result("a.txt") == "mine"


def test_assertions_with_a_path_judge_json(counting):
    counting.tasks(
        a={
            "agent": "counted",
            "prompt": '{"total": -1}',
            "outputFormat": "json",
            "assertions": [{"path": "$.total", "expr": "value > 0", "message": "a region cannot sell nothing"}],
        }
    )
    done = counting.apply()
    assert done.code == 3
    assert "a region cannot sell nothing (at $['total']: `value > 0` is false, found -1)" in done.out


def test_a_wrong_assertion_is_told_at_its_place_before_anything_runs(counting):
    counting.write(
        "tasks.yaml",
        "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: a}\nspec:\n  agent: counted\n  prompt: x\n"
        "  assertions:\n    - expr: |\n        len(value) > 0\n        and vlaue != ''\n",
    )
    done = counting.taskspec("validate")
    assert done.code == 1
    assert "tasks.yaml:10:13" in done.out + done.err
    assert "Did you mean `value`?" in done.out + done.err


def test_what_depends_on_a_result_that_is_taken_back_is_named_and_blocked_until_it_is_given_back(counting):
    def declared(pattern):
        counting.tasks(
            a={**WORDS, "assertions": [{"regex": pattern}]},
            b={"agent": "counted", "prompt": "on {{ tasks.a.result }}"},
        )

    declared("words")
    assert counting.apply().code == 0
    declared("nosuch")
    planned = counting.taskspec("plan")
    assert planned.code == 3
    assert "b needs it to be accepted" in planned.out
    done = counting.apply()
    assert done.code == 3
    assert "starts no run" in done.out
    assert counting.result("b.txt") == "on some words"
    assert counting.taskspec("plan").code == 3
    declared("some")
    assert counting.planned() == {"a": "rejudge", "b": "none"}  # the kept result is known, and so is what uses it
    assert counting.apply().code == 0
    assert counting.planned() == {"a": "none", "b": "none"}
    assert runs(counting) == 2


def test_assertions_of_a_task_whose_text_becomes_known_during_an_apply_are_judged_there(counting):
    counting.shell("constant", "cat >/dev/null; echo the same")
    counting.project()

    def declared(prompt, **more):
        counting.tasks(
            a={"agent": "constant", "prompt": prompt},
            b={"agent": "counted", "prompt": "on {{ tasks.a.result }}", **more},
        )

    declared("first")
    assert counting.apply().code == 0
    declared("second", assertions=[{"regex": "nosuch"}])
    done = counting.apply()
    assert done.code == 3
    assert "b: removed results/b.txt" in done.out
    assert counting.standing("b")["verdict"] == "rejected"
    declared("third", assertions=[{"regex": "same"}])
    assert counting.apply().code == 0
    assert counting.result("b.txt") == "on the same"
    assert counting.planned() == {"a": "none", "b": "none"}
    assert runs(counting) == 1
