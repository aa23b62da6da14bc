"""Spread templates: the same template, and a line for each word."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.desired.rendering import Renderer
from taskspec.desired.scope import WrongTemplateError
from taskspec.desired.spreading import spread

NAMES = {"x": "é", "n": [1, 2]}
PIECES = st.sampled_from(
    [
        "a ",
        "\n",
        "日 {{ x }}",
        "{{- x | upper -}} ",
        "{% if x == 'a b' %}",
        "{% else %}",
        "{% endif %}",
        "{% for i in n %}{{ i }}\n{% endfor %}",
        "{# {{ no }} #}",
        "{% raw %}{{ raw }}{% endraw %}",
        "{{ '\n' ~ {'k': -1}.k }}",
        "{{ 'open",
        "}}",
        "{% set y = 2 %}",
    ]
)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(None)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_a_spread_text_gives_the_same_or_is_wrong_too(renderer: Renderer, text: str) -> None:
    assert outcome(renderer, spread(text, renderer.lexed).text) == outcome(renderer, text)


def outcome(renderer: Renderer, text: str) -> Any:
    try:
        return renderer.render(text, NAMES)
    except WrongTemplateError as fault:
        return type(fault)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_each_line_begins_with_what_stands_at_its_place_in_the_text(renderer: Renderer, text: str) -> None:
    found = spread(text, renderer.lexed)
    for number, line in enumerate(found.text.split("\n"), 1):
        assert text.startswith(line, found.offset(number))


@pytest.mark.parametrize(
    ("text", "unclosed", "blocks"),
    [
        ("a {{ x", "{{", []),
        ("{{ x } b {{ x }}", "{{", []),
        ("{# a", "{#", []),
        ("{% if x %}{% for i in n %}", None, ["if", "for"]),
        ("{% set y = 1 %}{% set z %}", None, ["set"]),
        ("{{ x ? 1 }}", None, []),
        ("{{ x }}{% if x %}{% endif %}", None, []),
    ],
)
def test_what_has_no_end_is_known(renderer: Renderer, text: str, unclosed: str | None, blocks: list[str]) -> None:
    found = spread(text, renderer.lexed)
    assert (found.unclosed.text if found.unclosed else None) == unclosed
    assert [word.text for word in found.open_blocks] == blocks
