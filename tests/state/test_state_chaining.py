"""The chain of a history: whatever is changed in it is found, and told where."""

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from taskspec.address import Address
from taskspec.state.chaining import follow, linked, root
from taskspec.state.encoding import decode_note, encode_note
from taskspec.state.model import HistoryEntry, Note

LINEAGE = "5a1e5" + "0" * 27

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
notes = st.builds(
    Note,
    address=st.sampled_from(["extract", "report[q1]", "report[q2]"]).map(Address),
    at=st.floats(0, 2e9),
    what=st.sampled_from(["intended", "bound", "ended"]),
    data=st.dictionaries(st.text(max_size=8), values, max_size=3),
)


def chained(written, lineage=LINEAGE):
    """Return the entries of some notes, newest first, each of a serial of its own."""
    head, entries = root(lineage), []
    for serial, note in enumerate(written, 1):
        head = linked(head, serial, note)
        entries.append(HistoryEntry(serial=serial, note=note, hash=head))
    return entries[::-1]


histories = st.lists(notes, min_size=1, max_size=8).map(chained)


def found(entries, heads=frozenset()):
    return follow(entries, LINEAGE, heads)


def note(number):
    return Note(address=Address("extract"), at=float(number), what="ended", data={"attempt": number})


@given(histories)
def test_what_nobody_changed_follows_to_its_beginning(entries):
    chain = found(entries, frozenset({entry.hash for entry in entries} | {root(LINEAGE), "other"}))
    assert (chain.broken, chain.length, chain.head) == (None, len(entries), entries[0].hash)
    assert chain.found == {entry.hash for entry in entries} | {root(LINEAGE)}


def test_a_history_without_entries_has_the_head_that_its_first_one_will_follow_from():
    chain = found([])
    assert (chain.broken, chain.length, chain.head) == (None, 0, root(LINEAGE))


@given(histories, st.data())
def test_an_edited_entry_is_found_where_it_is(entries, data):
    place = data.draw(st.integers(0, len(entries) - 1))
    entry = entries[place]
    edited = data.draw(
        st.one_of(
            notes.map(lambda other: replace(entry, note=other)),
            st.integers(0, 99).map(lambda serial: replace(entry, serial=serial)),
            st.just(replace(entry, hash="0" * 64)),
        )
    )
    assume(linked("", edited.serial, edited.note) != linked("", entry.serial, entry.note) or edited.hash != entry.hash)
    broken = found([*entries[:place], edited, *entries[place + 1 :]]).broken
    assert broken is not None
    assert (broken.position, broken.entry, broken.inserted) == (len(entries) - place, edited, False)


@given(histories, st.data())
def test_a_removed_entry_is_found_at_the_one_after_it(entries, data):
    place = data.draw(st.integers(1, len(entries)))
    assume(place < len(entries))
    broken = found([*entries[:place], *entries[place + 1 :]]).broken
    assert broken is not None
    assert (broken.position, broken.entry) == (len(entries) - place, entries[place - 1])


@given(histories)
def test_that_the_newest_were_removed_is_seen_by_a_head_alone(entries):
    chain = found(entries[1:], frozenset({entries[0].hash}))
    assert (chain.broken, chain.found) == (None, frozenset())
    assert chain.head != entries[0].hash


@given(histories, notes, st.data())
def test_an_inserted_entry_is_found_also_with_a_hash_that_follows(entries, other, data):
    place = data.draw(st.integers(1, len(entries)))
    before = entries[place].hash if place < len(entries) else root(LINEAGE)
    for digest in (linked(before, 1, other), "f" * 64):
        inserted = HistoryEntry(serial=1, note=other, hash=digest)
        assume(inserted not in entries)
        broken = found([*entries[:place], inserted, *entries[place:]]).broken
        assert broken is not None
        assert (broken.position, broken.entry, broken.inserted) == (len(entries) - place + 1, inserted, True)


@given(histories, st.data())
def test_two_entries_in_the_place_of_each_other_are_found(entries, data):
    one, two = (
        data.draw(st.sets(st.integers(0, len(entries) - 1), min_size=2, max_size=2)) if len(entries) > 1 else (0, 0)
    )
    assume(one != two)
    swapped = list(entries)
    swapped[one], swapped[two] = entries[two], entries[one]
    broken = found(swapped).broken
    assert broken is not None
    assert broken.position >= len(entries) - max(one, two)


@given(histories)
def test_the_history_of_another_lineage_is_none_of_this(entries):
    broken = follow(entries, "b" * 32).broken
    assert broken is not None
    assert broken.position == 1


@given(notes)
def test_an_entry_has_one_hash_however_its_text_is_written(written):
    expected = linked("", 1, written)
    assert linked("", 1, decode_note(encode_note(written))) == expected
    sorted_otherwise = json.dumps(json.loads(encode_note(written)), sort_keys=True, indent=1, ensure_ascii=False)
    assert linked("", 1, decode_note(sorted_otherwise)) == expected


def test_a_whole_number_has_one_hash_with_a_point_and_without():
    point = Note(address=Address("a"), at=1700000000.0, what="ended", data={"seconds": 3.0})
    none = Note(address=Address("a"), at=1700000000, what="ended", data={"seconds": 3})
    assert linked("", 1, point) == linked("", 1, none)
    assert linked("", 1, point) != linked("", 1, replace(point, data={"seconds": 3.5}))


def test_hashes_that_were_printed_once_stay_what_they_were():
    first = Note(address=Address("extract"), at=1.5, what="ended", data={"attempt": 1})
    assert root("abc") == "2cf4d42164efa1482a8264ac1315653ea890423b7ce0871f7e273a372dc20397"
    assert linked(root("abc"), 1, first) == "d88c89be5549f6ef7b9d0dc02e9d6ab4ef366a31c1bdf447b8eae4cba59efc7b"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_first_of_several_changes_is_named(count):
    entries = chained([note(number) for number in range(20)])
    for place in range(count):
        entries[place * 3] = replace(entries[place * 3], note=note(99))
    broken = found(entries).broken
    assert broken is not None
    assert broken.position == 20 - (count - 1) * 3
