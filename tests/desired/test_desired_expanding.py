"""Cells: which addresses a matrix or a forEach gives, that they are stable, and all that can be wrong with them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.address import Address
from taskspec.desired.expanding import Room, expand
from taskspec.desired.model import Cell
from taskspec.diagnostics import Severity
from taskspec.documents.model import Document, Marks, Source, TaskDocument


def resolved(workshop: Any, fields: str, prompt: str = "Hello", **given: Any) -> Any:
    return workshop.resolve(
        f"metadata: {{name: report}}\nspec:\n  agent: writer\n  prompt: {prompt!r}\n  {fields}\n", **given
    )


def prompts(found: Any) -> dict[str, str]:
    assert found.diagnostics == ()
    return {address: task.spec["prompt"] for address, task in found.desired.tasks.items()}


def test_a_matrix_makes_a_task_of_each_combination(workshop: Any) -> None:
    found = resolved(
        workshop, "matrix: {quarter: [q1, q2], tone: [formal, plain]}", "{{ matrix.tone }} {{ matrix.quarter }}"
    )
    assert prompts(found) == {
        "report[q1,formal]": "formal q1",
        "report[q1,plain]": "plain q1",
        "report[q2,formal]": "formal q2",
        "report[q2,plain]": "plain q2",
    }


def test_each_cell_is_titled_by_its_address(workshop: Any) -> None:
    found = resolved(workshop, "matrix: {quarter: [q1, q2]}")
    assert [task.title for task in found.desired.tasks.values()] == ["report[q1]", "report[q2]"]


def test_an_axis_may_come_from_a_variable(workshop: Any) -> None:
    workshop.declare("quarters", "list", default=["q1", "q3"])
    assert list(prompts(resolved(workshop, 'matrix: {quarter: "{{ vars.quarters }}"}'))) == ["report[q1]", "report[q3]"]


@pytest.mark.parametrize(
    "fields", ['matrix: {q: "{{ vars.none }}"}', "forEach: []", "matrix: {q: [a], exclude: [{q: a}]}"]
)
def test_a_task_without_a_cell_is_told(workshop: Any, fields: str) -> None:
    workshop.declare("none", "list", default=[])
    other = "metadata: {name: other}\nspec: {agent: writer, prompt: x}\n---\n"
    task = f"metadata: {{name: report}}\nspec: {{agent: writer, prompt: x, {fields}}}\n"
    for text, severity in ((task, Severity.ERROR), (other + task, Severity.WARNING)):
        found = workshop.resolve(text)
        assert [(one.severity, one.summary) for one in found.diagnostics] == [(severity, "No cell")]
        assert "report" not in found.desired.tasks


def test_combinations_are_left_out_and_added(workshop: Any) -> None:
    found = resolved(
        workshop,
        "matrix: {q: [q1, q2], tone: [formal, plain], exclude: [{q: q2, tone: plain}],"
        " include: [{q: q9, tone: odd, why: test}, {q: q1, tone: plain, why: more}]}",
        "{{ matrix.why | default('-') }}",
    )
    assert prompts(found) == {
        "report[q1,formal]": "-",
        "report[q1,plain]": "more",
        "report[q2,formal]": "-",
        "report[q9,odd]": "test",
    }


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("2", "report[2]"),
        ("1.5", "report[1.5]"),
        ("true", "report[true]"),
        ("'a b'", 'report["a b"]'),
        ("'a,b'", 'report["a,b"]'),
        ("'a/b'", 'report["a/b"]'),
        ("'a]b'", 'report["a]b"]'),
        ("'*'", 'report["*"]'),
        ("''", 'report[""]'),
        ("'Größe'", "report[Größe]"),
    ],
)
def test_a_value_stands_in_the_address_as_text(workshop: Any, value: str, address: str) -> None:
    assert list(prompts(resolved(workshop, f"matrix: {{axis: [{value}]}}"))) == [address]


@pytest.mark.parametrize(
    ("fields", "where", "words"),
    [
        ("matrix: {include: [{q: q1}]}", "tasks.yaml:5:3", "The matrix has no axis."),
        ("matrix: {q: [q1, q1]}", "tasks.yaml:5:20", "The value `q1` stands twice in `matrix.q`."),
        ("matrix: {q: ['1', 1]}", "tasks.yaml:5:21", "The value `1` stands twice"),
        ("matrix: {q: '{{ 3 }}'}", "tasks.yaml:5:15", "`matrix.q` must be a list."),
        ("matrix: {q: '{{ [[1]] }}'}", "tasks.yaml:5:15", "found a list"),
        ("matrix: {q: [q1], exclude: [{quarter: q1}]}", "tasks.yaml:5:32", "The matrix has no axis `quarter`."),
        ("matrix: {q: [q1], include: [{w: q1}]}", "tasks.yaml:5:31", "`q` is missing"),
        ("forEach: '{{ 3 }}'", "tasks.yaml:5:12", "A `forEach` goes over a list or a map."),
        ("forEach: [a, a]", "tasks.yaml:5:16", "Two items of the `forEach` are named `a`."),
        ("forEach: [{name: a}]", "tasks.yaml:5:13", "nothing says which of their fields names them"),
        ("forEach: {items: [{name: a}], key: id}", "tasks.yaml:5:21", "Item 1 has no field `id`."),
        ("forEach: {file: none.csv, key: id}", "tasks.yaml:5:19", "There is no file `none.csv`."),
        ("forEach: {file: ../x.csv, key: id}", "tasks.yaml:5:19", "outside the project folder"),
        ("forEach: {file: x.txt, key: id}", "tasks.yaml:5:19", "no file of items"),
        ("forEach: {key: id}", "tasks.yaml:5:3", "either `items` or a `file`"),
        ("forEach: ['']", "tasks.yaml:5:13", "empty name"),
    ],
)
def test_what_is_wrong_with_cells_is_told_at_its_place(workshop: Any, fields: str, where: str, words: str) -> None:
    found = resolved(workshop, fields)
    assert (str(found.problem.position), words in found.words) == (where, True), found.words


def test_a_matrix_of_too_many_cells_is_refused_before_it_is_made(workshop: Any) -> None:
    axes = ", ".join(f"a{number}: [{', '.join(map(str, range(100)))}]" for number in range(9))
    found = resolved(workshop, f"matrix: {{{axes}}}")
    assert "cells, and 100,000 are allowed" in found.words


def test_a_secret_never_names_a_cell(workshop: Any) -> None:
    workshop.declare("tokens", "list", sensitive=True, default=["hunter2"])
    for fields in ('matrix: {t: "{{ vars.tokens }}"}', 'forEach: "{{ vars.tokens }}"'):
        found = resolved(workshop, fields)
        assert "shown everywhere" in found.words
        assert "hunter2" not in found.words


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.csv", b'id,name\nacme,Acme Inc\nglobex,"Globex, Ltd"\n'),
        ("c.csv", b'\xef\xbb\xbfid,name\r\nacme,Acme Inc\r\n\r\nglobex,"Globex, Ltd"\r\n'),
        ("c.json", b'[{"id": "acme", "name": "Acme Inc"}, {"id": "globex", "name": "Globex, Ltd"}]'),
        ("c.yaml", b"- {id: acme, name: Acme Inc}\n- id: globex\n  name: Globex, Ltd\n"),
    ],
)
def test_items_come_from_a_file(workshop: Any, written: Any, name: str, content: bytes) -> None:
    written(name, content)
    found = resolved(workshop, f"forEach: {{file: {name}, key: id}}", "Dear {{ each.value.name }} ({{ each.key }})")
    assert prompts(found) == {"report[acme]": "Dear Acme Inc (acme)", "report[globex]": "Dear Globex, Ltd (globex)"}


def test_only_what_ends_a_line_of_a_csv_file_parts_its_rows(workshop: Any, written: Any) -> None:
    written("c.csv", "id\none\u2028two\x0bthree\n".encode())
    found = resolved(workshop, "forEach: {file: c.csv, key: id}", "{{ each.key }}")
    assert list(prompts(found).values()) == ["one\u2028two\x0bthree"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("c.csv", b"id,id\na,b\n", "must name each column once"),
        ("c.csv", b"id,name\na\n", "Line 2 of `c.csv` has 1 fields"),
        ("c.csv", b'id\n"a"b\n', "is no CSV file: line 2"),
        ("c.csv", b"\xff\n", "not in UTF-8"),
        ("c.json", b"[1,", "is no JSON file: line 1"),
        ("c.json", b'[{"id": 1, "id": 2}]', "stands twice"),
        ("c.yaml", b"- a\n- b: [\n", "A value is missing here."),
        ("c.yaml", b"- a\n---\n- b\n", "one YAML document"),
    ],
)
def test_a_file_that_holds_no_items_is_told(workshop: Any, written: Any, name: str, content: bytes, words: str) -> None:
    written(name, content)
    found = resolved(workshop, f"forEach: {{file: {name}, key: id}}")
    place = str(found.problem.position)
    assert words in found.words
    assert place == "tasks.yaml:5:19" or "It is read at tasks.yaml:5:19." in found.words


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("c.csv", b"id,id\na,b\n", ":1:1"),
        ("c.csv", b"id,name\na\n", ":2:1"),
        ("c.json", b"[1,", ":1:4"),
        ("c.yaml", b"- a\n- b: [\n", ":3:1"),
    ],
)
def test_what_is_wrong_in_a_file_of_items_is_told_there(
    workshop: Any, written: Any, name: str, content: bytes, place: str
) -> None:
    written(name, content)
    found = resolved(workshop, f"forEach: {{file: {name}, key: id}}")
    assert str(found.problem.position).endswith(f"{name}{place}")


def test_a_map_names_its_items_by_its_keys(workshop: Any) -> None:
    workshop.declare("teams", "map", default={"red": {"size": 3}, "blue": {"size": 5}})
    found = resolved(workshop, 'forEach: "{{ vars.teams }}"', "{{ each.value.size }}")
    assert prompts(found) == {"report[red]": "3", "report[blue]": "5"}


def test_a_link_out_of_the_project_is_not_read(workshop: Any, tmp_path: Any) -> None:
    (tmp_path / "secret.csv").write_text("id\nx\n")
    (workshop.folder / "c.csv").symlink_to(tmp_path / "secret.csv")
    assert "leads out of the project" in resolved(workshop, "forEach: {file: c.csv, key: id}").words


def test_an_error_that_every_cell_has_is_told_once(workshop: Any) -> None:
    found = resolved(workshop, "matrix: {q: [1, 2, 3]}", "{{ vars.nope }}")
    assert [d.summary for d in found.diagnostics] == ["Wrong template"]


def test_a_name_of_cells_is_not_known_where_there_are_none(workshop: Any) -> None:
    found = resolved(workshop, "title: x", "{{ matrix.q }}")
    assert "This task has no `matrix`" in found.words


_VALUES = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=5, unique=True)


def _cells(matrix: dict[str, Any]) -> list[Cell]:
    document = Document(file="t.yaml", value={}, marks=Marks(1, 1))
    task = TaskDocument(
        address=Address("t"), document=document, source=Source(document=document), spec={"matrix": matrix}
    )
    return list(expand(task, lambda value, path: (value,) * 2, lambda _: None, Room()))


@given(_VALUES, _VALUES, st.sampled_from("ijk"))
def test_a_value_more_never_touches_the_other_cells(one: list[str], other: list[str], more: str) -> None:
    before = {cell.address: cell.names for cell in _cells({"a": one, "b": other})}
    after = {cell.address: cell.names for cell in _cells({"a": [*one[:1], more, *one[1:]], "b": other})}
    assert before.items() <= after.items()
    assert len(after) - len(before) == len(other)


def test_what_names_the_cells_is_not_weighed_for_each_of_them(workshop: Any) -> None:
    axis = ", ".join(f"v{number}" for number in range(100))
    found = resolved(workshop, f"matrix: {{a: [{axis}], b: [{axis}]}}", "x")
    assert found.diagnostics == ()
    assert len(found.desired.tasks) == 10_000
