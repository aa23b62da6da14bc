"""What others wrote without our secrets, in whatever form they repeat them."""

import base64
import html
import json
import urllib.parse

import pytest
from canary_values import FORMS, canary, plain

from taskspec.taskapi.redacting import HIDDEN, without, without_in

WAYS = {
    "as it is": str,
    "in JSON": json.dumps,
    "in JSON of any characters": lambda secret: json.dumps(secret, ensure_ascii=False),
    "in JSON in JSON": lambda secret: json.dumps(json.dumps({"a": secret})),
    "in Python": lambda secret: repr({"a": secret}),
    "in a URL": lambda secret: urllib.parse.quote(secret, safe=""),
    "in a form": urllib.parse.quote_plus,
    "in a URL in a URL": lambda secret: urllib.parse.quote(urllib.parse.quote(secret)),
    "byte by byte in a URL": lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
    "in HTML": html.escape,
    "in base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "in base64 behind others": lambda secret: base64.b64encode(f"me:{secret}".encode()).decode(),
    "in JSON in base64": lambda secret: base64.b64encode(json.dumps(["a", secret]).encode()).decode(),
    "in base64 for URLs": lambda secret: base64.urlsafe_b64encode(f"x{secret}".encode()).decode(),
    "in base64 in a URL": lambda secret: urllib.parse.quote_plus(base64.b64encode(secret.encode()).decode()),
    "in lines of base64": lambda secret: base64.encodebytes(b"hello" * 20 + secret.encode()).decode(),
    "in base64 in base64": lambda secret: base64.b64encode(base64.b64encode(secret.encode())).decode(),
    "behind a word": lambda secret: f"key={secret}",
    "cut off": lambda secret: secret[:14],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("secret", [canary("one"), plain("two")], ids=["many lines", "ASCII"])
def test_a_secret_is_found_however_it_is_written(way, secret):
    told = without_in([secret], f"The remote says {WAYS[way](secret)} and no more.")
    assert HIDDEN in told
    assert FORMS.search(told) is None
    assert told.startswith("The remote says ")


def test_of_several_secrets_the_longer_one_goes_as_a_whole():
    assert without_in({"sesame-open", "sesame-open-now"}, "say sesame-open-now, sesame-open.") == (
        f"say {HIDDEN}, {HIDDEN}."
    )


def test_a_short_secret_is_found_where_it_stands_alone():
    assert without_in({"4711"}, '{"pin": "4711"}, 4711, 14711, a4711') == (
        f'{{"pin": "{HIDDEN}"}}, {HIDDEN}, 14711, a4711'
    )


@pytest.mark.parametrize("secret", ["", "abc"])
def test_what_would_be_found_everywhere_is_not_looked_for(secret):
    assert without_in([secret], "abc abcdef") == "abc abcdef"


def test_other_words_are_as_they_were():
    words = "No such agent: `écrivain` (see https://x.test/a%20b?c=d) \\u00e9 \x00 dGhpcyBpcyBub3RoaW5n."
    assert without_in([canary("one")], words) == words
    assert without([plain("two")], b"\xff\xfe broken \xe9") == b"\xff\xfe broken \xe9"
