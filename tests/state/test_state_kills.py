"""Writers of every store are killed, again and again: nothing that was acknowledged is lost, nothing is unreadable.

STATE_KILLS=2000 .venv/bin/python -m pytest -q tests/state/test_state_kills.py     for longer
"""

import os
import random
import uuid

import pytest
from killing import GENERATION, killed_again_and_again, slaying
from state_servers import server

KILLS = int(os.environ.get("STATE_KILLS", "10"))


@pytest.fixture
def slayer(kind, tmp_path):
    server(kind)
    with slaying(tmp_path) as made:
        yield made


@pytest.mark.timeout(0)
@pytest.mark.parametrize(("writer", "kills"), [("commits", KILLS), ("replaces", -(-KILLS // 5))])
def test_a_kill_in_the_middle_of_writing_loses_nothing_acknowledged(slayer, kind, tmp_path, writer, kills):
    chance = random.Random(f"{kind} {writer}")
    for number, left in enumerate(range(kills, 0, -GENERATION)):
        place, folder = server(kind).place(uuid.uuid4().hex), tmp_path / str(number)
        killed_again_and_again(slayer, place, folder, writer, chance, min(left, GENERATION))


def test_a_store_that_acknowledges_what_it_does_not_keep_is_caught(slayer, kind, place, folder):
    with pytest.raises(AssertionError, match="was said to be durable"):
        killed_again_and_again(slayer, place, folder, "boasts", random.Random(1), GENERATION)
