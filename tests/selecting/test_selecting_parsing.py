"""What a selector means, how it is written, and what is said of one that means nothing."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import little_work
from selector_strategies import selections

from taskspec.errors import UsageError
from taskspec.selecting.model import (
    UNBOUNDED,
    Compared,
    Comparison,
    Judged,
    Labelled,
    Named,
    Selection,
    Term,
    Within,
    word_text,
)
from taskspec.selecting.parsing import MAX_WORD, METHODS, is_selector, parse
from taskspec.state.model import Verdict


def only(text):
    (word,) = parse([text]).words
    (term,) = word
    return term


@pytest.mark.parametrize(
    ("text", "criterion"),
    [
        ("extract", Named(pattern="extract")),
        ("report[q1,*]", Named(pattern="report[q1,*]")),
        ('report["a b,c"]', Named(pattern='report["a b,c"]')),
        ("label:team=growth", Labelled(key="team", value="growth")),
        ("label:team", Labelled(key="team", value="*")),
        ("label:team=", Labelled(key="team", value="")),
        ('label:"a=b"=c=d', Labelled(key='"a=b"', value="c=d")),
        ("file:tasks/**/*.yaml", Within(path="tasks/**/*.yaml")),
        ("state:changed", Compared(comparison=Comparison.CHANGED)),
        ("result:failed", Judged(verdict=Verdict.FAILED)),
        ("result:none", Judged(verdict=None)),
    ],
)
def test_a_criterion_is_read(text, criterion):
    assert only(text) == Term(criterion=criterion)


@pytest.mark.parametrize(
    ("text", "above", "below"),
    [
        ("+a", UNBOUNDED, 0),
        ("a+", 0, UNBOUNDED),
        ("+a+", UNBOUNDED, UNBOUNDED),
        ("2+a", 2, 0),
        ("a+1", 0, 1),
        ("0+a+0", 0, 0),
        ("3+label:team=growth+4", 3, 4),
        ('+label:team="x+"', UNBOUNDED, 0),
    ],
)
def test_a_plus_takes_steps_of_the_graph_along(text, above, below):
    assert (only(text).above, only(text).below) == (above, below)


def test_a_number_alone_is_a_name():
    assert only("2+") == Term(criterion=Named(pattern="2"), below=UNBOUNDED)


def test_commas_and_spaces_part_nothing_in_brackets_and_quotes():
    found = parse(['report[q1,formal],label:team="a, b" other', "last"])
    assert [word_text(word) for word in found.words] == ['report[q1,formal],label:team="a, b"', "other", "last"]


@given(selections)
def test_what_is_written_is_read_back(selection):
    assert parse(map(word_text, selection.words), map(word_text, selection.exclude)) == selection


@given(st.lists(st.text(st.sampled_from('ab+*?,[]":=/\\ 019é\n\0') | st.characters(), max_size=20)))
def test_junk_is_never_more_than_a_usage_error(texts):
    with suppress(UsageError):
        parse(texts, texts)
    for text in texts:
        assert not is_selector(text) or parse([text]).words


@pytest.mark.parametrize("text", ["[" * 5000, '"' * 5000, "+" * 4000, "a," * 2000, "9" * 4000 + "+a", "*a" * 2000])
def test_long_junk_takes_little_work(text):
    with little_work():
        is_selector(text)


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ("", "A selector is empty", "label:team=growth"),
        ("a,,b", "a comma with nothing beside it", "without spaces"),
        ("a, b", "a comma with nothing beside it", "without spaces"),
        ("lable:team=growth", "no method of selection", "Did you mean `label`? Write"),
        ("tag:nightly", "no method of selection", "label:team=growth"),
        ("state:chnged", "nothing that `state:` knows", "Did you mean `changed`? It may be `new`"),
        ("state:modified", "nothing that `state:` knows", "`changed`"),
        ("result:faild", "nothing that `result:` knows", "Did you mean `failed`?"),
        ("label:", "says nothing after `label:`", "`label:team=growth`"),
        ("label:=growth", "names no label", "label:team=growth"),
        ("report[q1", "a bracket that is not closed", "report[q1,*]"),
        ("report]", "stands alone", "report[q1,*]"),
        ('label:team="x', "stands alone", ""),
        ('label:team="\\q"', "cannot be read", "JSON"),
        ("@a", "`@a` is no selector", "`+`"),
        ("Report", "`Report` is no selector", "Write an address"),
        ("+", "`+` is no selector", "Write an address"),
        ("a" * (MAX_WORD + 1), "more than", "globs"),
    ],
)
def test_what_is_no_selector_says_why_and_what_to_write(text, told, hint):
    with pytest.raises(UsageError) as raised:
        parse([text])
    assert told in raised.value.message
    assert hint in raised.value.hint


def test_every_method_is_in_the_example_of_an_unknown_one():
    with pytest.raises(UsageError) as raised:
        parse(["nosuch:x"])
    assert all(f"`{method}:" in raised.value.hint for method in METHODS)


@pytest.mark.parametrize(
    ("words", "documents", "state"),
    [
        ([], False, False),
        (["a", "report*"], False, False),
        (["result:failed"], False, True),
        (["label:team"], True, False),
        (["file:a.yaml"], True, False),
        (["+a"], True, False),
        (["a+"], True, False),
        (["a,state:new"], True, True),
    ],
)
def test_a_selection_knows_what_it_needs(words, documents, state):
    for selection in (parse(words), parse(["a"], words)):
        assert (selection.needs_documents, selection.needs_state) == (documents, state)


@pytest.mark.parametrize("text", ["a", "report[q1,x]"])
def test_one_address_and_nothing_else_is_told_from_all_others(text):
    assert parse([text]).only == text
    others = [[f"{text}+"], [text, "b"], [f"{text},b"], ["*"], []]
    assert [parse(words).only for words in others] == [None] * 5
    assert parse([text], ["b"]).only is None


def test_addresses_that_have_to_be_there_are_those_without_a_glob():
    found = parse(["a", "+b,label:x", "c*", "e,state:new"], ["d"])
    assert found.addresses == ("a", "b", "e", "d")
    assert found.meant == ("a", "e")
    assert Selection().everything
    assert not parse([], ["d"]).everything
