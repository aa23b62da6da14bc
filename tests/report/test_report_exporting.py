"""Results as JSON and as a table: whatever stands in them is text, for spreadsheets too."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.address import Address
from taskspec.ci import Revision
from taskspec.report.exporting import Export, csv_pieces, export_object, harmless, json_pieces
from taskspec.state.model import Accepted, Attempt, ResultRef, Verdict
from taskspec.taskapi.remotes import RemoteIdentity

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"]  # meant


def exported(content, *, address="a", axes=(), revision=None):
    ref = ResultRef.of(content, None)
    made = Attempt(
        number=1,
        nonce="n",
        marker="[m]",
        body_digest="",
        intended_at=0.0,
        send_deadline=0.0,
        remote=RemoteIdentity(type="local"),
        run="run-1",
        verdict=Verdict.ACCEPTED,
        started_at=1.0,
        finished_at=3.0,
        result=ref,
        revision=revision,
    )
    accepted = Accepted(generation=2, fingerprint="1:f", plan="p1", agent="writer", attempt=made, result=ref, at=4.0)
    return Export(address=Address(address), accepted=accepted, axes=dict(axes), read=lambda: content)


def table(*exports, axes=(), raw=False):
    return list(csv.DictReader(io.StringIO("".join(csv_pieces(axes, exports, raw=raw)), newline="")))


def test_a_row_has_what_tells_a_result_apart():
    one = exported("yes", address="cell[eu]", axes={"region": "eu"}, revision=Revision(commit="c" * 40))
    (row,) = table(one, axes=["region"])
    assert (row["address"], row["task"], row["axis.region"], row["generation"]) == ("cell[eu]", "cell", "eu", "2")
    assert (row["commit"], row["seconds"], row["verdict"], row["content"]) == ("c" * 40, "2.0", "accepted", "yes")
    assert row["startedAt"] == "1970-01-01T00:00:01.000+00:00"
    assert (row["agentVersion"], row["promptTokens"]) == ("", "")


@pytest.mark.parametrize("content", FORMULAS)
def test_no_cell_is_a_formula_unless_it_is_asked_for_raw(content):
    one = exported(content, address="cell[x]", axes={"v": content})
    (row,) = table(one, axes=["v"])
    assert (row["content"], row["axis.v"]) == (f"'{content}", f"'{content}")
    (row,) = table(one, axes=["v"], raw=True)
    assert (row["content"], row["axis.v"]) == (content, content)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_a_text_comes_back_as_it_was_and_in_one_cell(content):
    (row,) = table(exported(content))
    assert row["content"] == harmless(content)
    assert harmless(content).removeprefix("'") in {content, content.removeprefix("'")}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=3))
def test_the_document_is_json_with_each_text_as_it_was(contents):
    pieces = list(json_pieces({"project": "p"}, [exported(content) for content in contents]))
    text = "".join(pieces)
    found = json.loads(text)
    assert (found["format"], found["project"]) == (1, "p")
    assert [one["content"] for one in found["results"]] == contents
    assert text.isascii()
    assert not set(text) & {"\x1b", "\x7f"}


def test_one_result_is_read_at_a_time():
    read = []

    def export(number):
        one = exported(str(number))
        return Export(address=one.address, accepted=one.accepted, read=lambda: read.append(number) or str(number))

    pieces = json_pieces({}, map(export, range(3)))
    next(pieces)
    assert read == []
    next(pieces)
    assert read == [0]


def test_what_nobody_tells_is_null():
    told = export_object(exported("x"))
    assert (told["revision"], told["tokens"], told["agentVersion"], told["axes"]) == (None, None, None, {})
