"""The short way through YAML: what it gives, the builder gives; where it gives nothing, the builder is asked."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from taskspec.documents.building import MAX_DEPTH
from taskspec.documents.model import Document, Marks
from taskspec.documents.parsing import _build, _skimmed, parse

TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["on", "012", "1e3", "1_000", "~", "true", "0x1F", ".inf", "<<", "{{ vars.x }}", "a: b", "- x", "", "\0", "é"]
    ),
)
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
LINES = st.lists(
    st.sampled_from(
        [
            "a: 1", "b: on", "a: two", "'c': 'x'", 'd: "\\0"', "e:", "  f: 1", "  - g", "- h", "---", "...", "# i",
            "<<: {a: 1}", "j: &k 1", "l: *k", "m: !t n", "n: !!str 1", "? o", ": p", "q: |", "   text", "1: r", "s: 01",
            "{{ t }}", "u: {v: [w, {x: y}]}", "\t", "z: >-", "[1]", "text", "null", "%YAML 1.1", "a: {b: 1, b: 2}",
        ]
    ),
    max_size=8,
)  # fmt: skip


def built(text: str) -> tuple[list[Document], int]:
    builder = _build(text, "a.yaml", mappings_only=True)
    return builder.documents, len(builder.diagnostics)


def assert_same(text: str) -> None:
    values = _skimmed(text)
    documents, findings = built(text)
    if values is not None:
        assert findings == 0
        assert repr(values) == repr([document.value for document in documents])


@given(st.lists(VALUES, min_size=1, max_size=3), st.sampled_from([None, False, True]))
def test_of_any_values_it_gives_what_the_builder_gives(values, flow):
    assert_same(yaml.safe_dump_all(values, default_flow_style=flow, allow_unicode=True))


@given(LINES)
def test_of_any_lines_it_gives_what_the_builder_gives(lines):
    assert_same("\n".join(lines))


@given(st.text(alphabet="ab:-{}[]\"'|>&*!#%?, \n\t0", max_size=40))
def test_of_any_text_it_gives_what_the_builder_gives(text):
    assert_same(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x\n",
        "a: !!str 1\n",
        "<<: {a: 1}\n",
        "a: 1\na: 2\n",
        "1: a\n",
        "a: 012\n",
        'a: "\\0"\n',
        "[1]\n",
        "text\n",
        "? [a]\n: b\n",
        "a: [\n",
        "a: \1\n",
        "a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "\n",
        f"a: {'x' * 200_000}\n",
    ],
)
def test_what_needs_a_closer_look_is_left_to_the_builder(text):
    assert _skimmed(text) is None


def test_an_ordinary_file_goes_the_short_way():
    text = "a: {b: [1, 'two', 3.5, null, true]}\nc: |\n  text\n---\n# nothing\n---\nd: \"é\"\n"
    assert _skimmed(text) == [{"a": {"b": [1, "two", 3.5, None, True]}, "c": "text\n"}, {"d": "é"}]


def test_places_are_looked_up_when_they_are_asked_for():
    text = "a:\n  b: [1, 'two']\nc: |\n  text\n---\nd: {e: f}\n"
    documents = parse(text.encode(), "a.yaml").documents
    assert not any(isinstance(document.marks, Marks) for document in documents)
    assert [document.places for document in documents] == [document.places for document in built(text)[0]]
    assert str(documents[1].position(("d", "e"), key=True)) == "a.yaml:6:5"
