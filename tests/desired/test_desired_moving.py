"""Former names: which address a task says that it had before, and all that can be wrong with that."""

from typing import Any

import pytest


def declared(workshop: Any, *tasks: str) -> Any:
    """Resolve tasks, each written as its name and the fields of its spec."""
    documents = []
    for text in tasks:
        name, _, fields = text.partition(": ")
        documents.append(f"metadata: {{name: {name}}}\nspec: {{agent: writer, prompt: x, {fields}}}\n")
    return workshop.resolve("---\n".join(documents))


def former(found: Any) -> dict[str, str]:
    assert found.diagnostics == ()
    return dict(found.desired.former)


def test_a_task_tells_its_former_name(workshop: Any) -> None:
    found = declared(workshop, "new: moved: {from: old}", "other: agent: writer")
    assert former(found) == {"new": "old"}


def test_a_former_name_is_no_part_of_what_is_sent(workshop: Any) -> None:
    (moved,) = declared(workshop, "new: moved: {from: old}").desired.tasks.values()
    (plain,) = declared(workshop, "new: timeout: 1m").desired.tasks.values()
    assert moved.fingerprint == plain.fingerprint
    assert moved.request == plain.request


def test_a_plain_name_means_the_cell_with_the_same_key(workshop: Any) -> None:
    found = declared(workshop, "new: matrix: {q: [q1, 'a b']}, moved: {from: old}")
    assert former(found) == {"new[q1]": "old[q1]", 'new["a b"]': 'old["a b"]'}


def test_an_item_is_the_former_item_with_the_same_key(workshop: Any) -> None:
    found = declared(workshop, "new: forEach: [q1, q2], moved: {from: old}")
    assert former(found) == {"new[q1]": "old[q1]", "new[q2]": "old[q2]"}


def test_an_address_means_itself(workshop: Any) -> None:
    assert former(declared(workshop, "new: moved: {from: 'old[q1]'}")) == {"new": "old[q1]"}


def test_a_template_gives_the_former_address_of_each_cell(workshop: Any) -> None:
    found = declared(workshop, "new: matrix: {q: [q1, q2], form: [pdf]}, moved: {from: 'new[{{ matrix.q }}]'}")
    assert former(found) == {"new[q1,pdf]": "new[q1]", "new[q2,pdf]": "new[q2]"}


def test_a_template_may_give_the_name_of_a_task_that_had_no_cells(workshop: Any) -> None:
    found = declared(workshop, "new: matrix: {q: [q1, q2]}, moved: {from: '{% if matrix.q == \"q1\" %}new{% endif %}'}")
    assert former(found) == {"new[q1]": "new"}


def test_a_template_sees_items_and_variables(workshop: Any) -> None:
    workshop.declare("before", default="old")
    found = declared(
        workshop,
        "new: forEach: {items: [{id: a, nr: 7}], key: id}, moved: {from: '{{ vars.before }}[{{ each.value.nr }}]'}",
    )
    assert former(found) == {"new[a]": "old[7]"}


def test_a_value_need_not_be_quoted_by_a_template(workshop: Any) -> None:
    found = declared(workshop, "new: matrix: {q: [a b], form: [pdf]}, moved: {from: 'new[{{ matrix.q }}]'}")
    assert former(found) == {'new["a b",pdf]': 'new["a b"]'}


def test_a_value_may_be_quoted_though_it_need_not(workshop: Any) -> None:
    found = declared(
        workshop, "new: matrix: {q: [q1, 'a,b'], form: [pdf]}, moved: {from: 'new[{{ matrix.q | tojson }}]'}"
    )
    assert former(found) == {"new[q1,pdf]": "new[q1]", 'new["a,b",pdf]': 'new["a,b"]'}


@pytest.mark.parametrize("text", ["''", "' '", "'{{ vars.nothing }}'", "'{% if false %}old{% endif %}'"])
def test_an_empty_text_is_no_move(workshop: Any, text: str) -> None:
    workshop.declare("nothing", default="")
    assert former(declared(workshop, f"new: moved: {{from: {text}}}")) == {}


@pytest.mark.parametrize("text", ["Old", "'old['", "'old[q1'", "'{{ vars.number }}'", "'old[{{ vars.list }}]'", "old*"])
def test_what_is_no_address_is_told(workshop: Any, text: str) -> None:
    workshop.declare("number", "integer", default=7)
    workshop.declare("list", "list", default=[["a"]])
    found = declared(workshop, f"new: moved: {{from: {text}}}")
    (one,) = found.diagnostics
    assert (one.summary, "no address" in one.detail) == ("Wrong move", True)
    assert one.hint


def test_a_secret_is_refused(workshop: Any) -> None:
    workshop.declare("key", default="hunter2", sensitive=True)
    found = declared(workshop, "new: moved: {from: '{{ vars.key }}'}")
    (one,) = found.diagnostics
    assert "sensitive" in one.detail
    assert "hunter2" not in found.words


@pytest.mark.parametrize(
    ("tasks", "told"),
    [
        (["new: moved: {from: new}"], "its own name"),
        (["new: matrix: {q: [q1]}, moved: {from: new}"], "its own name"),
        (["new: moved: {from: old}", "old: timeout: 1m"], "is still declared"),
        (["new: moved: {from: old}", "old: moved: {from: new}"], "is still declared"),
        (["new: matrix: {q: [q1]}, moved: {from: old}", "old: matrix: {q: [q1, q2]}"], "`old[q1]` is still declared"),
        (["a: moved: {from: old}", "b: moved: {from: old}"], "`a` and `b` both say"),
        (
            ["new: matrix: {q: [q1], form: [pdf, html]}, moved: {from: 'new[{{ matrix.q }}]'}"],
            "`new[q1,pdf]` and `new[q1,html]` both say that they were `new[q1]`",
        ),
    ],
)
def test_a_record_has_one_task(workshop: Any, tasks: list[str], told: str) -> None:
    found = declared(workshop, *tasks)
    assert {one.summary for one in found.diagnostics} == {"Wrong move"}
    assert told in found.words


def test_a_cell_that_the_other_task_has_no_more_may_be_another_ones(workshop: Any) -> None:
    found = declared(workshop, "new: matrix: {q: [q2]}, moved: {from: old}", "old: matrix: {q: [q1]}")
    assert former(found) == {"new[q2]": "old[q2]"}


def test_results_are_not_there_to_name_a_task(workshop: Any) -> None:
    found = declared(workshop, "new: moved: {from: '{{ tasks.a.result }}'}", "a: timeout: 1m")
    assert [one.summary for one in found.diagnostics] == ["Wrong template"]
