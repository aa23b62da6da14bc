"""Elements escape by construction: whatever a text, a name or an attribute is, it is never markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from told_pages import Read

from taskspec.report.html.indenting import indented_json
from taskspec.report.html.markup import el, escaped, rendered
from taskspec.report.html.showing import LONGEST, Purse, block, cut, inline, marked, prose

ANY = st.text(st.characters(exclude_categories=()), max_size=60)


def written(node):
    return "".join(rendered(node))


@given(ANY, ANY)
def test_a_text_makes_no_element_and_no_attribute(text, value):
    read = Read(written(el("p", {"title": value}, text, [text])))
    assert [tag for tag, _ in read.elements] == ["p"]
    assert [name for name, _ in read.elements[0][1]] == ["title"]


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp", "M")), max_size=60))
def test_a_text_that_can_be_seen_comes_back_as_it_was(text):
    assert Read(written(el("p", None, text))).text in {text, escaped(text)}


@given(ANY)
def test_a_text_can_be_written_as_utf_8_and_shows_what_cannot_be_seen(text):
    page = written(el("bdi", None, marked(text))) + written(prose(text)) + written(inline(text))
    page.encode()
    assert not set(page) & {"\u202e", "\u2066", "\x1b", "\x00", "\u200b", "\ufeff", "\x9b", "\u3164", "\u00ad"}


@pytest.mark.parametrize(
    "tag", ["script", "style", "iframe", "p onclick=x", "p>", "", "noscript", "base", "object", "textarea", "1"]
)
def test_what_could_do_more_than_show_is_no_element(tag):
    with pytest.raises(ValueError, match="no element"):
        el(tag)


@pytest.mark.parametrize("name", ["onclick", "ONLOAD", "style", "srcdoc", "a b", "a=b", ">", "", "x\n"])
def test_what_could_run_or_is_no_name_is_no_attribute(name):
    with pytest.raises(ValueError, match="no attribute"):
        el("p", {name: "x"})


@pytest.mark.parametrize(
    "href",
    ["javascript:alert(1)", " javascript:x", "data:text/html,x", "//other.example", "JaVaScRiPt:x", "vbscript:x"],
)
def test_an_address_that_is_no_place_on_the_web_is_left_out(href):
    assert written(el("a", {"href": href, "class": "x"}, "there")) == '<a class="x">there</a>'


def test_places_on_the_page_and_on_the_web_are_links():
    assert 'href="#task-a"' in written(el("a", {"href": "#task-a"}))
    assert 'href="https://example.com/?a=1&amp;b=2"' in written(el("a", {"href": "https://example.com/?a=1&b=2"}))


@pytest.mark.parametrize("node", [b"x", 3, {"a": "b"}, object(), [b"x"]])
def test_what_is_no_node_is_an_error(node):
    with pytest.raises(TypeError, match="no part of a page"):
        written(node)


def test_elements_are_made_when_they_are_written_however_deep_they_are():
    node = "deep"
    for _ in range(5_000):
        node = el("div", None, [node])
    assert written(node).count("<div>") == 5_000


def test_a_text_keeps_its_first_line_break():
    assert written(el("pre", None, "\na")) == "<pre>\n\na</pre>"


def test_a_long_text_shows_its_beginning_and_its_end_and_says_what_is_left_out():
    text = "a" * 3_000_000 + "THE END"
    page = written([*block(text, Purse(), "taskspec results x", name="Answer")])
    assert len(page) < LONGEST + 1_000
    assert "THE END" in page
    assert "2.9 million characters. <code>taskspec results x</code> has all." in page


@given(st.text(max_size=200), st.integers(0, 250))
def test_what_is_shown_and_what_is_left_out_add_up(text, most):
    shown = cut(text, most)
    assert len(shown.head) + len(shown.tail) + shown.left_out == len(text)
    assert text.startswith(shown.head)
    assert text.endswith(shown.tail)


def test_an_empty_purse_shows_nothing_and_says_so():
    page = written([*block("text", Purse(characters=0), "taskspec results x", name="Answer")])
    assert "Not shown here: 4 characters." in page


def test_piles_of_accents_are_cut():
    page = written(marked("Z" + "\u0334" * 5_000 + "algo"))
    assert "⟨4997 more marks⟩" in page
    assert len(page) < 100


def test_json_is_set_out_and_nothing_of_it_changes():
    text = '{"a": [1.10, 1E+4, {}], "b": "x,{}[]:\\"", "c": {"d": null}}'
    assert indented_json(text) == (
        '{\n  "a": [\n    1.10,\n    1E+4,\n    {}\n  ],\n  "b": "x,{}[]:\\"",\n  "c": {\n    "d": null\n  }\n}'
    )


@pytest.mark.parametrize("text", ["{", "no json", '{"a": 1, "a": 2}', "[" * 100_000, "1" * 5_000 + "x", ""])
def test_what_is_no_json_stays_as_it_is(text):
    assert indented_json(text) == text
