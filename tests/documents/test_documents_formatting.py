"""Formatting: one form for what means the same, and nothing lost on the way to it."""

import re
from pathlib import Path

import pytest
import yaml
from formatting_texts import texts
from hypothesis import HealthCheck, assume, given, settings
from patience import little_work

from taskspec.documents import formatting, parsing
from taskspec.documents.formatting import format_manifest
from taskspec.documents.laying import LaidOut

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path for path in (ROOT / "examples").rglob("*.y*ml") if ".taskspec" not in path.parts)
BLOCKS = [
    block
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for block in re.findall(r"^```yaml\n(?!# rough)(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
]


def formatted(text):
    content = text if isinstance(text, bytes) else text.encode()
    done = format_manifest(content, "f.yaml")
    assert done.diagnostics == ()
    return done.content.decode()


def values(content):
    return repr([document.value for document in parsing.parse(content, "f.yaml").documents])


def check(content):
    """Hold one text to what formatting promises."""
    done = format_manifest(content, "f.yaml")
    assert done.diagnostics == ()
    assert values(done.content) == values(content)
    assert format_manifest(done.content, "f.yaml").content == done.content
    assert b"\r" not in done.content
    assert not done.content.startswith(b"\xef\xbb\xbf")
    return done.content.decode()


@settings(suppress_health_check=list(HealthCheck))
@given(texts())
def test_the_meaning_stays_and_a_second_time_changes_nothing(text):
    content = text.encode()
    assume(not parsing.parse(content, "f.yaml").diagnostics)
    check(content)


@settings(suppress_health_check=list(HealthCheck), max_examples=30)
@given(texts())
def test_the_slower_scanner_leads_to_the_same(text):
    content = text.encode()
    assume(not parsing.parse(content, "f.yaml").diagnostics)
    fast = format_manifest(content, "f.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "__with_libyaml__", False)
        assume(not parsing.parse(content, "f.yaml").diagnostics)  # it is stricter about tabs
        assert format_manifest(content, "f.yaml").content == fast.content


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_are_in_the_usual_form(path):
    content = path.read_bytes()
    assert check(content) == content.decode()


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_pages_show_is_in_the_usual_form(block):
    assert check(block.encode()) == block


def _twice_as_deep(margin):
    return margin[0].replace(" ", "  ").replace("-", "- ")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_example_comes_back_from_another_form(path):
    text = path.read_text("utf-8")
    wider = re.sub(r"^ *(?:- )?", _twice_as_deep, text, flags=re.MULTILINE).replace("\n", "\r\n")
    assert check(wider.encode()) == text or "|" in text  # within a prompt, indentation is text


CASES = {
    "indentation is two columns": ("a:\n    b:\n         c: 1\n", "a:\n  b:\n    c: 1\n"),
    "items stand right of their key": ("a:\n- b\n-   c: 1\n    d: 2\n", "a:\n  - b\n  - c: 1\n    d: 2\n"),
    "lists within lists": ("a:\n- - b\n  -   c\n-\n  - d\n", "a:\n  - - b\n    - c\n  -\n    - d\n"),
    "one space after a colon and none before": ("a :   1\n'b':\t2\n", "a: 1\n'b': 2\n"),
    "flow collections": ("a: {b: 1,c: [ x,y ] , \"d\":2}\ne: [ ]\n", 'a: {b: 1, c: [x, y], "d": 2}\ne: []\n'),
    "flow collections over lines": (
        "a: [\n b,   # one\n# two\n {c: 1,\n d: 2\n},\n]\n",
        "a: [\n    b,   # one\n    # two\n    {c: 1,\n      d: 2\n    },\n  ]\n",
    ),
    "a document in flow style": ('{\n"a": {\n"b": [1,2]\n}\n}\n', '{\n  "a": {\n    "b": [1, 2]\n  }\n}\n'),
    "a comment after a key": ("a:   # why\n   # more\n      b: 1\n", "a:   # why\n  # more\n  b: 1\n"),
    "comments at the end of blocks": (
        "a:\n    b:\n        c: 1\n        # of b\n    # of a\n# of all\nd: 1\n# end\n",
        "a:\n  b:\n    c: 1\n    # of b\n  # of a\n# of all\nd: 1\n# end\n",
    ),
    "a comment in place of a value": ("a:\n    # b: 1\nc: 1\n", "a:\n  # b: 1\nc: 1\n"),
    "comments between items": ("a:\n- b\n# c\n- d\n# of all\ne: 1\n", "a:\n  - b\n  # c\n  - d\n# of all\ne: 1\n"),
    "comments in a column": (
        "a:\n    b:  1           # one\n    ccc: {x:   1}   # two\n                    # and on\nd: 1   # own\n",
        "a:\n  b: 1          # one\n  ccc: {x: 1}   # two\n                # and on\nd: 1   # own\n",
    ),
    "tabs in and before comments": ("a: 1\t#\tx\ty\t\n", "a: 1 #\tx\ty\n"),
    "blank lines": ("\n\na: 1\n\n \n\nb: 2\n\n# c\n\n\n", "a: 1\n\nb: 2\n\n# c\n"),
    "the line of the editor": (
        "# yaml-language-server: $schema=x.json\na:   1\n",
        "# yaml-language-server: $schema=x.json\na: 1\n",
    ),
    "separators, empty documents and directives": (
        "%YAML 1.2\n---   # first\na:  1\n...\n---\n---\n# none\n---\n\nb:  1\n# before\n---\nc: 1",
        "%YAML 1.2\n---   # first\na: 1\n...\n---\n---\n# none\n---\n\nb: 1\n# before\n---\nc: 1\n",
    ),
    "anchors and aliases": ("a:  &x  1\nb: [*x , *x]\nc: *x   # d\n", "a: &x 1\nb: [*x, *x]\nc: *x   # d\n"),
    "keys that are aliases": ("a: &x  k\n*x : 1\n", "a: &x k\n*x : 1\n"),
    "tags": ("a: [!!str  x, !!str ,! z ]\nb: {!!str :  c}\n", "a: [!!str x, !!str , ! z]\nb: {!!str : c}\n"),
    "anchors before blocks": ("a:   &x\n    b: 1\nc:\n-   &y\n    d: 1\n", "a: &x\n  b: 1\nc:\n  - &y\n    d: 1\n"),
    "explicit keys": ("?   a\n:   b\n? c\n:   - d\n", "? a\n: b\n? c\n: - d\n"),
    "Windows": ("\ufeffa: |\r\n    x\r\n\r\n    y\r\nb: 'c\r\n   d'\r\n", "a: |\n  x\n\n  y\nb: 'c\n  d'\n"),
    "texts over several lines": (
        "a:\n    b: one\n     two\n\n     three   # why\n    c: \"one  \n\n     \\  two\"\n",
        "a:\n  b: one\n    two\n\n    three   # why\n  c: \"one  \n\n    \\  two\"\n",
    ),
    "emoji before what moves": ("a: [ 😀,b ]   # 😀\n'😀😀':   {c: 1}\n", "a: [😀, b]   # 😀\n'😀😀': {c: 1}\n"),
    "no end of the last line": ("a: b", "a: b\n"),
    "nothing but a comment": ("  # a  ", "# a\n"),
    "nothing": ("\n \n", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_usual_form(case):
    before, after = CASES[case]
    assert formatted(before) == after
    check(before.encode())


PROMPTS = {
    "literal": ("a:\n    b: |   # why\n        x: {{ y }}\n\n          deeper  \n        # no comment\n    c: 1\n",
                "a:\n  b: |   # why\n    x: {{ y }}\n\n      deeper  \n    # no comment\n  c: 1\n"),
    "folded and stripped": ("a:\n- >-\n      x\n      y\n-   |-\n   z\n", "a:\n  - >-\n    x\n    y\n  - |-\n    z\n"),
    "an indicator": ("a:\n    b: |1-\n       x\n      y\n", "a:\n  b: |1-\n     x\n    y\n"),
    "kept ends": ("a: |+\n    x\n\n\n# c\nb: |+\n\n\n", "a: |+\n  x\n\n\n# c\nb: |+\n\n\n"),
    "blank lines that do not count": ("a: |\n    x\n   \n\n\nb: |-\n\n\nc: 1\n", "a: |\n  x\n\nb: |-\n\nc: 1\n"),
    "blank lines before the text": ("a: |\n\n\n    x\n", "a: |\n\n\n  x\n"),
    "the end of the text": ("a:\n    b: |\n        x", "a:\n  b: |\n    x"),
    "the end of a stripped text": ("a: |-\n    x", "a: |-\n  x\n"),
    "tabs": ("a: |\n    x\n    \tx\t\n", "a: |\n  x\n  \tx\t\n"),
    "line separators": ("a: |\n    x\u2028    y\n", "a: |\n  x\u2028  y\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROMPTS)
def test_prompts_move_as_a_whole(case):
    before, after = PROMPTS[case]
    assert formatted(before) == after
    check(before.encode())


@pytest.mark.parametrize("quoted", ["'it''s'", '"\\u00e9\\n"', "~", "0x1F", "1e3", "TRUE", "!!str 1", '"a \\\n  b"'])
def test_scalars_stay_as_they_are_written(quoted):
    assert formatted(f"a:   {quoted}\n") == f"a: {quoted}\n"


def test_no_line_is_broken():
    text = f"a: {'word ' * 5000}end   # {'x ' * 5000}end\n"
    assert formatted(text) == text


@pytest.mark.parametrize(
    "text", ["a: [unclosed\n", "a: 1\na: 2\n", "a: {{ b }}\n", b"\xff\xfea\0", b"a: \xff\n", "- a\n"]
)
def test_what_cannot_be_read_is_told_as_validate_tells_it(text):
    content = text if isinstance(text, bytes) else text.encode()
    done = format_manifest(content, "f.yaml")
    assert done.content == content
    assert done.diagnostics == parsing.parse(content, "f.yaml").diagnostics != ()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (LaidOut(text="a: 2\n", comments=("# b",)), "change what it means"),
        (LaidOut(text="a: 1.0 # b\n", comments=("# b",)), "change what it means"),
        (LaidOut(text="a: [\n", comments=("# b",)), "change what it means"),
        (LaidOut(text="a: 1\n", comments=("# b",)), "lose a comment"),
        (LaidOut(text="a:  1 # b\n", comments=("# b",)), "not be the last word"),
    ],
)
def test_a_form_that_is_not_sound_is_given_to_nobody(monkeypatch, wrong, told):
    sound, first = formatting.lay_out, [wrong]
    monkeypatch.setattr(formatting, "lay_out", lambda *given: first.pop() if first else sound(*given))
    done = format_manifest(b"a:   1 # b\n", "f.yaml")
    assert done.content == b"a:   1 # b\n"
    assert [d.summary for d in done.diagnostics] == ["Not formatted"]
    assert told in done.diagnostics[0].detail


HEAVY = {
    "one line of items": "a: [" + "x," * 330_000 + "]\n",
    "many tasks": "a:\n    b: {c: 1,d: [e]}   # f\n    g: |\n      text\n---\n" * 17_000,
    "comments": "  # x\n" * 160_000,
    "blank lines": "a: 1\n" + "\n" * 900_000,
    "a long comment": "a: 1 # " + "# " * 400_000,
}


def test_a_file_that_would_grow_too_large_is_left_alone():
    content = ("a: [" + "x," * 450_000 + "]\n").encode()
    done = format_manifest(content, "f.yaml")
    assert done.content == content
    assert "larger than 1 MB" in done.diagnostics[0].detail


@pytest.mark.parametrize("case", HEAVY)
def test_a_megabyte_takes_seconds_at_most(case):
    content = HEAVY[case].encode()
    assert len(content) <= parsing.MAX_BYTES
    with little_work():
        assert not format_manifest(content, "f.yaml").diagnostics
