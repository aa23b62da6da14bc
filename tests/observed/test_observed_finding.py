"""Finding runs by their markers in whole lists: the exact one, all of ours, those of others, and twins."""

import asyncio

import pytest
from played_remote import LIST, PlayedRemote, row

from taskspec.address import Address, address_hash
from taskspec.errors import AuthenticationError, UnreachableError
from taskspec.markers import Marker, digest_of
from taskspec.observed.finding import find_marked, foreign, sightings, twins
from taskspec.observed.listing import Unlisted, survey


def marker(address, nonce, *, lineage="line", generation=1):
    return Marker.of(lineage, Address(address), "1:feed", generation, nonce).text


ONE, TWO = marker("a", "n1"), marker("b", "n2")


def find(remote, **markers):
    return asyncio.run(find_marked(remote, {nonce: ("a1", marker) for nonce, marker in markers.items()}))


def test_marked_runs_are_found_by_the_exact_end_of_their_titles_in_one_list():
    rows = [
        row("r1", "executing", title=f"[draft] Report {ONE}"),
        row("r2", "executing", title=f"{ONE} Report"),
        row("r3", "executing", title=f"Report {ONE[1:]}"),
        row("r4", "executing", title=None),
        row("r5", "executing", title=f"Twin {ONE} "),
        row("r6", "executing", agent="a2", title=ONE),
    ]
    remote = PlayedRemote(rows)
    found = find(remote, n1=ONE, n2=TWO)
    assert [record.id for record in found["n1"].runs] == ["r1", "r5"]
    assert found["n2"].runs == ()
    assert remote.asked == [f"{LIST}a1"]


@pytest.mark.parametrize(
    ("title", "keeps"),
    [
        (f"Report {marker('another', 'n9')}", True),
        ("Report", False),
        (f"Report {marker('a', 'n1', lineage='other')}", False),
        (f"Report {ONE[:-1]}", False),
        ("Report [draft]", False),
        (None, False),
    ],
)
def test_only_a_whole_marker_of_the_same_lineage_shows_that_titles_are_kept(title, keeps):
    found = find(PlayedRemote([row("r1", "executing", title=title)]), n1=ONE, n2=TWO)
    assert found["n2"].keeps_markers is keeps


@pytest.mark.parametrize("trouble", [404, 422, 429, 500, UnreachableError("down")])
def test_a_list_that_could_not_be_read_proves_nothing(trouble):
    assert find(PlayedRemote([], broken={LIST: trouble}), n1=ONE) == {}


def test_a_list_with_an_unreadable_row_proves_nothing():
    remote = PlayedRemote([row("", "executing", title=ONE)])
    assert find(remote, n1=ONE) == {}


def test_a_refused_key_stops_the_search():
    with pytest.raises(AuthenticationError):
        find(PlayedRemote([], broken={LIST: 403}), n1=ONE)


def test_nothing_is_asked_where_no_marker_is_looked_for():
    remote = PlayedRemote([])
    assert find(remote) == {}
    assert not remote.asked


def seen(*titles, lineage="line"):
    rows = [row(f"r{n}", "executing", title=title, created_at=100.0 - n) for n, title in enumerate(titles)]
    lists = asyncio.run(survey(PlayedRemote(rows), ["a1"]))
    return sightings(lists, lineage), foreign(lists, lineage)


def test_all_runs_of_a_lineage_are_sighted_the_earliest_first_and_the_others_only_counted():
    found, others = seen(ONE, "Report", None, marker("a", "n3", lineage="other"), TWO, "[ts1.line.x]")
    assert [(one.run.id, one.marker.address, one.marker.digest) for one in found] == [
        ("r4", address_hash(Address("b")), digest_of("1:feed")),
        ("r0", address_hash(Address("a")), digest_of("1:feed")),
    ]
    assert others == 1


def test_where_there_is_no_state_yet_no_run_is_ours():
    assert seen(marker("a", "n1", lineage=""), ONE, lineage="") == ((), 1)


def test_twins_are_runs_that_bear_one_marker():
    found, _ = seen(ONE, TWO, ONE, marker("a", "n1", generation=2))
    assert [[one.run.id for one in group] for group in twins(found)] == [["r2", "r0"]]


def test_a_run_of_unknown_age_counts_as_the_newest():
    rows = [row("r1", "executing", title=ONE), row("r2", "executing", title=ONE, created_at=5)]
    found = sightings(asyncio.run(survey(PlayedRemote(rows), ["a1"])), "line")
    assert [one.run.id for one in found] == ["r2", "r1"]


def test_a_run_that_a_list_repeats_is_one():
    twice = [row("r1", "executing", title=ONE), row("r1", "completed", title=ONE)]
    found = sightings(asyncio.run(survey(PlayedRemote(twice), ["a1"])), "line")
    assert [one.run.id for one in found] == ["r1"]
    assert twins(found) == ()


def test_of_a_list_that_fails_nothing_is_sighted_and_it_is_told():
    lists = asyncio.run(survey(PlayedRemote([], broken={LIST: 503}), ["a1"]))
    assert isinstance(lists["a1"], Unlisted)
    assert sightings(lists, "line") == ()
