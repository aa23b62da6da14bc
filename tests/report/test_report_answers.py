"""Older answers: listed, and two of them held against each other, whatever stands in them."""

import json

import pytest

from taskspec.ci import Revision
from taskspec.plan.keeping import Kept
from taskspec.plan.recollecting import Recollection
from taskspec.report.answers import (
    Answered,
    contrast_lines,
    contrast_object,
    generation_lines,
    generation_object,
    result_word,
)
from taskspec.report.text import Paint
from taskspec.state.model import Attempt, ResultRef, Sending, Verdict
from taskspec.taskapi.records import Tokens
from taskspec.taskapi.remotes import RemoteIdentity

PLAIN = Paint(False)
EVIL = "\x1b[2J\u202eevil\n::error::x\n"


def generation(number, content, *, spec=None, output_format="text", **more):
    ref = ResultRef.of(content, output_format)
    made = Attempt(
        number=1,
        nonce="n",
        marker="[m]",
        body_digest="",
        intended_at=1_700_000_000.0 + number,
        send_deadline=0.0,
        remote=RemoteIdentity(type="local"),
        sending=Sending.BOUND,
        run=f"run-{number}",
        verdict=Verdict.ACCEPTED,
        started_at=1_700_000_000.0,
        finished_at=1_700_000_004.0,
        tokens=Tokens(prompt=2, completion=3),
        result=ref,
        revision=more.pop("revision", None),
    )
    agent = more.pop("agent", "writer")
    kept = Kept(generation=number, attempt=made, result=ref, agent=agent, at=1_700_000_005.0, is_accepted=number > 1)
    told = {"fingerprint": f"1:{number}", "plan": f"p{number}", "asked_at": 1_700_000_000.0 + number, "agent": agent}
    found = Recollection(number=number, spec=spec, attempts=(made,), accepted=kept, **{**told, **more})
    return Answered(generation=found, content=content)


def shown(before, after):
    return "\n".join(contrast_lines(before, after, PLAIN))


def test_the_words_that_differ_are_shown_within_their_lines():
    told = shown(
        generation(1, "The sales rose by 3 % in the north.\nNothing else.\n", spec={"prompt": "Sum up the year 2024."}),
        generation(2, "The sales rose by 4 % in the north.\nNothing else.\n", spec={"prompt": "Sum up the year 2025."}),
    )
    assert 'prompt: "Sum up the year [-2024-]{+2025+}."' in told or '"Sum up the year 2024." → ' in told
    assert "~ The sales rose by [-3-]{+4+} % in the north." in told
    assert "  Nothing else." in told


def test_json_is_compared_by_its_keys_not_by_how_it_is_written():
    before = generation(1, '{"b": 1, "a": [1, 2]}', output_format="json")
    after = generation(2, '{"a":[1,3],"b":1}', output_format="json")
    lines = contrast_object(before, after)["answered"]["lines"]
    assert [(one["kind"], one["text"].strip()) for one in lines if one["kind"] in {"added", "removed"}] == [
        ("removed", "2"),
        ("added", "3"),
    ]
    same = contrast_object(before, generation(2, '{"a": [1, 2], "b": 1}', output_format="json"))
    assert (same["answered"]["same"], same["answered"]["lines"]) == (False, [])
    assert "the same but for" in shown(before, generation(2, '{"a": [1, 2], "b": 1}', output_format="json"))


@pytest.mark.parametrize("broken", ["{", "[" * 100_000])
def test_json_that_is_none_is_compared_as_text(broken):
    before, after = generation(1, broken, output_format="json"), generation(2, "{}", output_format="json")
    assert contrast_object(before, after)["answered"]["same"] is False


def test_answers_that_are_the_same_are_told_as_that():
    assert "the very same, byte for byte" in shown(generation(1, "x"), generation(2, "x"))
    assert "the same but for blanks" in shown(generation(1, "x"), generation(2, "x\n"))


def test_what_was_not_kept_of_the_texts_is_said():
    told = shown(generation(1, "x"), generation(2, "y", spec={"prompt": "B"}))
    assert "what was asked for in g1 was not kept" in told
    assert contrast_object(generation(1, "x"), generation(2, "y", spec={"prompt": "B"}))["asked"] is None
    assert "asked\n        the very same" in shown(generation(1, "x", spec={}), generation(2, "y", spec={}))


def test_who_was_asked_and_by_which_commit_stands_above():
    told = shown(
        generation(1, "x", agent="old", revision=Revision(commit="a" * 40)),
        generation(2, "y", agent="new", revision=Revision(commit="b" * 40, request=7)),
    )
    assert "agent       old → new" in told
    assert f"revision    commit {'a' * 12} → commit {'b' * 12}, request 7" in told


def test_no_foreign_text_gets_out():
    before = generation(1, EVIL, spec={"prompt": EVIL}, agent=EVIL, plan=EVIL, revision=Revision(commit=EVIL))
    after = generation(2, "y" + EVIL, spec={"prompt": "y"}, agent="b", revision=Revision(branch=EVIL))
    lines = [*contrast_lines(before, after, PLAIN), *generation_lines([before.generation, after.generation], PLAIN)]
    for line in "\n".join(lines).split("\n"):
        assert "\x1b" not in line
        assert "\u202e" not in line
        assert not line.strip().startswith("::")
    assert json.loads(json.dumps(contrast_object(before, after)))["before"]["content"] == EVIL


def test_a_large_answer_is_compared_in_a_bounded_way():
    before = "".join(f"line {number}\n" for number in range(60_000))
    told = contrast_object(generation(1, before), generation(2, before.replace("line 30000\n", "another\n")))
    assert len(told["answered"]["lines"]) < 10


def test_each_generation_has_its_row():
    newest, oldest = generation(2, "x").generation, generation(1, "x").generation
    gone = generation(3, "gone", gone=frozenset({ResultRef.of("gone", None).digest})).generation
    none = Recollection(number=4)
    assert [result_word(one) for one in (none, gone, newest, oldest)] == ["none", "removed", "accepted", "kept"]
    header, *rows = generation_lines([none, gone, newest, oldest], PLAIN)
    assert [row.split()[0] for row in rows] == ["g4", "g3", "g2", "g1"]
    assert "COMMIT" in header
    told = generation_object(newest)
    assert (told["generation"], told["result"], told["tokens"], told["seconds"]) == (
        2,
        "accepted",
        {"prompt": 2, "completion": 3},
        4.0,
    )
    assert generation_object(none)["sha256"] is None
