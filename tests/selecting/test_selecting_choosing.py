"""What a selection selects: cases, and the laws of sets."""

import pytest
from hypothesis import given
from selector_strategies import fields, selections, terms, unions, words

from taskspec.address import Address
from taskspec.selecting.choosing import idle, select
from taskspec.selecting.model import Candidate, Comparison, Selection, word_text
from taskspec.selecting.parsing import parse
from taskspec.state.model import Verdict


def candidate(address, *upstream, **more):
    return Candidate(address=Address(address), upstream=tuple(map(Address, upstream)), **more)


CHAIN = [
    candidate("extract", labels={"team": "growth"}, files=("tasks/extract.yaml",), comparison=Comparison.CHANGED),
    candidate("report[q1]", "extract", labels={"team": "sales"}, verdict=Verdict.FAILED),
    candidate("report[q2]", "extract", labels={"team": "sales"}, verdict=Verdict.ACCEPTED),
    candidate("summary", "report[q1]", "report[q2]", files=("tasks/deep/summary.yaml",), comparison=Comparison.NEW),
    candidate("alone", labels={"tier": "1"}, comparison=Comparison.UNCHANGED),
    candidate("gone", comparison=Comparison.REMOVED, verdict=Verdict.ERROR),
]


@pytest.mark.parametrize(
    ("words", "selected"),
    [
        ("extract", "extract"),
        ("report", "report[q1] report[q2]"),
        ("report[q1]", "report[q1]"),
        ("rep* alone", "report[q1] report[q2] alone"),
        ("+summary", "extract report[q1] report[q2] summary"),
        ("1+summary", "report[q1] report[q2] summary"),
        ("extract+1", "extract report[q1] report[q2]"),
        ("+report[q1]+", "extract report[q1] summary"),
        ("label:team", "extract report[q1] report[q2]"),
        ("label:team=s*", "report[q1] report[q2]"),
        ("label:t*=1", "alone"),
        ("+label:team=sales", "extract report[q1] report[q2]"),
        ("file:tasks", "extract summary"),
        ("file:tasks/*.yaml", "extract"),
        ("file:**/summary.yaml", "summary"),
        ("state:changed+", "extract report[q1] report[q2] summary"),
        ("state:new state:removed", "summary gone"),
        ("result:failed", "report[q1]"),
        ("result:none", "extract summary alone"),
        ("label:team=sales,result:failed", "report[q1]"),
        ("extract+,label:team=growth", "extract"),
        ("extract,alone", ""),
    ],
)
def test_what_is_selected(words, selected):
    assert select(parse(words.split()), CHAIN) == set(selected.split())


def test_what_is_excluded_is_never_selected():
    assert select(parse(["+summary"], ["report[q1],result:failed", "extract"]), CHAIN) == {"report[q2]", "summary"}
    assert select(parse([], ["label:team", "gone"]), CHAIN) == {"summary", "alone"}


@pytest.mark.parametrize(
    ("words", "targets", "exclude", "selected"),
    [
        ([], ["summary"], [], "extract report[q1] report[q2] summary"),
        ([], ["label:team=sales,result:failed"], [], "extract report[q1]"),
        (["alone"], ["report[q1]"], [], "alone extract report[q1]"),
        ([], ["summary"], ["extract"], "report[q1] report[q2] summary"),
        ([], ["alone", "gone"], [], "alone gone"),
    ],
)
def test_a_target_takes_its_upstream_along(words, targets, exclude, selected):
    assert select(parse(words, exclude, targets), CHAIN) == set(selected.split())


def test_a_target_is_told_as_it_is_written_and_needs_the_documents():
    selection = parse(["alone"], ["gone"], ["summary,state:new"])
    assert str(selection) == "alone --target summary,state:new --exclude gone"
    assert (selection.everything, selection.needs_documents, selection.needs_state) == (False, True, True)
    assert parse([], [], ["nosuch"]).addresses == ("nosuch",)


@given(unions, fields())
def test_a_target_is_what_it_selects_and_all_above(targets, field):
    chosen = select(Selection(targets=targets), field)
    if targets:
        assert select(Selection(words=targets), field) <= chosen
        known = {one.address: one for one in field}
        assert all(above in chosen for one in chosen for above in known[one].upstream if above in known)


def test_a_name_a_label_or_a_file_that_fits_no_task_is_found_also_where_it_is_excluded():
    selection = parse(["repot*", "label:team=growht,extract", "state:unchanged,result:lost"], ["file:nosuch", "alone"])
    assert [str(place) for place in idle(selection, CHAIN)] == ["repot*", "label:team=growht", "file:nosuch"]


@given(selections, fields())
def test_only_candidates_are_selected_and_never_what_is_excluded(selection, field):
    chosen = select(selection, field)
    assert chosen <= {one.address for one in field}
    assert not selection.exclude or not chosen & select(Selection(words=selection.exclude), field)


@given(unions, unions, fields())
def test_words_are_a_union(some, others, field):
    both = select(Selection(words=(*some, *others)), field)
    if some and others:
        assert both == select(Selection(words=some), field) | select(Selection(words=others), field)


@given(words, words, fields())
def test_commas_are_an_intersection(some, others, field):
    both = select(Selection(words=((*some, *others),)), field)
    assert both == select(Selection(words=(some,)), field) & select(Selection(words=(others,)), field)


@given(unions, unions, fields())
def test_excluding_is_taking_away(some, others, field):
    without = select(Selection(words=some, exclude=others), field)
    taken = select(Selection(words=others), field) if others else frozenset()
    assert without == select(Selection(words=some), field) - taken


@given(terms, fields())
def test_a_wider_reach_selects_no_less(term, field):
    from dataclasses import replace

    narrow = select(Selection(words=((replace(term, above=0, below=0),),)), field)
    assert narrow <= select(Selection(words=((term,),)), field)


@given(words, fields())
def test_the_order_of_candidates_and_terms_means_nothing(word, field):
    forward = select(Selection(words=(word,)), field)
    assert forward == select(Selection(words=(tuple(reversed(word)),)), list(reversed(field))), word_text(word)


@given(fields())
def test_every_candidate_compares_in_exactly_one_way(field):
    found = [select(parse([f"state:{way}"]), field) for way in Comparison]
    assert sum(map(len, found)) == len(field)
    assert frozenset().union(*found) == {one.address for one in field}
