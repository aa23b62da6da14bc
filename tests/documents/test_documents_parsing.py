"""Parsing: JSON values with places, and a diagnostic for everything that is not one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.documents import parsing
from taskspec.documents.building import MAX_DEPTH, MAX_FINDINGS
from taskspec.documents.model import Document


def value(text):
    parsed = parsing.parse(text.encode(), "f.yaml")
    assert parsed.diagnostics == ()
    return parsed.documents[0].value


def finding(text):
    content = text if isinstance(text, bytes) else text.encode()
    parsed = parsing.parse(content, "f.yaml")
    assert parsed.documents == ()
    return [(str(d.position), d.summary) for d in parsed.diagnostics]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("no", "no"),
        ("1:30", "1:30"),
        ("2024-01-31", "2024-01-31"),
        ("1_000", "1_000"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("12", 12),
        ("-12", -12),
        ("0", 0),
        ("0o14", 12),
        ("0xff", 255),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ('"12"', "12"),
        ("'true'", "true"),
        ("!!str 12", "12"),
        ("!!int 12", 12),
        ("! 12", "12"),
        ("nullable", "nullable"),
        ("-", None),
        ("1.2.3", "1.2.3"),
        ("=", "="),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(written, meant):
    if written == "-":
        assert value("a:\n-") == {"a": [None]}
    else:
        found = value(f"a: {written}")["a"]
        assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize("written", ["012", "-007", "00", ".inf", "-.INF", ".nan", "9" * 30, "1e999", "0x" + "f" * 30])
def test_a_scalar_that_readers_disagree_on_is_refused(written):
    assert finding(f"a: {written}") == [("f.yaml:1:4", "Ambiguous value")]


@pytest.mark.parametrize(
    ("text", "place", "summary"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "3:3", "Duplicate key"),
        ("a: {{ x }}\n", "1:4", "Unquoted template"),
        ("spec:\n  title: {{ x }} text\n  prompt: a\n", "2:10", "Unquoted template"),
        ("a: {{ vars['x'] }}", "1:4", "Unquoted template"),
        ("a: [b, {{ x }}]", "1:8", "Unquoted template"),
        ("- {{ x }} text\n- b", "1:3", "Unquoted template"),
        ("a: {% if x %}y{% endif %}", "1:4", "Unquoted template"),
        ("{{ x }}: y", "1:1", "Unquoted template"),
        ("1: a", "1:1", "Key is not a string"),
        ("true: a", "1:1", "Key is not a string"),
        ("? [a]\n: b", "1:3", "Key is not a string"),
        ("a:\n\tb: c", "2:1", "YAML cannot be read"),
        ("a: @x", "1:4", "YAML cannot be read"),
        ("a: b: c", "1:5", "YAML cannot be read"),
        ("a: [1, 2\nb: 3", "1:4", "YAML cannot be read"),
        ('a: "b', "1:4", "YAML cannot be read"),
        ('a: "\\0"', "1:4", "YAML cannot be read"),
        ("a: b\x00", "1:5", "YAML cannot be read"),
        ("é\nb: \x07", "2:4", "YAML cannot be read"),
        ("a: !secret b", "1:4", "Tag"),
        ("a: !!int b", "1:4", "Tag"),
        ("a: !!python/object:os.system {}", "1:4", "Tag"),
        ("a: !!set {b}", "1:4", "Tag"),
        ("x: &x {a: 1}\nb:\n  <<: *x", "3:3", "Merge key"),
        ("a: *b", "1:4", "Alias without a value"),
        ("a: &a [*a]", "1:8", "Alias without a value"),
        ("- a", "1:1", "Not a document"),
        ("a: " + "[" * 100_000, f"1:{MAX_DEPTH + 3}", "Nested too deeply"),
        ("a: " + "x" * 300_000, "1:4", "Text too long"),
        (b"a: \xff", "1:4", "YAML cannot be read"),
        (b"\xff\xfea\x00", "1:1", "YAML cannot be read"),
        (b"a: b\n" * 300_000, "1:1", "YAML cannot be read"),
    ],
)
def test_what_cannot_be_a_document_is_refused_at_its_place(text, place, summary):
    line = 4 if summary == "Duplicate key" else None
    expected = f"f.yaml:{line}:3" if line else f"f.yaml:{place}"
    assert finding(text) == [(expected, summary)]


def test_an_unquoted_template_comes_with_its_quoted_form():
    (found,) = parsing.parse(b"a: {{ x }} text\nb: c\n", "f.yaml").diagnostics
    assert found.hint == 'Write it in quotes: "{{ x }} text"'


def test_a_duplicate_key_names_both_places():
    (found,) = parsing.parse(b"a: 1\na: 2\n", "f.yaml").diagnostics
    assert "line 1, column 1" in found.detail
    assert str(found.position) == "f.yaml:2:1"


def test_several_mistakes_are_found_at_once():
    assert finding("a: 012\nb: {{ x }}\na: !x y\n") == [
        ("f.yaml:1:4", "Ambiguous value"),
        ("f.yaml:2:4", "Unquoted template"),
        ("f.yaml:3:1", "Duplicate key"),
        ("f.yaml:3:4", "Tag"),
    ]


def test_no_more_findings_than_anyone_would_read():
    assert len(finding("a: 1\n" * 500)) == MAX_FINDINGS


def test_one_wrong_document_leaves_the_others_of_its_file():
    parsed = parsing.parse(b"a: 1\n---\nb: 012\n---\n# nothing\n---\nc: 3\n", "f.yaml")
    assert [document.value for document in parsed.documents] == [{"a": 1}, {"c": 3}]
    assert len(parsed.diagnostics) == 1


def test_aliases_repeat_their_values():
    assert value("a: &x {b: [1]}\nc: *x\nd: &k key\ne: {*k : 1}") == {
        "a": {"b": [1]},
        "c": {"b": [1]},
        "d": "key",
        "e": {"key": 1},
    }


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{n}: &{n} [{f'*{p},' * 9}]\n" for p, n in zip("abcdefg", "bcdefgh", strict=True)),
        "a: &a " + "x" * 100_000 + "\nb: [" + "*a, " * 5000 + "]",
    ],
    ids=["exponential", "quadratic"],
)
def test_an_alias_bomb_is_refused(text):
    assert [summary for _, summary in finding(text)] == ["Too many aliases"]


def test_a_byte_order_mark_and_windows_line_ends_are_fine():
    document = parsing.parse("\ufeffa: 1\r\nb: |\r\n  x\r\n  y\r\n".encode(), "f.yaml").documents[0]
    assert document.value == {"a": 1, "b": "x\ny\n"}
    assert str(document.position(("a",), key=True)) == "f.yaml:1:1"


TEXT = """\
# first
spec:
  list: [a, {b: c}]
  prompt: |
    One {{ two }}
      three
  folded: >2
      four
  inline: "x {{ y }}"
