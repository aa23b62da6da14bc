"""What a filter makes of a secret is sent, and shown nowhere: a placeholder says what it is made of."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.desired.deriving import DERIVING
from taskspec.desired.rendering import Renderer
from taskspec.desired.scope import WrongTemplateError, mask, placeholders, revealed

TOKEN = 'canary-"7\n9'
LOGIN = {"user": "canary-user", "key": "canary-key"}


@pytest.fixture
def resolved(workshop: Any) -> Any:
    workshop.declare("token", sensitive=True)
    workshop.declare("login", "map", sensitive=True)
    workshop.declare("pin", "integer", sensitive=True)
    workshop.declare("coded", sensitive=True)
    given_values = {
        "token": TOKEN,
        "login": json.dumps(LOGIN),
        "pin": "4711",
        "coded": base64.b64encode(b"canary-x").decode(),
    }

    def resolve(prompt: str) -> Any:
        text = f"kind: Task\nmetadata: {{name: one}}\nspec:\n  agent: writer\n  prompt: {json.dumps(prompt)}\n"
        return workshop.resolve(text, environ=given_values)

    return resolve


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("prompt", "sent", "shown"),
    [
        ("{{ vars.token | b64encode }}", b64(TOKEN), "(sensitive: vars.token | b64encode)"),
        (
            "Basic {{ ('user:' ~ vars.token) | b64encode }}!",
            f"Basic {b64('user:' + TOKEN)}!",
            "Basic (sensitive: 'user:{vars.token}' | b64encode)!",
        ),
        (
            "{{ (vars.login.user ~ ':' ~ vars.login.key) | b64encode }}",
            b64("canary-user:canary-key"),
            "(sensitive: '{vars.login.user}:{vars.login.key}' | b64encode)",
        ),
        (
            "{{ vars.token | sha256 }}",
            hashlib.sha256(TOKEN.encode()).hexdigest(),
            "(sensitive: vars.token | sha256)",
        ),
        (
            "{{ vars.token | b64encode | sha256 }}",
            hashlib.sha256(b64(TOKEN).encode()).hexdigest(),
            "(sensitive: vars.token | b64encode | sha256)",
        ),
        ("{{ vars.coded | b64decode }}", "canary-x", "(sensitive: vars.coded | b64decode)"),
        ("{{ vars.token | tojson }}", json.dumps(TOKEN), "(sensitive: vars.token | tojson)"),
        ("{{ vars.pin | tojson }}", "4711", "(sensitive: vars.pin | tojson)"),
        (
            "{{ vars.login | tojson }}",
            '{"key": "canary-key", "user": "canary-user"}',
            '{"key": "(sensitive: vars.login.key)", "user": "(sensitive: vars.login.user)"}',
        ),
        (
            "x {{ vars.login | toyaml }}",
            "x key: canary-key\nuser: canary-user",
            "x (sensitive: '{vars.login.key, vars.login.user}' | toyaml)",
        ),
        ("{{ vars.token | indent(2) }}", 'canary-"7\n  9', "(sensitive: vars.token | indent(2))"),
        ("{{ vars.token | trim }}", TOKEN, "(sensitive: vars.token)"),
        (
            "{{ vars.token | b64encode }} {{ vars.token }} {{ 'a' | b64encode }}",
            f"{b64(TOKEN)} {TOKEN} YQ==",
            "(sensitive: vars.token | b64encode) (sensitive: vars.token) YQ==",
        ),
        (
            "{% macro basic(u, p) %}Basic {{ (u ~ ':' ~ p) | b64encode }}{% endmacro %}{{ basic('me', vars.token) }}",
            f"Basic {b64('me:' + TOKEN)}",
            "Basic (sensitive: 'me:{vars.token}' | b64encode)",
        ),
        ("{% filter b64encode %}{{ vars.token }}{% endfilter %}", b64(TOKEN), "(sensitive: vars.token | b64encode)"),
        ("{% set x %}{{ vars.token }}{% endset %}{{ x | sha256 }}", hashlib.sha256(TOKEN.encode()).hexdigest(), None),
    ],
)
def test_what_is_made_of_a_secret_is_sent_and_not_shown(resolved: Any, prompt: str, sent: str, shown: str) -> None:
    task = resolved(prompt).task
    assert task.request["prompt"] == sent
    if shown is not None and "toyaml" not in prompt:
        assert task.spec["prompt"] == shown
    assert "canary" not in repr(task)
    assert sent not in repr(task.spec) or "canary" in sent
    assert "canary" not in json.dumps(task.spec)


def test_a_long_text_around_a_secret_is_shown_by_its_digest(resolved: Any) -> None:
    one, other = (
        resolved("{{ ('" + "x" * 500 + end + "' ~ vars.token) | b64encode }}").task.spec["prompt"] for end in "ab"
    )
    assert len(one) < 250
    assert one != other


def test_the_words_around_a_secret_count_for_the_fingerprint_and_the_secret_does_not(workshop: Any) -> None:
    workshop.declare("token", sensitive=True)

    def fingerprint(words: str, token: str) -> str:
        fields = f"prompt: \"{{{{ ('{words}' ~ vars.token) | b64encode }}}}\""
        return str(workshop_task(workshop, fields, token).fingerprint)

    assert fingerprint("a:", "one") == fingerprint("a:", "two")
    assert fingerprint("a:", "one") != fingerprint("b:", "one")


def workshop_task(workshop: Any, fields: str, token: str) -> Any:
    text = f"kind: Task\nmetadata: {{name: one}}\nspec:\n  agent: writer\n  {fields}\n"
    return workshop.resolve(text, environ={"token": token}).task


@pytest.mark.parametrize(
    "prompt",
    [
        "{{ vars.token | length }}",
        "{{ vars.token | upper }}",
        "{{ vars.token[:3] }}",
        "{{ vars.token | b64encode | length }}",
        "{{ (vars.token | b64encode)[:4] }}",
        "{{ (vars.token | sha256).upper() }}",
        "{% if (vars.token | sha256)[0] in '0123456789abcdef' %}a{% else %}b{% endif %}",
        "{{ 'yes' if vars.pin > 1000 else 'no' }}",
        "{{ vars.token | b64decode }}",
        "{{ vars.token | fromjson }}",
        "{{ vars.token | date }}",
        "{{ vars.token | slug | first }}",
        "{{ vars.login | tojson | length }}",
        "{{ vars.login | tojson | fromjson }}",
        "{{ (vars.login | tojson | fromjson).key | upper }}",
        "{{ '(sensitive: vars.token)' }}",
        "{{ '(sensitive: vars.token)' | b64encode }}",
        "{{ '(sensitive: vars.token | b64encode)' }}{{ vars.token | b64encode }}",
        "{{ file(vars.token) }}",
        "{% include vars.token %}",
        "{{ vars[vars.token] }}",
        "{{ vars.token.nope }}",
        "{{ vars.login[vars.token] }}",
        "{{ {vars.token: 1} | tojson }}",
        "{{ 1 / (vars.token | b64encode) }}",
    ],
)
def test_what_looks_into_a_secret_is_refused_or_told_apart(resolved: Any, prompt: str) -> None:
    found = resolved(prompt)
    words = found.words + "".join(json.dumps(task.spec) for task in found.desired.tasks.values())
    assert "canary" not in words
    assert b64(TOKEN) not in words
    assert "4711" not in words
    assert hashlib.sha256(TOKEN.encode()).hexdigest() not in words
    if found.desired.tasks:
        assert "(sensitive: " in words


def test_a_secret_that_is_json_says_the_way_out(resolved: Any, workshop: Any) -> None:
    workshop.declare("creds", sensitive=True, default='{"canary": 1}')
    problem = workshop.spec("prompt: '{{ (vars.creds | fromjson).canary }}'").problem
    assert problem.detail == "`fromjson` would show what names there are in a sensitive variable."
    assert "Declare a variable of type map" in problem.hint


VALUES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12) | st.sampled_from(
    ["(sensitive: vars.b)", "vars.a", "{vars.b}", "|", '"', "\n", " a "]
)


@given(VALUES, VALUES, st.sampled_from(sorted(DERIVING - {"fromjson", "b64decode"})), VALUES)
def test_a_masked_rendering_holds_no_secret_and_reveals_to_the_real_one(
    one: str, two: str, filter_name: str, words: str
) -> None:
    real = {"vars": {"a": one, "b": two, "w": words}}
    masked = {"vars": {"a": mask(one, "vars.a"), "b": mask(two, "vars.b"), "w": words}}
    known = placeholders(real, masked)
    renderer = Renderer(None)
    text = "{{ vars.a | F }} {{ (vars.w ~ vars.a ~ vars.b) | F }}".replace("F", filter_name)
    try:
        shown = renderer.render(text, masked, known)
        sent = renderer.render(text, real)
    except WrongTemplateError:
        return
    unknown = f"CANARY{one}", f"CANARY{two}"
    again = {"vars": {"a": unknown[0], "b": unknown[1], "w": words}}
    other = renderer.render(text, masked, placeholders(again, masked))
    if "(sensitive: " not in words:
        assert revealed(shown, known) == sent
        assert "CANARY" not in other


@pytest.mark.parametrize("field", ["source", "title"])
def test_no_secret_stands_in_what_lists_of_the_remote_show(workshop, field):
    workshop.declare("token", default=TOKEN, sensitive=True)
    problem = workshop.spec(f"{field}: 'From {{{{ vars.token }}}}'").problem
    assert problem.summary == "Secret in a field that is shown"
    assert "canary" not in problem.detail
