"""The versions of the vendor's SDK, an engine for each, and what its program of all calls told."""

import pytest
from conformance_stages import COMMANDS, VERSIONS, Sdk, served


@pytest.fixture(scope="session", params=VERSIONS)
def sdk(request):
    found = Sdk(request.param)
    found.need()
    return found


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def engine(sdk, tmp_path_factory):
    with served(tmp_path_factory.mktemp("engine") / "project", COMMANDS) as running:
        yield running


@pytest.fixture(scope="session", params=["blocking", "async"])
def told(sdk, engine, home, request):
    found = sdk.run("calls", request.param, home=home, XPANDER_BASE_URL=engine.url)
    found.colour = request.param
    return found
