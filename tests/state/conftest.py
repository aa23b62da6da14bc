"""Every store that the conformance suite runs against, opened at a place of its own for each test."""

import sys
import uuid
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
def opened(place, folder):
    """Open the store once more, as another command would; everything is closed in the end."""
    stores = []

    def open_store(*, read_only=False, project="sales", environment="default", ttl=TTL):
        made = open_at(place, folder, project=project, environment=environment, read_only=read_only, ttl=ttl)
        stores.append(made)
        return made

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def store(opened):
    return opened()
