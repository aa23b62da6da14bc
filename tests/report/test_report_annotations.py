"""Annotations: one command a line, whatever the texts are."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from taskspec.diagnostics import Diagnostic, Position, Severity
from taskspec.report.annotations import annotation, annotations

HERE = Path("/repo/sub")
UNESCAPED = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
TEXT = st.text(st.sampled_from("a:,%\r\n0AD#[ ]=\x1b\u2028") | st.characters(), max_size=30)


def finding(**more):
    place = Position(file=more.pop("file", "tasks/a.yaml"), line=more.pop("line", 3), column=7)
    return Diagnostic(**{"summary": "Wrong value", "detail": "It is wrong.", "position": place, **more})


def one(diagnostic, workspace=None):
    (line,) = annotations([diagnostic], HERE, workspace)
    return line


def as_read(line):
    """Return what GitHub's runner reads in a line: the command, its properties and its message."""
    assert line.lstrip().startswith("::")
    head, _, message = line.lstrip()[2:].partition("::")
    name, _, properties = head.partition(" ")
    pairs = [pair.partition("=") for pair in properties.split(",") if pair]
    return name, {key: unescaped(value) for key, _, value in pairs}, unescaped(message)


def unescaped(text):
    for code, character in UNESCAPED.items():
        text = text.replace(code, character)
    return text


def test_a_diagnostic_is_one_command_with_its_place():
    assert one(finding(hint="Mend it.")) == (
        "::error file=tasks/a.yaml,line=3,col=7,title=Wrong value::It is wrong.%0A→ Mend it."
    )
    assert one(finding(severity=Severity.WARNING)).startswith("::warning file=")


def test_files_are_named_as_they_are_in_the_repository():
    assert "file=sub/tasks/a.yaml," in one(finding(), Path("/repo"))
    assert "file=tasks/a.yaml," in one(finding(), Path("/elsewhere"))
    assert "file=x/a.yaml," in one(finding(file="/repo/x/a.yaml"), Path("/repo"))


def test_what_stands_in_no_file_has_no_place():
    assert one(finding(file="--var region", line=0)) == "::error title=Wrong value::It is wrong."


def test_the_order_is_that_of_the_places():
    lines = annotations([finding(line=9), finding(line=2)], HERE, None)
    assert [as_read(line)[1]["line"] for line in lines] == ["2", "9"]


def test_trouble_without_a_place_is_an_error_too():
    assert annotation("There is no file `x`.", "Did you mean `y`?") == (
        "::error::There is no file `x`.%0A→ Did you mean `y`?"
    )
    assert annotation("Bad.") == "::error::Bad."


@given(file=TEXT.filter(bool), summary=TEXT, detail=TEXT, hint=TEXT)
def test_no_text_begins_a_command_of_its_own_or_changes_a_property(file, summary, detail, hint):
    line = one(finding(file=file, summary=summary, detail=detail, hint=hint))
    assert len(line.splitlines()) == 1
    name, properties, _ = as_read(line)
    assert name == "error"
    assert list(properties) == ["file", "line", "col", "title"]
    assert (properties["line"], properties["col"]) == ("3", "7")


@given(TEXT)
def test_a_message_is_read_as_it_was_but_for_what_steers_a_terminal(text):
    printable = "".join(character for character in text if character.isprintable() or character in "\r\n")
    assert as_read(annotation(printable))[2] == printable
