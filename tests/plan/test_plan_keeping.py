"""Which results are still kept: those that a record holds, and those that the history names."""

from dataclasses import replace

import pytest
from plan_worlds import attempt, record

from taskspec.address import Address
from taskspec.ci import Revision
from taskspec.plan.keeping import kept_results, specs_of
from taskspec.state.encoding import revision_object
from taskspec.state.model import Note, Verdict
from taskspec.taskapi.records import Tokens
from taskspec.taskapi.remotes import RemoteIdentity


def note(what, generation=1, number=1, at=0.0, **data):
    return Note(address=Address("a"), at=at, what=what, data={"generation": generation, "attempt": number, **data})


def end(generation=1, number=1, at=20.0, **data):
    named = {"result": "d" * 64, "bytes": 7, "format": "text", "run": f"run-{generation}", "marker": "[m]"}
    remote = {"remote": {"type": "local", "instance": "one"}}
    judged = {"status": "completed", "verdict": "rejected"}
    return note("ended", generation, number, at, **{**judged, **named, **remote, **data})


def intent(generation=1, number=1, at=10.0):
    return note("intended", generation, number, at, agent="writer", nonce="n")


def numbers(*found):
    return [(kept.generation, kept.attempt.number) for kept in found]


def test_a_record_holds_the_accepted_result_and_those_of_its_last_generation():
    made = [attempt(1, generation=2, status="completed", verdict="rejected", kept="words")]
    held = record(text="B", generation=2, attempts=made, accepted=(1, "A", {"kept": "answer"}))
    newest, oldest = kept_results(held, ())
    assert numbers(newest, oldest) == [(2, 1), (1, 1)]
    assert (newest.is_accepted, oldest.is_accepted) == (False, True)
    assert newest.spec == {"agent": "writer", "prompt": "B"}
    assert oldest.spec is None, "an older taskspec has not kept the text of an older generation"


def test_the_history_has_kept_the_text_of_an_older_generation():
    kept = note("superseded", fingerprint="1:a", spec={"prompt": "A"})
    assert kept_results(None, (kept, end(), intent()))[0].spec == {"prompt": "A"}


def test_a_text_that_was_asked_for_again_is_kept_once():
    same = note("superseded", 2, fingerprint="1:a", spec=None)
    kept = note("superseded", 3, fingerprint="1:a", spec={"prompt": "A"})
    assert kept_results(None, (kept, same, end(2), intent(2)))[0].spec == {"prompt": "A"}
    held = record(text="B", generation=3)
    told = note("superseded", 2, fingerprint=held.generation.fingerprint, spec=None)
    assert specs_of(held, (told,)) == {2: held.generation.spec, 3: held.generation.spec}


def test_the_history_names_the_others():
    (kept,) = kept_results(None, (end(tokens={"prompt": 2, "completion": 3}), intent()))
    assert (kept.agent, kept.at, kept.result.size, kept.attempt.run) == ("writer", 20.0, 7, "run-1")
    assert (kept.attempt.nonce, kept.attempt.marker, kept.attempt.intended_at) == ("n", "[m]", 10.0)
    assert kept.attempt.remote == RemoteIdentity(type="local", instance="one")
    assert (kept.attempt.verdict, kept.attempt.tokens) == (Verdict.REJECTED, Tokens(prompt=2, completion=3))


def test_a_result_of_the_history_has_the_revision_at_which_it_was_asked_for():
    found = Revision(commit="5a17" * 10)
    asked = intent()
    asked = replace(asked, data={**asked.data, "revision": revision_object(found)})
    (kept,) = kept_results(None, (end(), asked))
    assert kept.attempt.revision == found


def test_a_run_that_ended_under_another_name_than_it_was_asked_for_under_loses_nothing():
    renamed = [replace(one, address=Address("b")) for one in (note("rejudged", verdict="accepted"), end(verdict="x"))]
    (kept,) = kept_results(None, (*renamed, intent()))
    assert (kept.attempt.nonce, kept.agent, kept.attempt.intended_at) == ("n", "writer", 10.0)
    assert kept.attempt.verdict is Verdict.ACCEPTED


def test_of_a_number_that_was_used_under_two_names_each_result_has_its_own_intent():
    former = [end(result="e" * 64), intent()]
    later = [replace(one, address=Address("b")) for one in (end(), replace(intent(), at=15.0))]
    (kept,) = kept_results(None, (*later, *former))
    assert (kept.result.digest, kept.attempt.intended_at) == ("d" * 64, 15.0)


def test_of_one_generation_the_newest_result_counts():
    assert numbers(*kept_results(None, (end(1, 2), intent(1, 2), end(1, 1), intent(1, 1)))) == [(1, 2)]


def test_of_one_generation_the_accepted_result_comes_before_a_later_one():
    made = [
        attempt(1, status="completed", verdict="accepted", kept="words"),
        attempt(2, status="completed", verdict="rejected", kept="others"),
    ]
    (kept,) = kept_results(record(attempts=made, accepted=(1, "A")), ())
    assert (kept.attempt.number, kept.is_accepted) == (1, True)


def test_what_gave_no_result_is_not_kept():
    failed = note("ended", status="failed", verdict="failed")
    assert kept_results(record(attempts=[attempt(status="failed", verdict="failed")]), (failed, intent())) == ()


@pytest.mark.parametrize(
    "broken",
    [{"bytes": "many"}, {"result": None}, {"format": 3}, {"run": None}, {"marker": None}],
    ids=lambda said: next(iter(said)),
)
def test_a_note_that_does_not_tell_enough_names_no_result(broken):
    assert kept_results(None, (end(**broken),)) == ()


def test_what_a_note_says_otherwise_than_it_is_written_is_not_believed():
    (kept,) = kept_results(None, (end(verdict="great", tokens={"prompt": "x"}, remote=None),))
    assert (kept.attempt.verdict, kept.attempt.tokens, kept.attempt.remote.type) == (None, None, "")
