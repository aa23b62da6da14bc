"""Records and notes as JSON: everything comes back, nothing unknown is let in, and older formats stay readable."""

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from state_values import ALICE, EXTRACT, note, record

from taskspec.ci import Revision
from taskspec.inputs import Input
from taskspec.state import encoding
from taskspec.state import holders as of_holders
from taskspec.state.encoding import (
    decode_note,
    decode_record,
    encode_note,
    encode_record,
)
from taskspec.state.holders import decode_holder, encode_holder
from taskspec.state.model import Accepted, Attempt, Generation, Holder, Note, OnRemove, Record, ResultRef, StopCause
from taskspec.taskapi.records import Tokens
from taskspec.taskapi.remotes import RemoteIdentity

SAMPLES = Path(__file__).parent / "samples"

texts = st.text(st.characters(exclude_categories=()), max_size=20)
times = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers() | times | texts
specs = st.dictionaries(
    texts, st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
)


def every_field(kind, **known):
    """Draw a value with all its optional fields; those in `known` from what they name."""
    return st.builds(kind, **({field.name: ... for field in fields(kind)} | known))


tokens = st.none() | every_field(Tokens)
remotes = every_field(RemoteIdentity)
revisions = st.none() | every_field(Revision)
attempts = every_field(
    Attempt,
    intended_at=times,
    send_deadline=times,
    started_at=st.none() | times,
    finished_at=st.none() | times,
    title=texts,
    detail=texts,
    remote=remotes,
    tokens=tokens,
    revision=revisions,
)
inputs = st.none() | st.dictionaries(texts, every_field(Input, digest=texts, giver=texts), max_size=2)
generations = every_field(Generation, spec=specs, attempts=st.lists(attempts, max_size=2).map(tuple), inputs=inputs)
accepted = every_field(Accepted, at=times, attempt=attempts)
records = every_field(
    Record, generation=generations, accepted=st.none() | accepted, unsent=st.none() | specs, file=texts
)


@st.composite
def records_of_the_accepted(draw):
    """Draw a record whose accepted attempt stands among those of its current generation, as it mostly does."""
    record = draw(records.filter(lambda record: record.accepted and record.generation.attempts))
    kept = replace(record.accepted, attempt=record.generation.attempts[-1])
    return replace(record, accepted=kept)


notes = every_field(Note, at=times, data=specs)
holders = every_field(Holder, since=times)


@settings(max_examples=60)
@given(records | records_of_the_accepted())
def test_every_record_comes_back_as_it_was(value):
    assert decode_record(encode_record(value)) == value


@settings(max_examples=60)
@given(notes)
def test_every_note_comes_back_as_it_was(value):
    assert decode_note(encode_note(value)) == value


@given(holders)
def test_every_holder_comes_back_as_it_was(value):
    assert decode_holder(encode_holder(value)) == value


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ("_RECORD", Record),
        ("_GENERATION", Generation),
        ("_INPUT", Input),
        ("_ATTEMPT", Attempt),
        ("_ACCEPTED", Accepted),
        ("_RESULT", ResultRef),
        ("_REMOTE", RemoteIdentity),
        ("_TOKENS", Tokens),
        ("_REVISION", Revision),
        ("_NOTE", Note),
        ("_HOLDER", Holder),
    ],
)
def test_every_field_of_a_value_has_its_key(shape, kind):
    names = [field.name.split("_") for field in fields(kind)]
    home = of_holders if kind is Holder else encoding
    assert list(getattr(home, shape)) == [first + "".join(map(str.title, rest)) for first, *rest in names]


LATER = {"unsent": None, "file": ""}


def attempts_of(record):
    accepted = record["accepted"]["attempt"] if record["accepted"] else None
    return [*record["generation"]["attempts"], *([accepted] if isinstance(accepted, dict) else [])]


def without_revisions(record):
    """Take out of a record what format 6 has brought, which is not known of it."""
    for attempt in attempts_of(record):
        assert attempt.pop("revision") is None
    return record


def without_notice(record):
    """Take out of a record what format 7 has brought, which is not known of it."""
    if record["accepted"]:
        assert record["accepted"].pop("acknowledged") is None
    return record


