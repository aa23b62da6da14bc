"""Every store that the conformance suite runs against, opened at a place of its own for each test."""

import sys
import uuid
from functools import partial
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from state_servers import KINDS, open_at, server

from taskspec.state.model import TTL


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    return request.param


@pytest.fixture
def place(kind):
    return server(kind).place(uuid.uuid4().hex)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / ".taskspec"


@pytest.fixture
def opener(place, folder):
    """Return what opens a store at the place of the test."""
    return partial(open_at, place, folder)


@pytest.fixture
def opened(opener):
    """Open the store once more, as another command would; everything is closed in the end."""
    stores = []

    def open_store(*, read_only=False, project="sales", environment="default", ttl=TTL):
        stores.append(opener(project=project, environment=environment, read_only=read_only, ttl=ttl))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def store(opened):
    return opened()
