"""Markers: what is written is read back, whatever differs makes another, and what is none to the letter is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.address import Address
from taskspec.markers import Marker, bears, marker_in

LINEAGE = "0123456789abcdef0123456789abcdef"
NONCE = "0123456789abcdef"


def marker(lineage=LINEAGE, address="a", fingerprint="1:feed", generation=12, nonce=NONCE):
    return Marker.of(lineage, Address(address), fingerprint, generation, nonce)


ONE = marker().text


def test_a_marker_names_lineage_address_text_generation_and_nonce():
    assert f"[ts1.01234567.{marker().address}.{marker().digest}.g12.{NONCE}]" == ONE
    assert (len(marker().address), len(marker().digest)) == (12, 8)


@pytest.mark.parametrize(
    "other",
    [{"lineage": "f" * 32}, {"address": "b"}, {"fingerprint": "1:beef"}, {"generation": 13}, {"nonce": "f" * 16}],
)
def test_whatever_differs_makes_another_marker(other):
    assert marker(**other).text != ONE


@given(
    st.text(alphabet="0123456789abcdef", min_size=8, max_size=32),
    st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,20}\Z"),
    st.text(),
    st.integers(1, 10**8),
    st.text(alphabet="0123456789abcdef", min_size=16, max_size=16),
    st.text(),
)
def test_a_title_gives_back_the_marker_with_which_it_ends(lineage, address, fingerprint, generation, nonce, title):
    made = Marker.of(lineage, Address(address), fingerprint, generation, nonce)
    assert marker_in(f"{title} {made.text}") == made
    assert marker_in(f"{title} {made.text}\n ") == made


@pytest.mark.parametrize(
    "title",
    [
        None,
        "",
        "Report",
        ONE[:-1],
        ONE[1:],
        f"{ONE} Report",
        f"{ONE}.",
        ONE.replace("ts1", "ts2"),
        ONE.replace("ts1", "TS1"),
        ONE.replace(".g12.", ".12."),
        ONE.replace(".g12.", ".g-1."),
        ONE.replace(".g12.", ".g" + "9" * 5000 + "."),
        ONE.replace(".g12.", ".g١٢."),
        ONE.replace(NONCE, ""),
        ONE.replace(NONCE, "n" * 65),
        ONE.replace(NONCE, "\x1b[31m"),
        ONE.replace(NONCE, "a.b"),
        ONE.replace("01234567", "012345678"),
        "[" * 100_000,
        "[ts1." * 50_000,
        "[]",
    ],
)
def test_what_is_no_marker_to_the_letter_is_none(title):
    assert marker_in(title) is None


def test_of_two_markers_the_last_counts():
    assert marker_in(f"{marker(nonce='first').text} {ONE}") == marker()


def test_a_title_bears_a_marker_only_at_its_very_end():
    assert bears(f"Report {ONE} ", ONE)
    assert not bears(f"{ONE} Report", ONE)
    assert not bears(None, ONE)
    assert not bears("Report", ""), "no marker is borne by no title"
