"""A saved plan of which any byte is another one is refused, or is the very same plan.

TASKSPEC_PLAN_BYTES=all changes every byte of a hundred plans; else a sample of the bytes of each is changed.
"""

import json
import os

import pytest
from saved_bytes import chosen, held, seeded
from saved_projects import drawn

from taskspec.errors import StaleError
from taskspec.plan.filing import digest_of, read, written
from taskspec.runner import saved

PLANS, GROUPS = 100, 10
ALL = os.environ.get("TASKSPEC_PLAN_BYTES") == "all"
SOME = 25


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("group", range(GROUPS))
def test_no_byte_of_a_plan_can_be_another(group, tmp_path):
    for seed in range(group, PLANS, GROUPS):
        random, content = seeded(seed), drawn(seed, tmp_path).world.plan.read_bytes()
        places = range(len(content)) if ALL else chosen(content, SOME, random)
        found = held(content, places, random)
        assert found["refused"] > 100
        assert not found.keys() - {"refused", "without effect"}
        print(f"plan {seed}: {len(content)} bytes, {dict(found)}")


@pytest.mark.parametrize("version", ["1.²", "1.५", "9" * 5000, "", ".", "1..2", "-1", "1e9", " 1", None, [], 7])
def test_a_version_that_is_none_is_refused_as_any_other_change(version, tmp_path):
    document = json.loads(drawn(0, tmp_path).world.plan.read_bytes())
    with pytest.raises(StaleError, match="the plan is refused"):
        read(json.dumps({**document, "toolVersion": version}).encode())


def test_a_digest_that_fits_does_not_make_a_plan_of_what_is_none(tmp_path):
    made = drawn(0, tmp_path)
    document = json.loads(made.world.plan.read_bytes())
    del document["digest"]
    for name in document:
        less = {key: value for key, value in document.items() if key != name}
        less["digest"] = digest_of(less)
        made.world.plan.write_bytes(written(less))
        with pytest.raises(StaleError, match="the plan is refused"):
            saved.load(made.world.plan)