def later(record):
    """Take out of a record what formats above its own have brought, which is not known of it."""
    without_revisions(without_notice(record))
    assert record["generation"].pop("inputs") is None
    for key, value in LATER.items():
        assert record.pop(key) == value
    return record


def test_the_kept_record_of_format_7_is_readable_and_written_the_same():
    text = (SAMPLES / "record.v7.json").read_text().strip()
    value = decode_record(text)
    assert value.accepted.acknowledged == "failed"
    assert value.accepted.attempt.revision == Revision(
        commit="5a17" * 10, branch="main", author="alice", request=7, job="https://ci.example/jobs/1"
    )
    assert encode_record(value) == text


def test_revisions_that_are_equal_are_one_value_in_all_records():
    text = (SAMPLES / "record.v7.json").read_text().strip()
    one, other = decode_record(text), decode_record(text)
    assert one.accepted.attempt.revision is other.accepted.attempt.revision


@pytest.mark.parametrize("is_accepted", [False, True])
def test_the_kept_record_of_format_6_is_upgraded_and_loses_nothing(is_accepted):
    kept = json.loads((SAMPLES / "record.v6.json").read_text())
    if not is_accepted:
        kept["accepted"] = None
    value = decode_record(json.dumps(kept), 6)
    assert value.generation.attempts[1].revision.branch == "main"
    assert without_notice(json.loads(encode_record(value))) == kept


@pytest.mark.parametrize("is_written_out", [False, True])
def test_the_kept_record_of_format_5_is_upgraded_and_loses_nothing(is_written_out):
    kept = json.loads((SAMPLES / "record.v5.json").read_text())
    if is_written_out:
        kept["accepted"]["attempt"] = {**kept["generation"]["attempts"][1], "number": 7}
    value = decode_record(json.dumps(kept), 5)
    assert value.generation.inputs["vars.region"] == Input(digest="00ff00ff00ff00ff", giver="--var")
    assert value.unsent == {"labels": {"team": "growth"}, "timeout": 60.0}
    assert value.file == "tasks/extract.yaml"
    assert without_revisions(without_notice(json.loads(encode_record(value)))) == kept


def test_the_kept_record_of_format_4_is_upgraded_and_loses_nothing():
    text = (SAMPLES / "record.v4.json").read_text().strip()
    again = later(json.loads(encode_record(decode_record(text, 4))))
    assert again == json.loads(text)


def test_the_kept_record_of_format_4_is_read_in_all_its_parts():
    text = (SAMPLES / "record.v4.json").read_text().strip()
    value = decode_record(text, 4)
    assert value.generation.attempts[0].stop is StopCause.RETRY
    assert value.generation.attempts[1].result == value.accepted.result
    assert value.accepted.attempt.assertions == "a5" * 32
    assert value.on_remove is OnRemove.HOLD
    assert value.protect
    assert (value.spent, value.next_generation) == (4, 5)


def test_the_kept_record_of_format_3_is_upgraded_and_loses_nothing():
    text = (SAMPLES / "record.v3.json").read_text().strip()
    again = later(json.loads(encode_record(decode_record(text, 3))))
    assert again.pop("spent") == 0
    assert again == json.loads(text)


def test_the_kept_record_of_format_2_is_upgraded_and_loses_nothing():
    text = (SAMPLES / "record.v2.json").read_text().strip()
    again = later(json.loads(encode_record(decode_record(text, 2))))
    assert (again.pop("protect"), again.pop("spent")) == (False, 0)
    assert again == json.loads(text)


@pytest.mark.parametrize("accepted", [2, "written out", None])
def test_the_kept_record_of_format_1_is_upgraded_and_loses_nothing(accepted):
    kept = json.loads((SAMPLES / "record.v1.json").read_text())
    if accepted is None:
        kept["accepted"] = None
    elif accepted == "written out":
        kept["accepted"]["attempt"] = {**kept["generation"]["attempts"][1], "number": 7}
    value = decode_record(json.dumps(kept), 1)
    again = later(json.loads(encode_record(value)))
    attempts = [*again["generation"]["attempts"]]
    if accepted == "written out":
        attempts.append(again["accepted"]["attempt"])
    for attempt in attempts:
        assert (attempt.pop("assertions"), attempt.pop("rejudged")) == (None, False)
    assert (again.pop("protect"), again.pop("spent")) == (False, 0)
    assert again == kept


