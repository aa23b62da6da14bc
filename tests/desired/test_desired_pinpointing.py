"""A fault of a template has the line and column at which the author wrote it, whatever the style of the YAML."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.desired.pinpointing import Pinpointer
from taskspec.desired.scope import WrongTemplateError
from taskspec.documents.model import Source
from taskspec.documents.parsing import parse

HEAD = "kind: Task\nmetadata: {name: one}\nspec:\n  agent: writer\n"


@pytest.fixture
def places(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(workshop.folder)
    workshop.declare("region", default="emea")

    def find(text: str, *, written: bool = True) -> list[str]:
        if written:
            (workshop.folder / "tasks.yaml").write_text(HEAD + text, "utf-8")
        return [str(d.position) for d in workshop.resolve(HEAD + text).diagnostics]

    return find


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("  prompt: a {{ vars.regoin }}\n", "5:16"),
        ("  prompt: 'a {{ vars.regoin }}'\n", "5:17"),
        ('  prompt: "a {{ vars.regoin }}"\n', "5:17"),
        ('  prompt: "a \\"b\\" \\x41 {{ vars[\'regoin\'] }}"\n', "5:34"),
        ("  prompt: 'it''s {{ vars[''regoin''] }}'\n", "5:28"),
        ("  prompt: !!str 'a {{ vars.regoin }}'\n", "5:23"),
        ("  prompt: &a 'a {{ vars.regoin }}'\n", "5:20"),
        ("  prompt: |\n    a\n\n    b {{ vars.regoin }}\n", "8:10"),
        ("  prompt: |\n      a\n        b {{ vars.regoin }}\n", "7:14"),
        ("  prompt: |2\n      a\n    b {{ vars.regoin }}\n", "7:10"),
        ("  prompt: |- # note\n    a\n    {%- if vars.regoin %}x{% endif %}\n", "7:12"),
        ("  prompt: >\n    a\n    b {{ vars.regoin }}\n    c\n", "7:10"),
        ("  prompt: >\n    a\n\n    b\n      c\n    {{ vars.region }}\n    {{ vars.regoin }}\n", "11:8"),
        ("  prompt: >-\n    a {{\n    vars.regoin\n    }}\n", "7:5"),
        ("  prompt: a\n    b {{ vars.regoin }}\n    c\n", "6:10"),
        ("  prompt: 'a\n    b\n\n    {{ vars.regoin }}'\n", "8:8"),
        ('  prompt: "a\n    b \\\n    \\n  {{ vars.regoin }}"\n', "7:12"),
        ("  prompt: |\n    {{\n      vars.region ~\n      vars.regoin\n    }}\n", "8:7"),
        ("  prompt: |\n    {# vars.regoin #} {{ vars.region }} {{ vars.regoin }}\n", "6:44"),
        ("  prompt: |\n    a {{ 1 / 0 }}\n", "6:10"),
        ("  prompt: >\n    a\n    {{ vars.region }} b\n    {% endif %}\n", "8:8"),
        ("  prompt: |\n    a {{ vars.region | uper }}\n", "6:24"),
        ("  prompt: |\n    a {% if x %}\n", "6:10"),
        ("  prompt: a\n  toolCallLimit: |\n\n    {{ vars.regoin }}\n", "8:8"),
        ("  instructionsOverride: &a |\n    {{ vars.region }}\n    b {{ vars.regoin }}\n  prompt: *a\n", "7:10"),
        ("  prompt: a {{ (regoin or 1) if false else vars.regoin }}\n", "5:44"),
        ("  prompt: é日 {{ vars.regoin }}\n", "5:17"),
        ("  prompt: a\n  userTokens: {k: [x, '{{ vars.regoin }}']}\n", None),
    ],
)
def test_a_fault_stands_where_its_name_is_written(places: Any, text: str, place: str | None) -> None:
    if place is None:
        line = HEAD + text
        place = f"6:{line.splitlines()[5].index('vars.') + 1}"
    assert places(text)[0] == f"tasks.yaml:{place}"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("  prompt: |\n    a\n    b {{ vars.regoin }}\n", "7:10"),
        ("  prompt: 'a {{ vars.regoin }}'\n", "5:17"),
    ],
)
def test_without_its_file_a_fault_stands_where_the_document_says(places: Any, text: str, place: str) -> None:
    assert places(text, written=False) == [f"tasks.yaml:{place}"]


def test_a_file_that_was_changed_meanwhile_is_not_believed(places: Any, workshop: Any) -> None:
    (workshop.folder / "tasks.yaml").write_text("other: things\n" * 9, "utf-8")
    assert places("  prompt: 'a {{ vars.regoin }}'\n", written=False) == ["tasks.yaml:5:17"]
    (workshop.folder / "tasks.yaml").write_bytes(b"\xff\xfe")
    assert places("  prompt: 'a {{ vars.regoin }}'\n", written=False) == ["tasks.yaml:5:17"]


def test_a_fault_in_an_included_file_stands_there(places: Any, workshop: Any, written: Any) -> None:
    written("parts/tone.md", b"\r\n\xc3\xa9 {{ vars.region }} {{ vars.regoin }}\r\n")
    text = "  prompt: |\n    a\n    b {% include 'parts/tone.md' %}\n"
    (workshop.folder / "tasks.yaml").write_text(HEAD + text, "utf-8")
    problem = workshop.resolve(HEAD + text).problem
    assert str(problem.position) == "parts/tone.md:2:24"
    assert problem.detail == "`vars.regoin` is not declared. It is used at tasks.yaml:7:10."
    assert problem.hint == "Did you mean `region`?"


def test_a_fault_in_a_macro_stands_in_its_file(places: Any, workshop: Any, written: Any) -> None:
    written("macros/style.md", b"{% macro heading(x) %}\n## {{ x.title.y }}\n{% endmacro %}")
    text = "  prompt: >\n    {% from 'style.md' import heading %}\n    a\n    {{ heading('b') }}\n"
    (workshop.folder / "tasks.yaml").write_text(HEAD + text, "utf-8")
    problem = workshop.resolve(HEAD + text).problem
    assert str(problem.position) == "macros/style.md:2:15"


def test_an_included_file_that_is_no_template_is_told_at_its_line(places: Any, workshop: Any, written: Any) -> None:
    written("tone.md", b"a\n\n{% if %}")
    assert places("  prompt: |\n    {% include 'tone.md' %}\n") == ["tone.md:3:7"]


def test_a_missing_file_is_told_where_it_is_named(places: Any, workshop: Any, written: Any) -> None:
    written("tone.md")
    problem = workshop.spec("prompt: a {% include 'tonne.md' %}").problem
    assert (problem.detail, problem.hint) == ("There is no file `tonne.md`.", "Did you mean `tone.md`?")


WORDS = st.lists(st.sampled_from(["a", "é", "it's", '"b"', "\\", "{{ vars.region }}", "c:d"]), min_size=1, max_size=8)
STYLES = st.sampled_from(["plain", "single", "double", "literal", "folded"])


def written_in(style: str, lines: list[str]) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    match style:
        case "literal":
            return "|\n" + body
        case "folded":
            return ">\n" + body
        case "single":
            return "\n    '" + body.strip().replace("'", "''") + "'\n"
        case "double":
            return '\n    "' + body.strip().replace("\\", "\\\\").replace('"', '\\"') + '"\n'
        case _:
            return "\n" + body


@given(st.lists(WORDS, min_size=1, max_size=5), STYLES)
def test_every_place_of_a_text_is_found_in_its_file(lines: list[list[str]], style: str) -> None:
    text = [*("x " + " ".join(words) for words in lines), "{{ vars.regoin }}"]
    source = HEAD + "  prompt: " + written_in(style, text)
    (document,) = parse(source.encode(), "unread.yaml").documents
    fault = WrongTemplateError("", line=str(document.value["spec"]["prompt"]).split("regoin")[0].count("\n") + 1)
    fault.name = "vars.regoin"
    pinpointer = Pinpointer()
    pinpointer._files["unread.yaml"] = source
    found = pinpointer.position(Source(document=document), ("prompt",), str(document.value["spec"]["prompt"]), fault)
    assert source.splitlines()[found.line - 1][found.column - 1 :].startswith("vars.regoin")
