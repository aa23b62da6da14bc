"""What a declared retention keeps of older results, and what it never lets go."""

from hypothesis import given
from hypothesis import strategies as st
from plan_worlds import UNHURRIED, attempt, record

from taskspec.address import Address
from taskspec.documents.model import Retention
from taskspec.plan.keeping import kept_results
from taskspec.plan.recollecting import recollected
from taskspec.plan.retaining import expendable, named_by, unneeded
from taskspec.state.model import Note, ResultRef

DAY = 86_400.0
NOW = 1000 * DAY


def digest(text):
    return ResultRef.of(text, None).digest


def ended(generation, text, *, at=0.0, address="a", number=1, verdict="accepted"):
    data = {"generation": generation, "attempt": number, "status": "completed", "verdict": verdict, "marker": "[m]"}
    named = {"result": digest(text), "bytes": len(text), "format": "text", "run": f"run-{generation}-{number}"}
    return Note(address=Address(address), at=at, what="ended", data={**data, **named})


def pruned(*texts, address="a"):
    data = {"generations": [], "results": [digest(text) for text in texts]}
    return Note(address=Address(address), at=0.0, what="pruned", data=data)


def held(number, text="now", address="a"):
    made = [attempt(1, address=address, generation=number, status="completed", verdict="accepted", kept=text)]
    return record(address, generation=number, attempts=made, accepted=(number, "A"))


def past(count, **more):
    """Return the notes of so many generations with an answer each, a day apart, the newest first."""
    return [ended(n, f"answer {n}", at=NOW - (count - n + 1) * DAY, **more) for n in range(count, 0, -1)]


def gone(retention, notes, *, current=None):
    current = current or held(len(notes) + 1)
    found = expendable(retention, current, notes, NOW)
    return () if found is None else found.generations


def test_without_a_retention_everything_is_kept():
    assert gone(Retention(), past(5)) == ()


def test_of_older_generations_the_newest_ones_are_kept():
    assert gone(Retention(generations=2), past(5)) == (3, 2, 1)
    assert gone(Retention(generations=0), past(2)) == (2, 1)
    assert gone(Retention(generations=9), past(5)) == ()


def test_what_is_older_than_its_age_is_not_kept():
    assert gone(Retention(age=3 * DAY), past(5)) == (2, 1)
    assert gone(Retention(age=3 * DAY, generations=1), past(5)) == (4, 3, 2, 1)


def test_what_is_accepted_now_stays_however_old_it_is():
    made = [attempt(1, generation=4, status="failed", verdict="failed")]
    current = record(generation=4, attempts=made, accepted=(2, "A", {"kept": "answer 2"}))
    assert gone(Retention(generations=0, age=1.0), past(3), current=current) == (3, 1)


def test_an_older_answer_that_is_the_accepted_one_word_for_word_stays():
    assert gone(Retention(generations=0), [ended(2, "other"), ended(1, "now")], current=held(3)) == (2,)


def test_an_answer_that_a_kept_generation_gave_too_stays():
    assert gone(Retention(generations=1), [ended(2, "same"), ended(1, "same")], current=held(3)) == ()


def test_every_result_of_a_generation_goes_also_those_that_were_rejected():
    notes = [ended(1, "second", number=2), ended(1, "first", verdict="rejected")]
    found = expendable(Retention(generations=0), held(2), notes, NOW)
    assert found.digests == {digest("first"), digest("second")}


def test_what_was_removed_counts_no_more_and_is_told():
    notes = [pruned("answer 1", "answer 2"), *past(4)]
    assert gone(Retention(generations=2), notes, current=held(5)) == ()
    assert gone(Retention(generations=1), notes, current=held(5)) == (3,)
    assert [one.generation for one in kept_results(None, notes)] == [4, 3]
    assert [one.number for one in recollected(None, notes) if one.is_gone] == [2, 1]


def test_what_was_given_once_more_after_it_was_removed_is_kept():
    notes = [ended(2, "same"), pruned("same"), ended(1, "same")]
    assert not any(one.is_gone for one in recollected(None, notes))


