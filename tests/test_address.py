"""Addresses: what has their form, how cells are named, and what patterns name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import little_work

from taskspec.address import (
    addresses_in,
    cell_address,
    compiled_glob,
    is_address,
    is_pattern,
    listed,
    matches,
    task_name,
)


@pytest.mark.parametrize(
    "text", ["extract", "a-b_c", "report[q1,formal]", 'report["a b",q1]', "report[é]", "report[1.5]"]
)
def test_what_has_the_form_of_an_address(text):
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    ["", "Extract", "-x", "a b", "report[]", "report[q1", "report[a b]", "report[q1][q2]", "a/b", "a" * 129, "x\n"],
)
def test_what_has_not(text):
    assert not is_address(text)


VALUES = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20), min_size=1, max_size=4)


@given(VALUES, VALUES | st.lists(st.text('ab,]["\\', min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_cell_is_named_by_its_values_and_by_no_others(values, others):
    address = cell_address("report", values)
    assert is_address(address)
    assert (cell_address("report", others) == address) == (others == values)
    assert task_name(address) == "report"
    assert matches(address, address)


@pytest.mark.parametrize(
    ("pattern", "address", "named"),
    [
        ("report", "report[q1]", True),
        ("report", "report2", False),
        ("rep*", "report[q1]", True),
        ("report[*]", "report[q1,formal]", True),
        ("report[*]", "report", False),
        ("report[q1,*]", "report[q1,formal]", True),
        ("report[q1,*]", "report[q2,formal]", False),
        ("report[q?]", "report[q1]", True),
        ("report[q.]", "report[q1]", False),
        ('report["*"]', 'report["*"]', True),
        ('report["*"]', "report[x]", False),
    ],
)
def test_what_a_pattern_names(pattern, address, named):
    assert is_pattern(pattern)
    assert matches(pattern, address) is named


def test_what_is_no_pattern():
    assert not any(map(is_pattern, ["", "a b", "a/b", "label:x", "[x]", "report[", "+report"]))


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_a_glob_names_what_a_plain_search_finds(glob, text):
    wild = {"*": ".*", "?": "."}
    assert bool(compiled_glob(glob).fullmatch(text)) is bool(
        re.fullmatch("".join(wild.get(character, character) for character in glob), text)
    )


def test_a_pattern_of_many_stars_takes_little_work():
    with little_work():
        assert not matches("*a" * 60 + "*b", "a" * 128)


@pytest.mark.parametrize("many", [["a"], ["a[x]", "a[y]"], ['a["x, y"]', "b[1,2]", 'b["]"]']])
def test_addresses_in_one_text_are_told_apart_again(many):
    assert addresses_in(listed(many)) == tuple(many)


@pytest.mark.parametrize("text", ["", "12 tasks", "a, b ", "a,b", "a[x"])
def test_no_other_text_holds_addresses(text):
    assert addresses_in(text) == ()
