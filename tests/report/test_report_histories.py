"""The history in words: every kind of entry, and whatever foreign text stands in it."""

import ast
from pathlib import Path

import pytest

import taskspec
from taskspec.address import Address
from taskspec.ci import Revision
from taskspec.report.histories import entry_json, entry_line, words
from taskspec.report.records import age, revision_words
from taskspec.report.text import Paint
from taskspec.state.encoding import revision_object
from taskspec.state.model import HistoryEntry, Note

EVIL = "\x1b[2J\u202eevil ::error::x\n"
SAID = {
    "accepted": ({"from": 1}, "the result of g1 was made the accepted one"),
    "begun": ({"digest": "d"}, "a saved plan was begun"),
    "done": ({}, "the saved plan was carried out"),
    "intended": ({"agent": "writer"}, "a run of writer is to be asked for"),
    "bound": ({"run": "r1"}, "run r1 has begun"),
    "refused": ({"why": "too big"}, "no run was started: too big"),
    "repeated": ({}, "asked for once more, under the same key"),
    "absent": ({"why": "proven"}, "its run is not there: proven"),
    "adopted": ({"run": "r1"}, "run r1 was taken for it"),
    "seen": ({"status": "paused"}, "its run is paused"),
    "ended": (
        {"status": "completed", "verdict": "accepted", "seconds": 75.0, "tokens": {"prompt": 1, "completion": 2}},
        "ended (completed): accepted in 1m15s, 3 tokens",
    ),
    "lost": ({"run": "r1"}, "the remote does not know run r1 any more"),
    "revived": ({"run": "r1", "status": "executing"}, "run r1 goes on: it is executing"),
    "acknowledged": (
        {"run": "r1", "status": "failed"},
        "taken notice of: run r1 shows failed; the result stays accepted",
    ),
    "stopping": ({"run": "r1", "cause": "user"}, "run r1 is to be stopped (cause: user)"),
    "stopped": ({"run": "r1", "status": "stopped"}, "run r1 was stopped: it is stopped"),
    "retitled": ({"title": "T", "kept": False}, 'its run did not take the title "T"'),
    "rejudged": ({"verdict": "rejected"}, "judged again: rejected"),
    "moved": ({"to": "b"}, "moved to b"),
    "migrated": ({"to": "s3://states/x"}, "the state was moved to s3://states/x"),
    "arrived": ({"from": "local"}, "the state has come here from local"),
    "rebuilt": ({"records": 3}, "the state was rebuilt of what the remote shows; tasks: 3"),
    "forgotten": ({"generation": 2, "result": "d"}, "left the state; its result of g2 stays"),
    "pruned": (
        {"generations": [2, 1], "results": ["d", "e"]},
        "2 older results removed, as its retention asks: those of g2, g1",
    ),
    "superseded": (
        {"generation": 1, "spec": {"prompt": "A"}},
        "g1 is an older generation from now on; its text is kept here",
    ),
    "duplicates": ({"kept": "r1", "runs": ["r1", "r2"]}, "the remote has it as 2 runs: r1 is kept"),
}


def entry(what, data):
    return HistoryEntry(
        serial=7, note=Note(address=Address("a"), at=1_700_000_000.0, what=what, data=data), hash="f" * 64
    )


def test_an_intent_names_the_commit_that_was_checked_out():
    at = {"revision": revision_object(Revision(commit="5a17" * 10))}
    said = words(entry("intended", {"agent": "writer"} | at).note)
    assert said == "a run of writer is to be asked for at commit 5a175a175a17"


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        (None, ""),
        (Revision(), ""),
        (Revision(commit="5a17" * 10), "commit 5a175a175a17"),
        (Revision(commit="5a17" * 10, is_dirty=True), "commit 5a175a175a17 and changes that are not in it"),
        (
            Revision(branch="main", request=7, author="ada", job="https://ci.example/1"),
            "branch main, request 7, by ada, https://ci.example/1",
        ),
    ],
)
def test_a_revision_has_its_words(revision, said):
    assert revision_words(revision) == said


@pytest.mark.parametrize("what", SAID)
def test_each_kind_of_entry_has_its_words(what):
    data, said = SAID[what]
    assert words(entry(what, data).note) == said


def test_whatever_is_written_to_the_history_has_words():
    written = set()
    for path in Path(taskspec.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "record" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                written.add(node.args[1].value)
            if name == "Note":
                written |= {
                    k.value.value for k in node.keywords if k.arg == "what" and isinstance(k.value, ast.Constant)
                }
    assert {"intended", "ended", "moved", "forgotten"} <= written
    assert written <= set(SAID)


def test_an_entry_of_a_kind_that_is_not_known_is_told_as_it_is():
    assert (
        words(entry("blessed", {"generation": 1, "attempt": 1, "why": "x", "by": "hand"}).note)
        == 'blessed {"why": "x"}'
    )
    assert words(entry("blessed", {}).note) == "blessed"


@pytest.mark.parametrize("what", [*SAID, "blessed"])
def test_foreign_text_is_harmless_and_missing_facts_are_no_crash(what):
    evil = dict.fromkeys(("agent", "run", "why", "status", "verdict", "cause", "title", "to", "kept", "x"), EVIL * 100)
    for data in (evil, {}, {"tokens": 3, "seconds": "x", "runs": 1, "generation": "x", "attempt": []}):
        line = entry_line(entry(what, data), Paint(color=False))
        assert "\x1b" not in line
        assert "\u202e" not in line
        assert "\n" not in line
        assert len(line) < 800
        assert entry_json(entry(what, data))["time"] == "2023-11-14T22:13:20.000+00:00"


def test_a_line_has_the_moment_the_serial_the_attempt_and_who_asked():
    by_plan = {"generation": 2, "attempt": 1, "run": "r1", "plan": "p1"}
    assert entry_line(entry("bound", by_plan), Paint(color=False)) == (
        "2023-11-14 22:13:20      7  a g2.1  run r1 has begun  plan p1"
    )
    assert entry_line(entry("moved", {"from": "b", "by": "hand"}), Paint(color=False)).endswith(
        "moved here from b  by hand"
    )


@pytest.mark.parametrize(
    ("seconds", "said"), [(-5.0, "0s"), (59.9, "59s"), (60.0, "1m"), (7200.0, "2h"), (86_400.0 * 40, "40d")]
)
def test_an_age_is_told_in_its_largest_unit(seconds, said):
    assert age(seconds) == said