def test_a_record_of_format_1_is_refused_where_format_2_is_told():
    with pytest.raises(ValueError, match="exactly the keys"):
        decode_record((SAMPLES / "record.v1.json").read_text(), 2)


@pytest.mark.parametrize("text", ["null", "[]", "{}", "1", '{"accepted": null}', '{"accepted": 1, "generation": {}}'])
def test_what_is_no_record_of_format_1_is_refused_by_its_upgrade(text):
    with pytest.raises(ValueError, match="format 1"):
        decode_record(text, 1)


@pytest.mark.parametrize("form", [5, 6])
@pytest.mark.parametrize("text", ["null", "[]", "1", "{}", '{"generation": 1}', '{"accepted": 1, "generation": {}}'])
def test_what_is_no_record_of_formats_5_and_6_is_refused_by_its_upgrade(text, form):
    with pytest.raises(ValueError, match=f"format {form}"):
        decode_record(text, form)


@pytest.mark.parametrize("text", ["null", "[]", "1", "{}", '{"generation": 1}'])
def test_what_is_no_record_of_format_4_is_refused_by_its_upgrade(text):
    with pytest.raises(ValueError, match="format 4"):
        decode_record(text, 4)


@pytest.mark.parametrize("text", ["null", "[]", "1"])
def test_what_is_no_record_of_format_3_is_refused_by_its_upgrade(text):
    with pytest.raises(ValueError, match="format 3"):
        decode_record(text, 3)


@pytest.mark.parametrize("text", ["null", "[]", "1"])
def test_what_is_no_record_of_format_2_is_refused_by_its_upgrade(text):
    with pytest.raises(ValueError, match="format 2"):
        decode_record(text, 2)


def test_the_kept_note_is_readable_and_written_the_same():
    text = (SAMPLES / "note.v1.json").read_text().strip()
    assert decode_note(text).address == EXTRACT
    assert encode_note(decode_note(text)) == text


def mutations():
    """Every way to lose a key, to gain one, or to have a value of another type, at every depth."""

    def places(value, path=()):
        if isinstance(value, dict) and path[-1:] not in {("spec",), ("unsent",)}:
            if path[-1:] != ("inputs",):  # its keys are names of the author's
                yield path
            for key, inner in value.items():
                yield from places(inner, (*path, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from places(inner, (*path, index))

    whole = json.loads((SAMPLES / "record.v7.json").read_text())
    for path in places(whole):
        target = whole
        for step in path:
            target = target[step]
        yield json.dumps(whole), None
        for key in [*target, "unknown"]:
            before = dict(target)
            target.pop(key, None)
            if key == "unknown":
                target[key] = 1
            yield None, json.dumps(whole)
            target.clear()
            target.update(before)
            target[key] = [[]]
            yield None, json.dumps(whole)
            target.clear()
            target.update(before)


def test_a_key_that_is_missing_unknown_or_of_another_type_is_refused():
    refused = 0
    for good, bad in mutations():
        if good is not None:
            assert decode_record(good)
        else:
            refused += 1
            with pytest.raises(ValueError, match=r"keys|type"):
                decode_record(bad)
    assert refused > 80


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '"x"', "{"])
@pytest.mark.parametrize("decode", [decode_record, decode_note, decode_holder])
def test_what_is_no_object_is_refused(decode, text):
    with pytest.raises(ValueError):  # noqa: PT011  # the reader of the state says where
        decode(text)


@pytest.mark.parametrize(("old", "new"), [('"bound"', '"sent"'), ('"accepted","stop"', '"fine","stop"')])
def test_a_word_that_is_not_known_is_refused(old, new):
    text = encode_record(record())
    assert old in text
    with pytest.raises(ValueError, match="is not a valid"):
        decode_record(text.replace(old, new))


def test_a_number_that_is_no_json_is_not_written():
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_note(note(at=float("nan")))


def test_a_holder_is_plain_json():
    assert json.loads(encode_holder(ALICE))["user"] == "alice"
