"""What servers of Terraform's HTTP protocol send, whatever it is: a value, or an error that says what is wrong."""

import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from state_values import ALICE, BOB

from taskspec.state.register import ServerLock
from taskspec.state.terraform_bodies import decode_lock, decode_state, described, encode_lock, encode_state

NOW = 1_800_000_000.0
ASKED = ServerLock(id="aaaa", holder=ALICE, ttl=60.0, since=NOW)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KEYS = ("ID", "Operation", "Info", "Who", "Version", "Created", "Path")
LOCKS = st.dictionaries(st.sampled_from(KEYS), st.text(st.characters()) | JSON_VALUES)
BODIES = st.binary() | st.builds(lambda value: json.dumps(value).encode(), JSON_VALUES | LOCKS)


@given(content=st.binary(), number=st.integers(1, 2**31))
def test_a_text_comes_back_as_it_was(content, number):
    body = encode_state(content, number)
    assert decode_state(body) == (content, number)
    assert json.loads(body)["serial"] == number


@given(body=BODIES)
def test_whatever_is_no_state_is_told_as_such(body):
    with pytest.raises(ValueError):  # noqa: PT011 - each of its kinds is one
        decode_state(body)


@given(body=BODIES)
def test_whatever_a_server_says_of_a_lock_it_is_one(body):
    seen = decode_lock(body, ASKED, NOW)
    assert 0 < seen.lock.since <= NOW
    assert urlencode({"ID": seen.wire}).isascii()
    for text in (seen.lock.id, seen.lock.holder.user, seen.lock.holder.host, seen.lock.holder.command):
        assert text.isprintable()


@given(body=BODIES)
def test_what_a_server_says_in_a_refusal_fits_into_a_line(body):
    said = described(body)
    assert said.isprintable()
    assert len(said) <= 200


def test_a_lock_of_ours_is_known_by_its_id_and_its_holder():
    other = replace(ASKED, id="bbbb", holder=BOB, ttl=90.0)
    seen = decode_lock(encode_lock(other), ASKED, NOW)
    assert seen.lock == replace(other, since=seen.lock.since)


def test_a_lock_that_is_told_in_the_words_of_who_asks_keeps_its_own_id_and_user():
    mine, other = json.loads(encode_lock(ASKED)), json.loads(encode_lock(replace(ASKED, id="bbbb", ttl=90.0)))
    echo = {**mine, "ID": other["ID"], "Who": "root", "Created": "2026-11-29T02:00:00.000Z"}
    lock = decode_lock(json.dumps(echo).encode(), ASKED, NOW).lock
    assert (lock.id, lock.ttl, lock.since) == ("bbbb", 90.0, 1_795_917_600.0)
    assert (lock.holder.user, lock.holder.command, lock.holder.job) == ("root", "taskspec", None)
