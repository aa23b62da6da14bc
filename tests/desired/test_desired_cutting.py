"""Cutting: what the pieces of a template give together is what the whole gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.desired import rendering
from taskspec.desired.cutting import MOST_PIECES, Piece, cut
from taskspec.desired.rendering import Renderer
from taskspec.desired.scope import WrongTemplateError

NAMES = {"vars": {"region": "emea", "limit": 3, "topics": ["a", "b"], "none": None, "none_at_all": []}}
FRAGMENTS = st.lists(
    st.sampled_from(
        [
            "words ",
            "\n",
            "{",
            "}",
            "%",
            "#",
            "{ {",
            "}}",
            "%}",
            "é",
            "'",
            '"',
            "\\",
            "\r\n",
            "{#c#}",
            "{{",
            "{%",
            " -",
            "+",
            "{{ vars.region }}",
            "{{vars.region|upper}}",
            "{{ vars.limit + 1 }}",
            "{{ '}}' }}",
            "{{ '%}' }}",
            "{{ 'a' ~ \"b\" }}",
            "{{- vars.region -}}",
            "{{ vars.region -}}",
            "{{+ vars.limit }}",
            "{{ vars.x }}",
            "{{ vars.none }}",
            "{{ loop }}",
            "{{ {'a': 1}['a'] }}",
            "{{ 7 % 4 }}",
            "{{ -1 }}",
            "{{ x }}",
            "{{ t }}",
            "{{\nvars.region\n}}",
            "{{ 'a\\'b' }}",
            "{{ ) }}",
            "{% for t in vars.topics %}",
            "{%for t in vars.none_at_all%}",
            "{{ loop.index }}",
            "{% else %}",
            "{% endfor %}",
            "{% if vars.limit > 2 %}",
            "{% elif vars.limit %}",
            "{% endif %}",
            "{%- endif %}",
            "{% endif -%}",
            "{% if %}",
            "{% set x = 1 %}",
            "{% raw %}",
            "{% endraw %}",
            "{% macro m() %}",
            "{% endmacro %}",
            "{% if vars.x is defined %}",
            "{% for t in vars.topics if t == 'a' %}",
            "{% for x in vars.topics recursive %}",
            "{% break %}",
        ]
    ),
    max_size=9,
)
BLOCKS = st.recursive(
    st.sampled_from(["words", "\n", "{{ vars.region | upper }}", "{{ vars.limit }}", "{{ t }}", "{{ vars.x }}"]),
    lambda inner: st.one_of(
        st.builds("{{% for t in vars.topics %}}{}{{% endfor %}}".format, inner),
        st.builds("{{% if vars.limit == 3 %}}{}{{% else %}}{}{{% endif %}}".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=8,
)


def rendered(text):
    try:
        return Renderer(None).render(text, dict(NAMES))
    except WrongTemplateError as fault:
        return fault.detail, fault.hint, fault.line, fault.name


def assert_same(text):
    with pytest.MonkeyPatch.context() as patch:
        found = rendered(text)
        patch.setattr(rendering, "cut", lambda _: None)
        whole = rendered(text)
    assert (found, type(found)) == (whole, type(whole))


@given(FRAGMENTS)
def test_of_any_fragments_the_pieces_give_what_the_whole_gives(fragments):
    assert_same("".join(fragments))


@given(BLOCKS)
def test_of_any_blocks_the_pieces_give_what_the_whole_gives(text):
    assert_same(text)


def test_words_and_markup_are_parted_and_blocks_stay_together():
    loop = "{% for t in vars.topics %}{% if t %}{{ t }}{% else %}-{% endif %}{% endfor %}"
    assert cut(f"To {{{{ vars.region | upper }}}}: {loop}!") == [
        Piece("To ", is_markup=False),
        Piece("{{ vars.region | upper }}", is_markup=True),
        Piece(": ", is_markup=False),
        Piece(loop, is_markup=True),
        Piece("!", is_markup=False),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{{ vars.region }}",
        "a {% set x = 1 %}{{ x }}",
        "a {{- vars.region }}",
        "a {% if x -%} b {% endif %}",
        "a {# b #}",
        "a {% for t in x %}",
        "a {% endif %}",
        "a {% include 'b' %}",
        "{% import 'b' as b %}{{ b.c() }} d",
        "a {{{ x }}}",
        "a\r\n{{ x }}",
        "{{ x }} " * MOST_PIECES,
    ],
)
def test_what_is_not_plain_stays_whole(text):
    assert cut(text) is None


def test_what_two_texts_have_in_common_is_compiled_once(monkeypatch):
    renderer = Renderer(None)
    compiled = []
    really = renderer._compiler.template
    monkeypatch.setattr(renderer._compiler, "template", lambda text, **_: compiled.append(text) or really(text))
    texts = [f"{number}: {{{{ vars.region | upper }}}} {{% if vars.limit %}}x{{% endif %}}" for number in range(5)]
    assert [renderer.render(text, dict(NAMES)) for text in texts] == [f"{number}: EMEA x" for number in range(5)]
    assert len(compiled) == 2


def test_the_pieces_of_a_template_share_its_bounds():
    loop = "{% for a in vars.long %}{% for b in vars.long %}{% endfor %}{% endfor %}"
    names = {"vars": {"long": list(range(250))}}
    assert Renderer(None).render(f"{loop} ", names) == " "
    with pytest.raises(WrongTemplateError, match="too much work") as caught:
        Renderer(None).render(f"{loop}\n\n{loop} ", names)
    assert caught.value.line == 3
    with pytest.raises(WrongTemplateError, match="longer than"):
        Renderer(None).render("{{ vars.x | lower }} {{ vars.x | lower }}", {"vars": {"x": "x" * 600_000}})
