"""Rendered tasks as YAML: our own parser reads the values back, whatever they are."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, DesiredTask
from taskspec.documents.model import Source
from taskspec.documents.parsing import parse
from taskspec.report.rendered import task_json, task_lines
from taskspec.report.text import Paint

SOURCE = Source(document=parse(b"\nkind: Task", "tasks/one.yaml").documents[0])
ODD = ["\n", " ", "\t", "\r", "\x01", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "\ufffe", "\U000e0001"]
MARKS = ["#", ": ", "- ", "|", "'", '"', "\\", "---", "...", "{{ x }}", "é", "😀", "a", "true", "1"]

# A manifest holds neither NUL nor half a character, and nothing that is rendered out of it does.
letters = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
texts = st.lists(st.sampled_from(ODD + MARKS), max_size=8).map("".join) | st.text(letters, max_size=20)
numbers = st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def made(spec, *, title="T", labels=(), source=SOURCE, upstream=()):
    return DesiredTask(
        address=Address("one"),
        agent="writer",
        title=title,
        spec=spec,
        fingerprint="f1",
        request={},
        labels=dict(labels),
        source=source,
        upstream=upstream,
    )


def deferred(spec, upstream):
    return DeferredTask(
        address=Address("one"),
        agent="writer",
        title="T",
        spec=spec,
        source=SOURCE,
        upstream=upstream,
        uses=frozenset(upstream),
        finish=lambda _: made(spec),
    )


def lines(task):
    return list(task_lines(task, Paint(color=False)))


def read(*tasks):
    """Return the documents that our own parser reads from what is shown of tasks."""
    text = "\n---\n".join("\n".join(lines(task)) for task in tasks)
    parsed = parse(text.encode(), "shown.yaml")
    assert parsed.diagnostics == (), (parsed.diagnostics, text)
    return [document.value for document in parsed.documents]


@given(prompt=texts, extension=st.dictionaries(texts, values, max_size=4), labels=st.dictionaries(texts, texts))
@example(prompt="\n", extension={}, labels={})
@example(prompt=" leading\n trailing \n\n", extension={"true": 1, "null": "", "1.5": [], "": {}}, labels={"": ""})
@example(prompt="a\n\n\n", extension={"a": [[[]], [[1, [2, {"b": "c\nd\n"}]]]]}, labels={})
@example(prompt="\tx\n\ty", extension={"a": "\n\n"}, labels={})
@example(
    prompt="x" * 100_000 + "\n" + "y " * 1000, extension={"k" * 2000: "v", "m" * 2000: {"n" * 2000: [1]}}, labels={}
)
def test_what_is_shown_is_read_back_as_it_is(prompt, extension, labels):
    spec = {"agent": "writer", "prompt": prompt, "payloadExtension": extension}
    expected = {"title": "T", **spec}
    if labels:
        expected = {"labels": labels, **expected}
    assert read(made(spec, labels=labels.items())) == [expected]


@given(st.lists(texts, min_size=1, max_size=3))
def test_nothing_that_is_shown_can_steer_a_terminal(prompts):
    for prompt in prompts:
        text = "".join(lines(made({"prompt": prompt, "payloadExtension": {prompt: [prompt]}})))
        assert not [character for character in text if character < " " and character != "\t"]
        assert "\x7f" not in text
        assert "\u202e" not in text


def test_several_tasks_are_several_documents():
    assert [document["title"] for document in read(made({}, title="one"), made({}, title="two\nthree"))] == [
        "one",
        "two\nthree",
    ]


def test_a_text_of_several_lines_stands_as_a_block():
    shown = lines(made({"prompt": "Dear Ada,\n\n  indented: yes\nend\n", "agent": "x"}))
    assert shown[2:] == ["prompt: |", "  Dear Ada,", "", "    indented: yes", "  end", 'agent: "x"']


def test_the_comments_above_a_task_tell_its_address_its_place_and_what_it_waits_for():
    upstream = (Address("a"), Address("b[q1]"))
    assert lines(made({}))[0] == "# one  tasks/one.yaml:2:1"
    assert lines(made({}, upstream=upstream))[1] == "# waits for a, b[q1]"
    assert lines(deferred({}, upstream))[1] == "# known after a, b[q1]"


def test_a_file_with_a_line_break_in_its_name_cannot_write_yaml():
    document = parse(b"kind: Task", "x\nprompt: mine\n#.yaml").documents[0]
    assert read(made({"prompt": "p"}, source=Source(document=document))) == [{"title": "T", "prompt": "p"}]


@pytest.mark.parametrize("color", [True, False])
def test_colours_are_only_where_they_are_wanted(color):
    assert ("\x1b" in "".join(task_lines(made({"prompt": "p"}), Paint(color=color)))) is color


def test_as_json_a_deferred_task_has_no_fingerprint():
    known, later = task_json(made({"prompt": "p"})), task_json(deferred({"prompt": "p"}, (Address("a"),)))
    assert (known["fingerprint"], known["deferred"], known["after"]) == ("f1", False, [])
    assert (later["fingerprint"], later["deferred"], later["after"]) == (None, True, ["a"])
    assert known["at"] == {"file": "tasks/one.yaml", "line": 2, "column": 1}
    assert known["spec"] == later["spec"] == {"prompt": "p"}
