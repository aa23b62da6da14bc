"""The vendor's SDK finds every call of the engine, however the base URL and the organization are written."""

import pytest
from conformance_stages import COMMANDS, is_free, served

PORTS_WITH_ORGANIZATION = {"2.0.350": (19016, 29016, 9016), "2.0.537": (9016,)}
"""Ports where a version puts the organization into every path: older ones look for these digits anywhere."""


@pytest.fixture(scope="module")
def plain(engine):
    named = engine.url.replace("127.0.0.1", "localhost")
    return [(f"{base}{slash}", org) for base in (engine.url, named) for slash in ("", "/") for org in ("org1", "-")]


@pytest.fixture(scope="module")
def gateway(sdk, tmp_path_factory):
    port = next(filter(is_free, PORTS_WITH_ORGANIZATION[sdk.version]), None)
    if port is None:
        yield []
        return
    with served(tmp_path_factory.mktemp("gateway") / "project", COMMANDS, port) as engine:
        yield [(engine.url, "org1"), (engine.url, "-")]


@pytest.fixture(scope="module")
def reached(sdk, engine, plain, gateway, home):
    words = [word for address in [*plain, *gateway] for word in address]
    return sdk.run("addresses", "async", *words, home=home, XPANDER_BASE_URL=engine.url)


def check(reached, addresses):
    lines = {tuple(line["address"]): line for line in reached.all("reached")}
    for address in addresses:
        line = lines[address]
        assert line["result"] == "hello", line
        assert (line["events"][0], line["events"][-1]) == ("task_created", "task_finished"), line
        assert (line["listed"], line["agent"]) == (True, "echo"), line
        assert line["messages"] == 2, line


def test_every_way_to_write_the_address_reaches_every_call(reached, plain):
    check(reached, plain)


def test_calls_with_the_organization_in_their_path_are_reached(reached, gateway):
    if not gateway:
        pytest.skip("somebody listens on the port that this needs")
    check(reached, gateway)
