"""The two roots of a remote, as the vendor's own client computes them."""

import pytest

from taskspec.errors import UsageError
from taskspec.taskapi.roots import is_loopback, roots


@pytest.mark.parametrize(
    ("base", "rest", "events"),
    [
        ("http://127.0.0.1:7000", "http://127.0.0.1:7000", "http://127.0.0.1:7000/org1"),
        ("http://127.0.0.1:7000/", "http://127.0.0.1:7000", "http://127.0.0.1:7000/org1"),
        ("http://127.0.0.1:7000/x", "http://127.0.0.1:7000/x", "http://127.0.0.1:7000/x/org1"),
        ("http://h/agent-controller", "http://h/agent-controller/org1", "http://h/agent-controller/org1"),
        ("http://127.0.0.1:9016", "http://127.0.0.1:9016/org1", "http://127.0.0.1:9016/org1"),
        ("http://127.0.0.1:19016", "http://127.0.0.1:19016", "http://127.0.0.1:19016/org1"),
        ("http://127.0.0.1:8085", "http://127.0.0.1:8085", "http://localhost:9016/org1"),
        ("http://192.168.1.5:8085", "http://192.168.1.5:8085", "http://192.168.1.5:8085/org1"),
        ("https://inbound.xpander.ai", "https://inbound.xpander.ai", "https://agent-controller.xpander.ai/org1"),
        (
            "https://inbound.stg.xpander.ai",
            "https://inbound.stg.xpander.ai",
            "https://agent-controller.stg.xpander.ai/org1",
        ),
        ("agent-controller.acme.io", "https://agent-controller.acme.io/org1", "https://agent-controller.acme.io/org1"),
    ],
)
def test_the_roots_of_a_base_url(base, rest, events):
    assert roots(base, "org1") == (rest, events)


def test_an_organization_that_is_not_set_is_the_word_none():
    assert roots("http://127.0.0.1:7000", None) == ("http://127.0.0.1:7000", "http://127.0.0.1:7000/None")


def test_what_a_path_cannot_hold_is_quoted_once():
    rest, events = roots("http://h/agent-controller/a b/%41/50%/ü", "o/ü %2F")
    assert rest == events == "http://h/agent-controller/a%20b/%41/50%25/%C3%BC/o%2F%C3%BC%20%2F"


@pytest.mark.parametrize(
    "bad", ["", "ftp://h", "https://", "https://u:p@h", "https://h:port", "https://h?x=1", "https://h#x", "http://[::1"]
)
def test_a_base_url_that_cannot_be_one_is_refused_without_repeating_it(bad):
    with pytest.raises(UsageError) as caught:
        roots(bad, "org1")
    assert "u:p" not in caught.value.message


def test_only_this_machine_is_loopback():
    assert all(map(is_loopback, ["http://127.0.0.1:1", "http://localhost", "http://[::1]:3"]))
    assert not any(map(is_loopback, ["http://127.0.0.1.evil.com", "https://inbound.xpander.ai", "http://10.0.0.1"]))
