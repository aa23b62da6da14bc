"""How the tasks stand: what is recorded is told whatever is declared, and wrong manifests are no good news."""

import pytest


@pytest.fixture
def mistaken(checkout, monkeypatch):
    """A checkout of one accepted task, and of one with a typo."""
    monkeypatch.setenv("TASKSPEC_STATE", "local")
    checkout.task("a")
    assert checkout.apply().code == 0
    checkout.task("b", promt="Hello.")
    return checkout


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("markdown", ["### ❌ Error", "b.yaml:1:", "promt", "<code>a</code> accepted"]),
        ("html", ['"verdict bad"', "The manifests are wrong.", "promt"]),
        ("junit", ['errors="1"', "promt", 'testcase name="a"']),
        ("jsonl", ['{"address": "a"', '{"error": {"message": "the manifests are wrong"', '"exitCode": 1']),
    ],
)
def test_a_report_over_wrong_manifests_is_an_error_in_each_format(mistaken, form, said):
    done = mistaken.taskspec("report", "--out=-", "--format", form)
    assert done.code == 1
    assert "promt" in done.err
    assert [words for words in said if words not in done.out] == [], done.out


def test_status_tells_what_is_recorded_and_that_what_is_declared_is_wrong(mistaken):
    for words in ([], ["--json"]):
        done = mistaken.taskspec("status", *words)
        assert done.code == 0, "its question is about what is recorded"
        assert "accepted" in done.out
        assert done.err.startswith("What is declared is wrong (`taskspec validate` tells)")


def test_neither_says_so_where_nothing_is_wrong(mistaken):
    (mistaken.folder / "b.yaml").unlink()
    assert mistaken.taskspec("status").err == ""
    done = mistaken.taskspec("report", "--out=-", "--format=markdown")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("### ✅ All is well")
