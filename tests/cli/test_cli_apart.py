"""A report is never written over the file of a plan: that is what somebody reviews, and what is carried out."""

import pytest


@pytest.fixture
def planned(checkout, monkeypatch):
    """A checkout with a saved plan, and a link to its folder."""
    monkeypatch.setenv("TASKSPEC_STATE", "local")
    checkout.task("a")
    (checkout.folder / "link").symlink_to(checkout.folder)
    assert checkout.taskspec("plan", "--out", "plan.json").code == 0
    return checkout


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "--out=plan.json"],
        ["reconcile", "--plan-only", "--out=plan.json"],
        ["reconcile", "--plan=plan.json"],
        ["apply", "plan.json", "--yes"],
    ],
)
@pytest.mark.parametrize("file", ["plan.json", "link/plan.json"])
def test_a_report_over_the_saved_plan_is_refused_before_anything_is_done(planned, words, file):
    before = (planned.folder / "plan.json").read_bytes()
    done = planned.taskspec(*words, "--report", f"jsonl={file}")
    assert done.code == 64, done
    assert f"A report cannot be written over the saved plan: `{file}`." in done.err
    assert (planned.folder / "plan.json").read_bytes() == before
    assert not planned.remote.runs


def test_a_report_beside_the_saved_plan_is_written(planned):
    done = planned.taskspec("reconcile", "--plan=plan.json", "--report", "jsonl=report.jsonl")
    assert done.code == 0, done
    assert (planned.folder / "report.jsonl").exists()
