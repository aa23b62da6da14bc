"""Differences of specs and of texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_worlds import UNHURRIED

from taskspec.plan.diffing import LineKind, changed_lines, diff
from taskspec.plan.model import FieldDiff, Missing

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)
SPECS = st.dictionaries(st.sampled_from(["prompt", "files", "llm"]), JSON)


@pytest.mark.parametrize(
    ("before", "after", "path", "sides"),
    [
        ({"prompt": "a"}, {"prompt": "b"}, ("prompt",), ("a", "b")),
        ({}, {"prompt": "b"}, ("prompt",), (Missing.MISSING, "b")),
        ({"prompt": None}, {}, ("prompt",), (None, Missing.MISSING)),
        ({"llm": {"name": "x", "provider": "p"}}, {"llm": {"name": "y", "provider": "p"}}, ("llm", "name"), ("x", "y")),
        ({"files": ["a", "b"]}, {"files": ["a"]}, ("files", 1), ("b", Missing.MISSING)),
        ({"flag": 1}, {"flag": True}, ("flag",), (1, True)),
        ({"files": []}, {"files": {}}, ("files",), ([], {})),
    ],
)
def test_the_smallest_part_that_differs_is_named(before, after, path, sides):
    assert diff(before, after) == (FieldDiff(path=path, before=sides[0], after=sides[1]),)


@UNHURRIED
@given(SPECS)
def test_a_spec_does_not_differ_from_itself_in_another_order(spec):
    assert diff(spec, dict(reversed(spec.items()))) == ()


@UNHURRIED
@given(SPECS, SPECS)
def test_a_difference_turned_around_is_the_same_with_its_sides_exchanged(one, other):
    back = tuple(FieldDiff(path=d.path, before=d.after, after=d.before) for d in diff(other, one))
    assert diff(one, other) == back


@UNHURRIED
@given(SPECS, SPECS)
def test_differences_are_ordered_by_path_and_name_each_once(one, other):
    paths = [d.path for d in diff(one, other)]
    assert len(set(paths)) == len(paths)


def test_changed_lines_stand_in_their_context_and_the_rest_is_counted():
    before = "\n".join(f"line {i}" for i in range(10))
    after = before.replace("line 5", "another")
    assert [tuple(line) for line in changed_lines(before, after, context=1)] == [
        ("…", "4 lines"),
        (" ", "line 4"),
        ("-", "line 5"),
        ("+", "another"),
        (" ", "line 6"),
        ("…", "3 lines"),
    ]


LINES = st.lists(st.sampled_from("abc"), max_size=12)


@UNHURRIED
@given(LINES, LINES)
def test_with_enough_context_both_texts_can_be_read_from_the_lines(one, other):
    lines = changed_lines("\n".join(one), "\n".join(other), context=99)
    if one != other:
        assert [line.text for line in lines if line.kind != "+"] == "\n".join(one).splitlines()
        assert [line.text for line in lines if line.kind != "-"] == "\n".join(other).splitlines()


def test_very_different_long_texts_are_shown_in_part():
    lines = changed_lines("x\n" * 50_000, "y\n" * 50_000, limit=10)
    assert len(lines) == 11
    assert lines[-1].kind == "…"


def _paragraphs(word, count):
    return "\n\n".join(f"{word} {number}" for number in range(count))


def test_what_is_everywhere_in_two_texts_that_differ_wholly_costs_no_cube_of_comparisons():
    lines = changed_lines(_paragraphs("old", 500), _paragraphs("new", 500), limit=5000)
    assert {line.kind for line in lines} == {LineKind.REMOVED, LineKind.ADDED}


def test_what_is_everywhere_still_counts_beside_what_is_the_same():
    before = _paragraphs("same", 490)
    after = before.replace("same 200\n", "other\n").replace("same 300\n", "another\n")
    changed = [line for line in changed_lines(before, after) if line.kind in {LineKind.REMOVED, LineKind.ADDED}]
    assert [line.text for line in changed] == ["same 200", "other", "same 300", "another"]
