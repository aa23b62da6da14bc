"""The conformance suite over a state in a register that is in memory: one with pieces, and one with a lock."""

import pytest
from register_double import LockingRegister, Memory, MemoryRegister
from test_state_conformance import *  # noqa: F403  # each of its tests runs with the fixtures below

from taskspec.state.registers.segments import LIMITS, Limits
from taskspec.state.registers.store import RegisteredState

SMALL = Limits(tail=1500, fan=2, largest=4000, grace=0.0, waste=4)


@pytest.fixture(params=["pieces", "small pieces", "lock"])
def kind(request):
    return request.param


@pytest.fixture
def opener(kind):
    memories = {}

    def open_register(*, read_only, project, environment, ttl):
        memory = memories.setdefault(environment, Memory())
        register = LockingRegister(memory) if kind == "lock" else MemoryRegister(memory)
        limits = SMALL if kind == "small pieces" else LIMITS
        return RegisteredState(
            register, project, environment, read_only=read_only, ttl=ttl, patience=1.0, limits=limits
        )

    return open_register


# names are looked at where a place is opened
del test_an_environment_that_would_leave_its_folder_is_refused  # noqa: F821
del test_a_name_that_is_too_long_for_some_store_is_refused_by_all  # noqa: F821
