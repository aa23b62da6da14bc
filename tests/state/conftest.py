"""Every store that the conformance suite runs against, opened by name in a folder."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from state_stores import STORES


@pytest.fixture(params=sorted(STORES))
def kind(request):
    return request.param


@pytest.fixture
def opened(kind, tmp_path):
    """Open the store once more, as another command would; everything is closed in the end."""
    stores = []

    def open_store(*, read_only=False, project="sales", environment="default"):
        stores.append(STORES[kind](tmp_path / ".taskspec", project, environment, read_only=read_only))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def store(opened):
    return opened()
