"""A whole state as a document: one text for equal states, and nothing taken that is wrong in any way."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from state_values import chained_document

from taskspec.contracts import Contract, load_schema
from taskspec.errors import StateError
from taskspec.state.encoding import FORMAT
from taskspec.state.model import Snapshot
from taskspec.state.parsing import parse
from taskspec.state.writing import pieces

DOCUMENT = chained_document(6)
CONTRACT = Contract(load_schema("state.v1"))


def written(document, **more):
    snapshot = Snapshot(lineage=document.lineage, serial=document.serial, records=document.records, head=document.head)
    results = None if document.results is None else sorted(document.results.items())
    return "".join(pieces(snapshot, document.project, document.environment, document.history, results))


TEXT = written(DOCUMENT)
VALUE = json.loads(TEXT)


def test_a_document_is_read_as_what_it_was_written_from_and_written_as_it_was():
    assert parse(TEXT) == DOCUMENT
    assert written(parse(TEXT)) == TEXT


def test_a_document_fits_the_published_schema():
    assert not CONTRACT.violations(VALUE)
    assert not CONTRACT.violations({**VALUE, "results": None})
    assert not CONTRACT.violations({**VALUE, "records": [], "history": [], "results": {}})


@pytest.mark.parametrize("written_anew", [json.dumps, lambda v: json.dumps(v, indent=4, sort_keys=True)])
def test_another_layout_of_the_same_document_is_the_same(written_anew):
    assert parse(written_anew(VALUE)) == DOCUMENT


def test_whole_numbers_may_have_lost_their_point():
    assert parse(TEXT.replace(".0,", ",").replace(".0}", "}")) == DOCUMENT


def test_a_document_without_results_is_one():
    assert parse(json.dumps({**VALUE, "results": None})).results is None


def edited(*path, value=None, remove=False):
    found = copy.deepcopy(VALUE)
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    if remove:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.dumps(found)


def twice():
    found = copy.deepcopy(VALUE)
    found["records"].append(found["records"][0])
    return json.dumps(found)


def without_results_named():
    found = copy.deepcopy(VALUE)
    found["results"] = {}
    return json.dumps(found)


WRONG = {
    "nothing": ("", "it is not JSON"),
    "a text": ("hello", "it is not JSON"),
    "half of it": (TEXT[: len(TEXT) // 2], "it is not JSON"),
    "a list": ("[]", "it is not the document of a state"),
    "another object": ('{"a": 1}', "it is not the document of a state"),
    "a state of Terraform": ('{"version": 4, "serial": 1, "lineage": "a"}', "it is not the document of a state"),
    "a plan": ('{"format": 1, "lineage": "a", "serial": 1, "changes": []}', "it is not the document of a state"),
    "endless nesting": ("[" * 100_000, "nested too deeply"),
    "a key twice": (TEXT.replace('"serial": 6,', '"serial": 6, "serial": 7,', 1), 'the key "serial" stands twice'),
    "no number": (TEXT.replace('"spent": 0', '"spent": NaN', 1), "NaN is not a JSON value"),
    "a newer format": (edited("format", value=2), "a newer taskspec wrote it"),
    "newer records": (edited("recordFormat", value=FORMAT + 1), "a newer taskspec wrote it"),
    "a format that is none": (edited("format", value=True), "`format` is no number"),
    "a key too many": (edited("more", value=1), "exactly the keys"),
    "a key missing": (edited("head", remove=True), "exactly the keys"),
    "a lineage that is none": (edited("lineage", value="a/../b"), "`lineage` is none"),
    "another lineage": (edited("lineage", value="b" * 32), "number 1 from the oldest"),
    "a negative serial": (edited("serial", value=-1), "`serial` is not a number"),
    "a fraction": (edited("serial", value=6.5), "`serial` is of another type"),
    "a serial beyond all": (edited("serial", value=2**63), "`serial` is not a number"),
    "a serial before its history": (edited("serial", value=5), "history[0]"),
    "another head": (edited("head", value="0" * 64), "newer ones were removed"),
    "an edited entry": (edited("history", 2, "what", value="bound"), "number 4 from the oldest"),
    "an edited hash": (edited("history", 2, "hash", value="0" * 64), "number 4 from the oldest"),
    "a removed entry": (edited("history", 2, remove=True), "does not follow"),
    "the newest removed": (edited("history", 0, remove=True), "newer ones were removed"),
    "an entry that is none": (edited("history", 0, value=3), "history[0]: expected an object"),
    "a record that is none": (edited("records", 3, value=None), "records[3]"),
    "a record of another shape": (edited("records", 3, "agent", remove=True), "records[3]: expected an object"),
    "an unknown verdict": (edited("records", 0, "generation", "attempts", 0, "verdict", value="fine"), "records[0]"),
    "no address": (edited("records", 0, "address", value="a b\x1b"), "is not an address"),
    "an address twice": (twice(), "is recorded twice"),
    "a digest that is none": (edited("results", "abc", value="x"), "texts by their digests"),
    "another text": (edited("results", next(iter(VALUE["results"])), value="x"), "does not match its digest"),
    "no text": (edited("results", next(iter(VALUE["results"])), value=1), "texts by their digests"),
    "half of a character": (edited("results", "0" * 64, value="\ud800"), "does not match its digest"),
    "a named result missing": (without_results_named(), "is not in it"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_and_refused(name):
    text, says = WRONG[name]
    with pytest.raises(StateError) as caught:
        parse(text)
    assert says in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def places(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


PLACES = [path for path in places(VALUE) if path]
JUNK = st.sampled_from([None, True, -1, 0, 1.5, "", "x", "0" * 64, [], {}, [1], {"a": 1}, 2**70, "\x1b[2J", "\ud800"])


@settings(max_examples=400)
@given(st.sampled_from(PLACES), JUNK | st.just("remove"))
def test_a_document_with_junk_anywhere_is_refused_or_is_another_state_but_never_a_crash(path, junk):
    text = edited(*path, remove=True) if junk == "remove" else edited(*path, value=junk)
    try:
        found = parse(text)
    except StateError:
        return
    assert path[0] not in {"head", "history", "format"} or found == DOCUMENT


@settings(max_examples=300)
@given(st.integers(0, len(TEXT) - 1), st.sampled_from('x0"{}[],:\\ \x00'))
def test_a_byte_that_was_changed_is_refused_or_harmless(place, byte):
    try:
        parse(TEXT[:place] + byte + TEXT[place + 1 :])
    except StateError:
        return
