"""Event streams, cut at every place."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.taskapi.sse import EventParser, ServerEvent

STREAM = (
    "\ufeffdata: grüße 🎉\r\n\r\n: a comment\ndata: two\rdata:lines\r\revent: kind\nid: 7\nretry: 9\ndata\n\n"
    "event: no data\n\ndata: last\r\n\r\n"
).encode()
EVENTS = [
    ServerEvent(data="grüße 🎉"),
    ServerEvent(data="two\nlines"),
    ServerEvent(type="kind", id="7"),
    ServerEvent(data="last", id="7"),
]


def parsed(*chunks, **limits):
    parser = EventParser(**limits)
    return [event for chunk in chunks for event in parser.feed(chunk)]


def test_all_line_ends_comments_and_the_byte_order_mark_are_understood():
    assert parsed(STREAM) == EVENTS


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_small_chunks_give_the_same_events(size):
    assert parsed(*(STREAM[i : i + size] for i in range(0, len(STREAM), size))) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_it_does_not_matter_where_a_stream_is_cut(cuts):
    ends = [0, *sorted(cuts), len(STREAM)]
    assert parsed(*(STREAM[a:b] for a, b in itertools.pairwise(ends))) == EVENTS


@given(st.binary(max_size=300), st.integers(1, 50))
def test_no_bytes_break_the_parser(junk, size):
    assert parsed(*(junk[i : i + size] for i in range(0, len(junk), size))) == parsed(junk)


def test_a_last_event_without_its_blank_line_is_lost():
    assert parsed(b"data: a\n\ndata: b\n") == [ServerEvent(data="a")]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_event_that_is_too_large_is_left_out_and_the_next_one_is_not(size):
    parser = EventParser(max_event=50)
    stream = b"data: " + b"x" * 100 + b"\ndata: more\n\ndata: small\n\n"
    events = [event for i in range(0, len(stream), size) for event in parser.feed(stream[i : i + size])]
    assert events == [ServerEvent(data="small")]
    assert parser.left_out == 1


def test_many_comments_are_not_one_large_event():
    assert parsed(b": keep-alive\n" * 100 + b"data: a\n\n", max_event=50) == [ServerEvent(data="a")]
