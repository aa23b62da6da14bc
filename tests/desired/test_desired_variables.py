"""Variables: what is given beats what is declared, each text is read by its type, and secrets stay unsaid."""

from typing import Any

import pytest


def _given(workshop: Any, text: str) -> Any:
    resolved = workshop.resolve(
        'metadata: {name: one}\nspec: {agent: a, prompt: p, payloadExtension: {x: "{{ vars.x }}"}}', cli={"x": text}
    )
    return resolved.task.spec["payloadExtension"]["x"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", " a,b ", " a,b "),
        ("string", "[1]", "[1]"),
        ("integer", "-3", -3),
        ("number", "3", 3),
        ("number", "0.5", 0.5),
        ("number", "1e3", 1000),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("list", "q1, q2", ["q1", "q2"]),
        ("list", "", []),
        ("list", '[1, "a,b"]', [1, "a,b"]),
        ("map", '{"a": [1]}', {"a": [1]}),
    ],
)
def test_a_given_text_is_read_by_the_declared_type(workshop: Any, kind: str, text: str, value: Any) -> None:
    workshop.declare("x", kind)
    found = _given(workshop, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "3.0"),
        ("integer", "three"),
        ("integer", "1_000"),
        ("integer", ""),
        ("integer", "9" * 5000),
        ("number", "nan"),
        ("number", "Infinity"),
        ("number", "1e999"),
        ("boolean", "True"),
        ("boolean", "yes"),
        ("list", "a,,b"),
        ("list", "[1,"),
        ("list", "[NaN]"),
        ("list", "[1e999]"),
        ("map", "a=1"),
        ("map", "[1]"),
        ("map", '{"a": 1, "a": 2}'),
    ],
)
def test_a_text_that_is_not_of_the_type_is_refused(workshop: Any, kind: str, text: str) -> None:
    workshop.declare("x", kind)
    resolved = workshop.resolve("metadata: {name: one}\nspec: {agent: a, prompt: p}", cli={"x": text})
    (problem,) = resolved.diagnostics
    assert problem.summary == "Wrong value of a variable"
    assert problem.position.file == "--var"


def test_the_command_line_beats_the_environment_which_beats_the_default(workshop: Any) -> None:
    workshop.declare("x", default="default")
    text = 'metadata: {name: one}\nspec: {agent: a, prompt: "{{ vars.x }}"}'
    assert workshop.resolve(text).task.spec["prompt"] == "default"
    assert workshop.resolve(text, environ={"x": "environ"}).task.spec["prompt"] == "environ"
    assert workshop.resolve(text, cli={"x": "cli"}, environ={"x": "environ"}).task.spec["prompt"] == "cli"


def test_an_undeclared_variable_on_the_command_line_is_an_error_with_the_nearest_name(workshop: Any) -> None:
    workshop.declare("region", default="emea")
    resolved = workshop.resolve("metadata: {name: one}\nspec: {agent: a, prompt: p}", cli={"regoin": "x"})
    (problem,) = resolved.diagnostics
    assert str(problem.position) == "--var"
    assert problem.hint == "Did you mean `region`?"


def test_an_undeclared_variable_in_the_environment_is_none_of_our_business(workshop: Any) -> None:
    assert workshop.resolve("metadata: {name: one}\nspec: {agent: a, prompt: p}", environ={"HOME": "x"}).task


def test_a_wrong_value_in_the_environment_is_placed_at_the_name_of_the_environment_variable(workshop: Any) -> None:
    workshop.declare("n", "integer")
    resolved = workshop.resolve("metadata: {name: one}\nspec: {agent: a, prompt: p}", environ={"n": "many"})
    assert resolved.diagnostics[0].position.file == "TASKSPEC_VAR_n"


def test_a_value_outside_the_enum_is_refused_and_the_allowed_ones_are_named(workshop: Any) -> None:
    workshop.declare("region", enum=("emea", "apac"), default="emea")
    resolved = workshop.resolve("metadata: {name: one}\nspec: {agent: a, prompt: p}", cli={"region": "moon"})
    assert '"emea", "apac"' in resolved.diagnostics[0].detail