"""


def document() -> Document:
    return parsing.parse(TEXT.encode(), "f.yaml").documents[0]


@pytest.mark.parametrize(
    ("path", "key", "place"),
    [
        (("spec",), True, "2:1"),
        (("spec",), False, "3:3"),
        (("spec", "list", 1, "b"), False, "3:17"),
        (("spec", "list", 1, "b"), True, "3:14"),
        (("spec", "prompt"), False, "4:11"),
        (("spec", "absent"), True, "2:1"),
    ],
)
def test_every_key_and_value_has_its_place(path, key, place):
    assert str(document().position(path, key=key)) == f"f.yaml:{place}"


def test_a_place_in_a_block_text_is_the_place_in_the_file():
    assert str(document().text_position(("spec", "prompt"), 1, 5)) == "f.yaml:5:9"
    assert str(document().text_position(("spec", "prompt"), 2, 3)) == "f.yaml:6:7"
    assert str(document().text_position(("spec", "folded"), 1, 3)) == "f.yaml:8:7"


def json_only(node):
    if isinstance(node, dict):
        return all(type(key) is str and json_only(item) for key, item in node.items())
    if isinstance(node, list):
        return all(json_only(item) for item in node)
    return node is None or type(node) in {str, int, float, bool}


yaml_like = st.lists(
    st.sampled_from(
        [*"abc01:-?,[]{}&*!|>'\"%@` \n\t#~.\\", "{{ x }}", "\n  ", "- ", ": ", "---\n", "<<: ", "&a ", "*a ", "!!str "]
    ),
    max_size=30,
).map("".join)


@given(st.binary(max_size=200) | yaml_like.map(str.encode))
def test_any_bytes_give_json_documents_or_diagnostics(content):
    parsed = parsing.parse(content, "f.yaml")
    assert all(json_only(found.value) for found in parsed.documents)
    for found in parsed.diagnostics:
        assert found.position.line >= 1
        assert found.position.column >= 1
        assert found.detail


@given(yaml_like)
def test_the_slower_parser_of_machines_without_libyaml_agrees_on_what_is_sound(text):
    import yaml

    fast = parsing.parse(text.encode(), "f.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "__with_libyaml__", False)
        slow = parsing.parse(text.encode(), "f.yaml")
    if not fast.diagnostics and not slow.diagnostics:
        assert [found.value for found in fast.documents] == [found.value for found in slow.documents]


@pytest.mark.parametrize(
    ("written", "column"),
    [('"{{ x }}"', 5), ("'{{ x }}'", 5), ('&a "{{ x }}"', 8), ('!!str "{{ x }}"', 11), ("x {{ x }}", 4)],
)
def test_a_text_in_quotes_begins_after_its_quote(written, column):
    (found,) = parsing.parse(f"a: {written}\n".encode(), "f.yaml").documents
    assert str(found.text_position(("a",), 1)) == f"f.yaml:1:{column}"


@pytest.mark.parametrize(
    ("text", "place", "detail"),
    [
        ("a: b\nc d\n", "2:1", "A key has no `:`."),
        ("a:\n  b\nWrite me a text.\n", "3:1", "A key has no `:`."),
        ("a: b\nc:\u00a0d\n", "2:1", "An invisible character (U+00A0) stands here or in the line above."),
        ("a: b\n  c: d\n", "2:3", "This line does not fit what stands above it."),
        ("a: b\nc:\n  d e\n  f: g\n", "4:3", "This line does not fit what stands above it."),
        ("a: 'It's'\n", "1:8", "A text goes on after its closing quote"),
        ('a: "b\nc: "d"\n', "1:4", "This quoted text goes on to the quote at line 2, column 4."),
        ("a:\n  b:\n  -c\n  -d\n", "3:3", "A `-` without a space begins a text."),
        ("a: b\n----\nc: d\n", "2:1", "A `-` without a space begins a text."),
        ("a: b\n<<<<<<< HEAD\nc: d\n", "2:1", "A merge conflict is not resolved."),
        ("a: **b** c\n", "1:4", "`&` and `*` begin an anchor or an alias."),
        ("```yaml\na: b\n", "1:1", "No value can begin with a backtick."),
        ("a: ? b\n", "1:4", "No value can begin with `? `."),
        ('a: "C:\\Users"\n', "1:9", "A `\\` in double quotes begins an escape."),
        ("a: | b\n  c\n", "1:6", "A text follows `|` or `>` on the same line."),
    ],
)
def test_a_slip_is_told_where_it_was_made_and_not_where_the_parser_gave_up(text, place, detail):
    (found,) = parsing.parse(text.encode(), "f.yaml").diagnostics
    assert detail in found.detail
    assert str(found.position) == f"f.yaml:{place}"
    assert found.hint
