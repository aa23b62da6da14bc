"""The published schema of the events, held against their classes and against what is written, in both directions."""

import dataclasses
import json
import runpy
import sys
from pathlib import Path

import pytest

from taskspec import events
from taskspec.contracts import Contract, load_schema
from taskspec.report.jsonlines import FORMAT, JsonLines

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).parent / "report"))
from test_report_words import TOLD  # noqa: E402

SCHEMA = load_schema("events.v1")
ENGINES = ["jsonschema_rs", "jsonschema"]


@pytest.fixture(params=ENGINES, scope="module")
def contract(request):
    return Contract(SCHEMA, engine=request.param)


def row(event):
    written = []
    JsonLines(written.append, lambda: "2026-01-01T00:00:00.000+00:00").on(event)
    return json.loads(written[0])


def test_the_schema_is_made_of_the_classes():
    made = runpy.run_path(str(ROOT / "docs" / "make_events.py"))["text"]()
    assert made == (ROOT / "schemas" / "events.v1.json").read_text("utf-8"), "run `python docs/make_events.py`"


def test_it_has_every_event_with_every_field_and_no_other():
    kinds = {kind.__name__: kind for kind in events.Event.__subclasses__()}
    assert SCHEMA["$defs"].keys() == {*kinds, "error"}
    assert [case["then"]["$ref"] for case in SCHEMA["then"]["allOf"]] == [f"#/$defs/{name}" for name in kinds]
    for name, kind in kinds.items():
        definition = SCHEMA["$defs"][name]
        assert list(definition["properties"]) == [field.name for field in dataclasses.fields(kind)]
        assert definition["description"]


@pytest.mark.parametrize("case", TOLD)
def test_every_event_fits_as_it_is_written(case, contract):
    assert contract.violations(row(TOLD[case])) == []


@pytest.mark.parametrize("case", TOLD)
def test_a_field_of_another_type_or_one_that_is_missing_does_not_fit(case, contract):
    told = row(TOLD[case])
    definition = SCHEMA["$defs"][told["event"]]
    for name in definition["properties"]:
        assert not contract.fits({**told, name: {"no": "such"}}), name
        kept = {key: value for key, value in told.items() if key != name}
        assert contract.fits(kept) is (name not in definition["required"]), name
    assert not contract.fits({key: value for key, value in told.items() if key != "time"})
    assert not contract.fits({**told, "format": FORMAT + 1})


def test_words_that_are_not_known_do_not_fit(contract):
    finished = row(TOLD["ChangeFinished done"])
    for name in ("action", "effect", "health", "verdict"):
        assert not contract.fits({**finished, name: "splendid"}), name
    assert not contract.fits({**row(TOLD["RunStopped"]), "cause": "boredom"})
    assert not contract.fits({**row(TOLD["RoundFinished"]), "outcome": "splendid"})
    assert contract.fits({**row(TOLD["RunStatusChanged"]), "status": "a word of the remote"})


def test_a_reader_bears_events_and_fields_that_it_does_not_know(contract):
    assert contract.fits({"format": FORMAT, "event": "FromTomorrow", "time": "2026-01-01T00:00:00Z", "x": [1]})
    assert contract.fits({**row(TOLD["RunCreated"]), "fromTomorrow": True})


def test_an_error_among_the_lines_fits(contract):
    assert contract.fits({"error": {"message": "no", "hint": "", "exitCode": 1, "diagnostics": []}})
    assert not contract.fits({"error": "no"})
    assert not contract.fits({"some": "thing"})


def test_what_an_agent_says_is_a_whole_line_of_plain_characters(contract):
    evil = "\x1b[2J\r\n\u2028\u202e::error::x\ud800\x00"
    event = events.RunSaid(address="a", run=evil, kind=evil, text=evil)
    written = []
    JsonLines(written.append, lambda: "now").on(event)
    assert written[0].isascii()
    assert written[0].isprintable()
    assert json.loads(written[0])["text"] == evil
    assert contract.fits(json.loads(written[0]))