def test_true_is_not_the_number_one_of_an_enum(workshop: Any) -> None:
    workshop.declare("flag", "boolean", enum=(1,))
    assert workshop.resolve("metadata: {name: one}\nspec: {agent: a, prompt: p}", cli={"flag": "true"}).diagnostics


def test_a_refused_value_is_reported_once_and_not_at_each_use(workshop: Any) -> None:
    workshop.declare("n", "integer", default=1)
    resolved = workshop.resolve('metadata: {name: one}\nspec: {agent: a, prompt: "{{ vars.n }}"}', cli={"n": "x"})
    assert len(resolved.diagnostics) == 1
    assert resolved.desired.tasks == {}


@pytest.mark.parametrize(
    ("kind", "more", "text"),
    [("integer", {}, "hunter2"), ("string", {"enum": ("a", "b")}, "hunter2"), ("map", {}, '{"k": hunter2')],
)
def test_the_value_of_a_sensitive_variable_is_in_no_message(workshop: Any, kind: str, more: Any, text: str) -> None:
    workshop.declare("token", kind, sensitive=True, **more)
    resolved = workshop.resolve("metadata: {name: one}\nspec: {agent: a, prompt: p}", cli={"token": text})
    assert resolved.diagnostics
    assert "hunter2" not in repr(resolved.diagnostics)


def test_a_variable_without_a_value_that_nobody_uses_is_no_error(workshop: Any) -> None:
    workshop.declare("unused")
    assert workshop.spec("title: x").task


def test_a_used_variable_without_a_value_is_told_once_at_its_first_use_with_its_declaration(workshop: Any) -> None:
    workshop.declare("region")
    resolved = workshop.resolve(
        'metadata: {name: one}\nspec: {agent: a, prompt: "{{ vars.region }}"}\n---\n'
        'metadata: {name: two}\nspec: {agent: a, prompt: "{{ vars.region | upper }}"}'
    )
    assert [d.position.file for d in resolved.diagnostics] == ["tasks.yaml"]
    assert "`vars.region` is declared at taskspec.yaml:" in resolved.words
    assert "--var region=" in resolved.words


def test_a_template_may_ask_whether_a_declared_variable_has_a_value(workshop: Any) -> None:
    workshop.declare("region")
    assert workshop.spec("prompt: \"{{ vars.region | default('all') }}\"").task.spec["prompt"] == "all"
    assert workshop.spec('prompt: "{{ vars.region is defined }}"').task.spec["prompt"] == "False"


def test_the_values_given_have_no_repr(workshop: Any) -> None:
    from taskspec.desired.assigning import GivenVariables

    assert "hunter2" not in repr(GivenVariables(cli={"token": "hunter2"}, environ={"token": "hunter2"}))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("string", "S3CRET\udcff"),
        ("list", "S3CRET,\udcff"),
        ("list", '["S3CRET\\ud800"]'),
        ("map", '{"S3CRET": {"\\ud800": 1}}'),
        ("map", '{"a": [{"b": "S3CRET\\udfff"}]}'),
    ],
)
@pytest.mark.parametrize("way", ["cli", "environ"])
def test_half_of_a_character_is_refused_at_the_variable_and_not_shown(
    workshop: Any, kind: str, text: str, way: str
) -> None:
    workshop.declare("x", kind)
    (problem,) = workshop.resolve(
        'metadata: {name: one}\nspec: {agent: a, prompt: "{{ vars.x | string }}"}', **{way: {"x": text}}
    ).diagnostics
    assert str(problem.position) == {"cli": "--var", "environ": "TASKSPEC_VAR_x"}[way]
    assert "`x`" in problem.detail
    assert "half of a character" in problem.detail
    assert "S3CRET" not in str(problem)