def needed(notes, *records, of="a"):
    known = {one.address: one for one in records}
    own = [note for note in notes if note.address == of]
    found = expendable(Retention(generations=0), known[of], own, NOW)
    return unneeded([found], known, notes).get(of, frozenset())


def test_what_another_task_has_answered_too_stays():
    notes = [ended(1, "same", address="b"), ended(2, "other"), ended(1, "same")]
    assert needed(notes, held(3), held(2, address="b")) == {digest("other")}


def test_what_another_record_names_stays():
    assert needed([ended(1, "theirs")], held(2), held(7, "theirs", address="b")) == frozenset()


def test_what_another_task_has_let_go_is_nobodys_any_more():
    notes = [pruned("same", address="b"), ended(1, "same", address="b"), ended(1, "same")]
    assert needed(notes, held(2), held(2, address="b")) == {digest("same")}


def test_what_two_tasks_let_go_at_once_goes():
    notes = [ended(1, "same", address="b"), ended(1, "same")]
    records = {one.address: one for one in (held(2), held(2, address="b"))}
    found = [
        expendable(Retention(generations=0), one, [note for note in notes if note.address == one.address], NOW)
        for one in records.values()
    ]
    assert unneeded(found, records, notes) == {name: {digest("same")} for name in ("a", "b")}
    assert unneeded(found[:1], records, notes) == {}


def test_a_former_name_keeps_nothing_unless_another_task_has_it_now():
    notes = [ended(1, "same", address="was")]
    found = expendable(Retention(generations=0), held(2), notes, NOW)
    assert unneeded([found], {"a": held(2)}, notes) == {"a": {digest("same")}}
    assert unneeded([found], {"a": held(2), "was": held(1, address="was")}, notes) == {}


def moved(address, **where):
    return Note(address=Address(address), at=0.0, what="moved", data=where)


def test_what_a_task_answered_under_a_name_that_another_has_now_stays():
    notes = [ended(2, "same"), moved("b", **{"from": "a"}), moved("a", to="b"), ended(1, "same")]
    found = expendable(Retention(generations=0), held(3), notes[:1], NOW)
    assert unneeded([found], {"a": held(3), "b": held(1, address="b")}, notes) == {}


def test_what_was_let_go_under_a_name_is_not_let_go_by_who_had_it_before():
    notes = [pruned("same"), ended(2, "same"), moved("a", to="b"), ended(1, "same")]
    found = expendable(Retention(generations=0), held(2, address="c"), [ended(1, "same", address="c")], NOW)
    records = {one: held(3, address=one) for one in ("a", "b", "c")}
    assert unneeded([found], records, [ended(1, "same", address="c"), *notes]) == {}


TEXTS = st.sampled_from(["one", "two", "three"])


@UNHURRIED
@given(
    answers=st.lists(TEXTS, max_size=6),
    others=st.lists(TEXTS, max_size=3),
    now=TEXTS,
    generations=st.one_of(st.none(), st.integers(0, 3)),
    age=st.one_of(st.none(), st.floats(0, 8 * DAY)),
)
def test_nothing_that_is_needed_goes_and_what_is_left_is_what_was_asked_for(answers, others, now, generations, age):
    own = [ended(n, text, at=NOW - n * DAY) for n, text in enumerate(answers, 1)][::-1]
    theirs = [ended(n, text, address="b") for n, text in enumerate(others, 1)]
    current = held(len(answers) + 1, now)
    records = {"a": current, "b": held(9, "theirs", address="b")}
    found = expendable(Retention(generations=generations, age=age), current, own, NOW)
    if found is None:
        return
    removed = unneeded([found], records, [*theirs, *own]).get("a", frozenset())
    assert not removed & named_by(current)
    assert not removed & {digest(text) for text in others}
    after = [pruned(*answers)] if removed == {digest(text) for text in answers} else []
    noted = Note(address=Address("a"), at=NOW, what="pruned", data={"results": sorted(removed)})
    again = expendable(Retention(generations=generations, age=age), current, [noted, *after, *own], NOW)
    left = frozenset() if again is None else unneeded([again], records, [noted, *theirs, *own]).get("a", frozenset())
    assert left == frozenset(), "a second time nothing is left to remove"
