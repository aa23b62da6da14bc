"""Spelling: whatever is spelled reads back as the same value, on one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.documents.parsing import parse
from taskspec.documents.spelling import spelled

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20) | st.sampled_from(
    ["true", "No", "1e5", "012", "1:30", "30s", "-p", "- a", "a: b", "a #b", "", " ", "~", "null", "x.", "---", "..."]
)
SCALAR = TEXT | st.integers(-(10**9), 10**9) | st.booleans() | st.none()
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)


@given(VALUE)
def test_what_is_spelled_reads_back_as_the_same_value(value):
    text = spelled({"key": value})
    assert len(text.splitlines()) == 1
    parsed = parse(text.encode(), "f.yaml")
    assert parsed.diagnostics == ()
    assert parsed.documents[0].value == {"key": value}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"maxAttempts": 3, "statuses": ["error"]}, "{maxAttempts: 3, statuses: [error]}"),
        ("One page of Markdown.", "One page of Markdown."),
        ("3", '"3"'),
        ("yes", '"yes"'),
        (["claude", "-p"], "[claude, -p]"),
        ("1m", "1m"),
        ('say "hi"\n', '"say \\"hi\\"\\n"'),
        (True, "true"),
        ({}, "{}"),
    ],
)
def test_plain_words_need_no_quotes_and_doubtful_ones_have_them(value, text):
    assert spelled(value) == text
