"""The document of a saved plan: its bytes are the only ones, and give the plan that was shown."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_worlds import UNHURRIED
from test_plan_properties import plan_of, worlds

from taskspec.errors import StaleError
from taskspec.plan import filing
from taskspec.plan.decoding import plan_of as plan_of_document
from taskspec.plan.encoding import to_json
from taskspec.report.plans import lines
from taskspec.report.text import Paint

PLAIN = Paint(color=False)
SAVED = {"remote": {"type": "xpander", "url": None, "organization": "o"}, "state": "d", "selected": None, "desired": {}}


def document_of(plan):
    return filing.filed(plan, SAVED, expires_at=plan.created_at + 60)


@UNHURRIED
@given(worlds())
def test_what_is_read_is_shown_as_the_plan_itself(world):
    plan = plan_of(world)
    again = plan_of_document(filing.read(filing.written(document_of(plan))))
    assert list(lines(again, PLAIN)) == list(lines(replace(plan, basis=None), PLAIN)), "but for what was not looked at"
    assert to_json(again) == to_json(plan)


@UNHURRIED
@given(worlds(), st.randoms(use_true_random=False))
def test_no_byte_can_be_another(world, chance):
    content = filing.written(document_of(plan_of(world)))
    for place in chance.sample(range(len(content)), min(len(content), 20)):
        other = chance.choice([byte for byte in range(256) if byte != content[place]])
        with pytest.raises(StaleError, match="the plan is refused"):
            filing.read(content[:place] + bytes([other]) + content[place + 1 :])


@UNHURRIED
@given(worlds(), st.randoms(use_true_random=False))
def test_nothing_can_be_added_or_taken_away(world, chance):
    content = filing.written(document_of(plan_of(world)))
    place = chance.randrange(len(content))
    for changed in (content[:place], content[:place] + b" " + content[place:], content + b"\n", content[:-1]):
        with pytest.raises(StaleError, match="the plan is refused"):
            filing.read(changed)


def test_a_plan_of_a_newer_version_is_refused_and_says_which():
    document = document_of(plan_of(random_world()))
    newer = {**document, "toolVersion": "99.1"}
    del newer["digest"]
    newer["digest"] = filing.digest_of(newer)
    with pytest.raises(StaleError, match=r"made by taskspec 99\.1"):
        filing.read(filing.written(newer))


def test_two_keys_of_one_name_are_no_plan():
    content = filing.written(document_of(plan_of(random_world())))
    doubled = content.replace(b'{"format":1', b'{"format":1,"format":1', 1)
    assert json.loads(doubled)
    with pytest.raises(StaleError):
        filing.read(doubled)


def random_world():
    from plan_worlds import desired, snapshot, task

    from taskspec.observed.model import Observed

    return desired(task("a")), snapshot(), Observed(), frozenset()
