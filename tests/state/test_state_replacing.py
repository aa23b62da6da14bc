"""Which document may take the place of which state, unless it is forced to."""

from dataclasses import replace

import pytest
from state_values import EXTRACT, chained_document, record

from taskspec.state.chaining import root
from taskspec.state.model import Snapshot
from taskspec.state.replacing import forced_serial, goes_on, is_empty, is_same, refusal

NOTHING = Snapshot(lineage="new", serial=0, records={}, head=root("new"))


def state(number):
    found = chained_document(number)
    return Snapshot(lineage=found.lineage, serial=found.serial, records=found.records, head=found.head)


def test_a_state_in_which_nothing_was_kept_takes_any_document():
    assert is_empty(NOTHING)
    assert refusal(NOTHING, chained_document(3), "default") is None
    assert not is_empty(state(1))


def test_a_newer_document_that_goes_on_from_the_state_is_taken():
    assert refusal(state(3), chained_document(5), "default") is None
    assert goes_on(state(3), chained_document(5))


def test_what_was_edited_in_a_pulled_document_is_taken_with_a_higher_serial():
    document = chained_document(3)
    edited = replace(document, serial=4, records={EXTRACT: record()})
    assert refusal(state(3), edited, "default") is None


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (chained_document(2), "is older (serial 2) than the state (serial 3)"),
        (replace(chained_document(3), records={}), "another one of the same serial 3"),
        (replace(chained_document(9), lineage="other"), "of the lineage other"),
        (replace(chained_document(9), environment="prod"), "environment `prod`, and this is `default`"),
        (replace(chained_document(2), serial=9), "lacks what has happened here since"),
    ],
)
def test_what_would_forget_something_is_refused(document, says):
    assert says in refusal(state(3), document, "default")


def test_the_very_same_state_is_nothing_to_be_done():
    assert is_same(state(3), chained_document(3))
    assert not is_same(state(3), replace(chained_document(3), records={}))


@pytest.mark.parametrize(("there", "pushed", "serial"), [(3, 2, 4), (3, 3, 4), (3, 9, 9)])
def test_no_serial_is_given_twice_by_force(there, pushed, serial):
    assert forced_serial(state(there), chained_document(pushed)) == serial


def test_an_empty_state_gets_the_serial_of_what_is_pushed():
    assert forced_serial(NOTHING, chained_document(2)) == 2
