"""The configuration: what it takes from the environment, what it refuses, and that it keeps its key to itself."""

import copy
import dataclasses
import pickle

import pytest
from tasks_played import KEY, configuration

from taskspec import Configuration, UsageError
from taskspec.taskapi.tasks.sharing import shared_session

NAMES = ("XPANDER_API_KEY", "XPANDER_BASE_URL", "XPANDER_ORGANIZATION_ID", "XPANDER_AGENT_ID", "IS_STG")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_what_is_not_given_comes_from_the_environment(monkeypatch):
    for name in NAMES[:4]:
        monkeypatch.setenv(name, name.lower())
    found = Configuration()
    assert found.api_key == "xpander_api_key"
    assert found.base_url == "xpander_base_url"
    assert found.organization_id == "xpander_organization_id"
    assert found.agent_id == "xpander_agent_id"
    assert Configuration(api_key="mine").api_key == "mine"


def test_the_vendors_cloud_is_the_default(monkeypatch):
    assert Configuration().base_url == "https://inbound.xpander.ai"
    monkeypatch.setenv("IS_STG", "true")
    assert Configuration().base_url == "https://inbound.stg.xpander.ai"


def test_a_base_url_without_a_scheme_is_https():
    assert Configuration(api_key=KEY, base_url="x.example/y/").endpoint().rest_root == "https://x.example/y"


def test_the_key_is_in_nothing_that_is_shown():
    made = configuration()
    assert KEY not in f"{made!r} {made} {made.endpoint()!r}"
    for wrong in ("ключ", "a\nb", "tab\t"):
        with pytest.raises(UsageError) as caught:
            Configuration(api_key=wrong)
        assert wrong not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_key": 5},
        {"api_key": ""},
        {"api_key": " padded"},
        {"api_key": "padded "},
        {"base_url": ""},
        {"base_url": "  "},
        {"organization_id": ""},
        {"agent_id": ""},
        {"ca_file": ""},
        {"base_url": "ftp://x"},
        {"base_url": "https://user:pw@x"},
        {"base_url": "https://x?a=1"},
        {"base_url": "https://x:port"},
        {"base_url": 5},
        {"organization_id": "a/b"},
        {"organization_id": ".."},
        {"organization_id": 5},
        {"agent_id": 5},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("inf")},
        {"timeout": "30"},
        {"timeout": None},
        {"create_timeout": 0},
        {"max_connections": 0},
        {"max_connections": True},
        {"max_connections": 1.5},
        {"max_connections": None},
        {"requests_per_minute": 0},
        {"requests_per_hour": -1},
        {"ca_file": 5},
    ],
)
def test_a_value_that_cannot_be_used_is_refused_whatever_the_environment_says(wrong, monkeypatch):
    for name in NAMES[:4]:
        monkeypatch.setenv(name, name.lower())
    with pytest.raises(UsageError) as caught:
        configuration(**wrong)
    assert "padded" not in str(caught.value)


def test_a_configuration_is_a_value():
    assert configuration() == configuration()
    assert len({configuration(), configuration()}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        configuration().timeout = 1


def test_a_configuration_shares_one_session_and_copies_none():
    made = configuration()
    session = shared_session(made)
    assert shared_session(made) is session
    for other in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made)), configuration()):
        assert other == made
        assert shared_session(other) is not session
