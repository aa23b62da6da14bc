"""A remote that cannot be asked is no good news: neither for a plan that asks in full, nor for an apply of it."""

import pytest


@pytest.fixture
def settled(checkout, monkeypatch):
    monkeypatch.setenv("TASKSPEC_STATE", "local")
    checkout.task("a")
    assert checkout.apply().code == 0
    return checkout


def silent(remote):
    remote.silent = True


def without_lists(remote):
    remote.lists = False


@pytest.mark.parametrize("trouble", [silent, without_lists])
@pytest.mark.parametrize("words", [["plan"], ["reconcile", "--plan-only"], ["reconcile"], ["apply", "--yes"]])
def test_a_full_look_at_a_remote_that_does_not_answer_is_an_error(settled, tmp_path, trouble, words):
    trouble(settled.remote)
    reports = {form: tmp_path / f"report.{form}" for form in ("markdown", "html", "junit")}
    asked = [word for form, path in reports.items() for word in ("--report", f"{form}={path}")]
    done = settled.taskspec(*words, "--refresh=full", *asked)
    assert done.code == 1, done
    assert "Not looked at: the runs of the agent writer: " in done.out
    for path in reports.values():
        assert "Not looked at: the runs of the agent writer" in path.read_text()
    assert reports["markdown"].read_text().startswith("### ❌ Error")
    assert 'errors="1"' in reports["junit"].read_text()


def test_a_full_look_that_is_printed_as_json_says_on_stderr_what_it_did_not_see(settled):
    settled.remote.silent = True
    done = settled.taskspec("plan", "--refresh=full", "--json")
    assert done.code == 1
    assert "Not looked at: the runs of the agent writer: " in done.err


def test_a_plan_that_asks_for_nothing_needs_no_remote(settled):
    settled.remote.silent = True
    assert settled.taskspec("reconcile", "--plan-only").code == 0
