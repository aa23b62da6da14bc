"""Whatever takes the place of a generation, the history keeps what that was asked, once, and it is told again."""

import asyncio

import pytest
from kept_state import reading

from taskspec.address import Address
from taskspec.errors import UsageError
from taskspec.report.html.generations import MOST
from taskspec.runner import accepting, remembering
from taskspec.runner.forgetting import forget
from taskspec.runner.generations import generations_of
from taskspec.runner.remembering import Remembered
from taskspec.runner.retrieving import past
from taskspec.state.model import Verdict


def told(ports, address="a"):
    with reading(ports.folder) as store:
        return generations_of(Address(address), store.read().records.get(Address(address)), store)


def notes(ports):
    with reading(ports.folder) as store:
        return [entry.note for entry in store.history() if entry.note.what == "superseded"][::-1]


def test_each_text_that_was_asked_for_is_told_with_its_answer(ports):
    for prompt in ("One.", "Two.", "Three."):
        ports.task(prompt=prompt)
        ports.apply()
    found = told(ports)
    assert [(one.number, one.spec["prompt"], one.verdict) for one in found] == [
        (3, "Three.", Verdict.ACCEPTED),
        (2, "Two.", Verdict.ACCEPTED),
        (1, "One.", Verdict.ACCEPTED),
    ]
    assert [one.answer.run for one in found] == ["run-3", "run-2", "run-1"]
    assert all(one.fingerprint and one.plan and one.asked_at is not None and one.agent for one in found)
    assert [one.data["generation"] for one in notes(ports)] == [1, 2], "each once, and the newest is in the record"
    with reading(ports.folder) as store:
        assert store.result(found[2].attempts[0].result) == "answer to One."


def test_what_takes_the_place_is_committed_together_with_what_it_replaces(ports):
    ports.task(prompt="One.")
    ports.apply()
    ports.task(prompt="Two.")
    ports.apply()
    with reading(ports.folder) as store:
        serials = {entry.note.what: entry.serial for entry in store.history() if entry.note.data["generation"] == 1}
        intents = [entry.serial for entry in store.history() if entry.note.what == "intended"]
    assert serials["superseded"] == max(intents)


def test_a_text_that_is_asked_for_again_is_not_kept_twice(ports):
    ports.task(rerun="always")
    ports.apply()
    ports.apply()
    assert [one.data["spec"] for one in notes(ports)] == [None]
    newest, oldest = told(ports)
    assert newest.spec == oldest.spec is not None


def test_a_result_that_a_person_accepts_leaves_the_text_before_in_the_history(ports):
    ports.task(prompt="Wirte.")
    ports.apply()
    ports.task(prompt="Write.")
    wish = accepting.Wish(generation=None, approve=lambda _: True, emit=ports.events.append)
    assert asyncio.run(accepting.accept(ports.invocation("a"), ports, wish))
    newest, oldest = told(ports)
    assert (newest.spec["prompt"], oldest.spec["prompt"]) == ("Write.", "Wirte.")
    assert newest.answer.digest == oldest.answer.digest


def test_what_was_asked_of_a_forgotten_address_is_told(ports):
    ports.task(prompt="One.")
    ports.apply()
    assert asyncio.run(forget(ports.invocation("a"), ports, lambda _: True, ports.events.append))
    (found,) = told(ports)
    assert (found.spec["prompt"], found.answer.run) == ("One.", "run-1")


def test_a_task_with_a_new_name_is_told_under_the_former_ones_too(ports):
    ports.task(prompt="One.")
    ports.apply()
    ports.task(prompt="Two.")
    ports.apply()
    (ports.folder / "a.yaml").unlink()
    ports.task("b", prompt="Two.")
    ports.apply()
    assert [(one.number, one.spec["prompt"]) for one in told(ports, "b")] == [(2, "Two."), (1, "One.")]


def test_a_generation_without_an_accepted_result_has_no_answer_but_one_that_was_not_accepted(ports):
    ports.task(prompt="One.", assertions='[{regex: "nosuch"}]')
    ports.apply()
    ports.task(prompt="Two.", assertions='[{regex: "nosuch"}]')
    ports.apply()
    assert [one.answer for one in told(ports)] == [None, None]
    assert [one.unaccepted.run for one in told(ports)] == ["run-2", "run-1"]
    ports.task(prompt="Three.")
    ports.apply()
    assert [one.unaccepted is None for one in told(ports)] == [True, False, False]


def test_a_report_without_histories_reads_the_newest_answer_where_it_was_not_accepted(ports):
    def read():
        with reading(ports.folder) as store:
            told = Remembered().unaccepted(store, Address("a"), store.read().records[Address("a")])
        return [(one.number, one.answer, one.unaccepted.content) for one in told]

    ports.task(prompt="One.")
    ports.apply()
    assert read() == []
    ports.task(prompt="Two.", assertions='[{regex: "nosuch"}]')
    ports.apply()
    assert read() == [(2, None, "answer to Two.")]


def remembered(ports, ask):
    with reading(ports.folder) as store:
        found = ask(store, Address("a"), store.read().records[Address("a")])
    return [one.answer.content for one in found]


def test_a_report_reads_the_answers_of_as_many_generations_as_it_shows(ports, monkeypatch):
    assert remembering.GENERATIONS == MOST + 1
    monkeypatch.setattr(remembering, "GENERATIONS", 2)
    for prompt in ("One.", "Two.", "Three."):
        ports.task(prompt=prompt)
        ports.apply()
    assert remembered(ports, Remembered()) == ["answer to Three.", "answer to Two.", None]


def test_a_report_reads_no_more_answers_than_it_may(ports):
    for prompt in ("One.", "Two."):
        ports.task(prompt=prompt)
        ports.apply()
    assert remembered(ports, Remembered(answers=1)) == ["answer to Two.", None]
    assert remembered(ports, Remembered(most=0)) == [None, None]


def test_a_name_that_was_given_up_for_another_says_so(ports):
    ports.task(prompt="One.")
    ports.apply()
    (ports.folder / "a.yaml").unlink()
    ports.task("b", prompt="One.", moved="{from: a}")
    ports.apply()
    with pytest.raises(UsageError, match="`a` is called `b` now"), past(ports.invocation("a"), ports):
        pass
    with past(ports.invocation("b"), ports) as found:
        assert [one.number for one in found.generations] == [1]
