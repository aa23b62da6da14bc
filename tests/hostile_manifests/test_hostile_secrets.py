"""No output, cache or state holds a secret, in any form; and no refusal tells what a secret is or is not."""

import base64
import hashlib
import json
import urllib.parse

import pytest

from taskspec.desired.scope import WrongTemplateError, mask, placeholders

CANARIES = [f"Canary{i:02d}/+ é{'zqj'[i % 3]}" for i in range(50)]


def forms(secret):
    """Return the forms in which a secret could be shown."""
    raw = secret.encode()
    shifted = [base64.b64encode(b"x" * shift + raw + b"yyy").decode()[4:-8] for shift in range(3)]
    plain = [secret, secret[::-1], secret.upper(), secret.lower(), urllib.parse.quote(secret), raw.hex(), secret[:8]]
    return [*plain, *shifted, hashlib.sha256(raw).hexdigest(), json.dumps(secret)[1:-1]]


def quoted(secret):
    return json.dumps(secret, ensure_ascii=False)


@pytest.fixture
def guarded(hostile):
    """A project that holds fifty secrets in every place that is sensitive, and what gives them."""
    names = [f"v{i}" for i in range(30)]
    declared = [f"{name}: {{type: string, sensitive: true}}" for name in names]
    declared += [f"d{i}: {{type: string, sensitive: true, default: {quoted(CANARIES[40 + i])}}}" for i in range(5)]
    declared += [f"m: {{type: map, sensitive: true, default: {{k: {quoted(CANARIES[45])}}}}}"]
    declared += [f"l: {{type: list, sensitive: true, default: [{quoted(CANARIES[46])}]}}"]
    hostile.project(f"variables: {{{', '.join(declared)}}}")
    hostile.write("given.yaml", "\n".join(f"v{i}: {quoted(CANARIES[i])}" for i in range(10)))
    hostile.given = ["--var-file", "given.yaml"]
    hostile.environ |= {f"TASKSPEC_VAR_v{i}": CANARIES[i] for i in range(10, 30)}
    return hostile


def leaks(text):
    return [form for secret in CANARIES for form in forms(secret) if form in text]


def test_no_sink_shows_a_secret(guarded):
    shown = [f"v{i}" for i in range(30)] + [f"d{i}" for i in range(5)]
    used = " ".join(
        f"{{{{ vars.{name} }}}} {{{{ vars.{name} | b64encode }}}} {{{{ ('a' ~ vars.{name}) | sha256 }}}}"
        for name in shown
    )
    guarded.task(
        prompt=f"{used} {{{{ vars.m | tojson }}}} {{{{ vars.l | join(',') }}}}{{% if 1 %}}x{{% endif %}}",
        userTokens={"crm": CANARIES[30], "both": CANARIES[31] + "{{ vars.v0 }}{{ 1 + 1 }}"},
        userOidcToken=CANARIES[32] + "{{ vars.v1 | b64encode }}",
        mcpServers=[
            {"name": "s", "url": "https://x.test/", "headers": {"a": CANARIES[33] + "{% if 1 %}b{% endif %}"}},
            {"name": "t", "url": "https://x.test/", "env": {"a": CANARIES[34]}},
        ],
    )
    for command in (
        ["validate"],
        ["validate", "--format", "github"],
        ["validate", "--json"],
        ["render"],
        ["render", "--json"],
        ["plan"],
        ["plan", "--json"],
        ["explain", "t"],
        ["graph"],
        ["status"],
    ):
        given = guarded.given if command != ["status"] else []
        done = guarded.run(*command, *given)
        assert done.code in {0, 2}, done
        assert leaks(done.said) == []
    for path in [*guarded.cache.rglob("*"), *(guarded.folder / ".taskspec").rglob("*")]:
        if path.is_file():
            assert leaks(path.read_bytes().decode("utf-8", "replace")) == []


SECRET = "Tok3n"
ORACLES = [
    "{{ vars.a == '?' }}",
    "{{ 'x' if vars.a < '?' else 'y' }}",
    "{% if vars.a >= '?' %}x{% endif %}",
    "{{ '?' in vars.a }}",
    "{{ vars.a in ['?'] }}",
    "{{ vars.a not in '?Z' }}",
    "{{ vars.a[0] == '?' }}",
    "{{ vars.a[0:1] == '?' }}",
    "{{ vars.a[:1] ~ '' }}",
    "{{ vars.a is eq('?') }}",
    "{{ vars.a is in('?') }}",
    "{{ vars.a is upper }}",
    "{{ [vars.a, '?'] | min }}",
    "{{ [vars.a, '?'] | max }}",
    "{{ [vars.a, '?'] | sort | first }}",
    "{{ [vars.a, '?'] | unique | list | length }}",
    "{{ [vars.a] | select('eq', '?') | list | length }}",
    "{{ [vars.a] | reject('eq', '?') | list | length }}",
    "{{ [{'x': vars.a}] | selectattr('x', 'eq', '?') | list | length }}",
    "{{ [{'x': vars.a}] | groupby('x') | length }}",
    "{{ {vars.a: 1, '?': 2} | length }}",
    "{{ {'?': 1}[vars.a] is defined }}",
    "{{ {'?': 1}[vars.a] | default(0) }}",
    "{{ vars.a.startswith('?') }}",
    "{{ vars.a.find('?') }}",
    "{{ vars.a.count('?') }}",
    "{{ vars.a.replace('?', '') }}",
    "{{ vars.a | replace('?', '') }}",
    "{{ vars.a.split('?') | length }}",
    "{{ '?'.startswith(vars.a) }}",
    "{{ '?'.find(vars.a) }}",
    "{{ ['?'].count(vars.a) }}",
    "{{ '?' | replace(vars.a, 'x') }}",
    "{{ vars.a | trim('?') }}",
    "{{ vars.a.strip('?') }}",
    "{{ vars.a | length }}",
    "{{ vars.a | upper }}",
    "{{ vars.a | lower }}",
    "{{ vars.a | title }}",
    "{{ vars.a | reverse }}",
    "{{ vars.a | truncate(1) }}",
    "{{ vars.a | int }}",
    "{{ vars.a | wordcount }}",
    "{{ vars.a | list }}",
    "{{ vars.a | first }}",
    "{{ [vars.a] | map('upper') | join }}",
    "{{ [vars.a] | map('replace', '?', '') | join }}",
    "{{ (vars.a ~ '') == '?' }}",
    "{{ ('' + vars.a) == '?' }}",
    "{% set x = vars.a %}{{ x == '?' }}",
    "{% set x %}{{ vars.a }}{% endset %}{{ x == '?' }}",
    "{% macro f(x) %}{{ x }}{% endmacro %}{{ f(vars.a) == '?' }}",
    "{% macro f(x) %}{{ x[0] }}{% endmacro %}{{ f(vars.a) }}",
    "{% filter upper %}{{ vars.a }}{% endfilter %}",
    "{% for c in vars.a %}{{ c }}{% endfor %}",
    "{% for c in vars.a %}{% if c == '?' %}x{% endif %}{% endfor %}",
    "{{ (vars.a | sha256)[0] == '?' }}",
    "{{ (vars.a | b64encode).startswith('?') }}",
    "{{ vars.m == {'k': '?'} }}",
    "{{ vars.l[0] == '?' }}",
    "{{ '?' in vars.l }}",
    "{{ vars.l.index('?') }}",
    "{{ file(vars.a) }}",
    "{% include vars.a %}",
    "{% import vars.a as x %}",
    "{{ vars[vars.a] }}",
]


def answer(text, secret):
    """Return what a template of a project tells, in words, of a secret."""
    from taskspec.desired.rendering import Renderer

    real = {"vars": {"a": secret, "m": {"k": secret}, "l": [secret]}}
    masked = {"vars": {name: mask(value, f"vars.{name}") for name, value in real["vars"].items()}}
    try:
        return Renderer(None).render(text, masked, placeholders(real, masked))
    except WrongTemplateError as fault:
        return f"{type(fault).__name__} {fault.detail}"


@pytest.mark.parametrize("oracle", ORACLES)
def test_no_answer_depends_on_a_secret(oracle):
    guesses = ["T", "Tok3n", "a", "zz", "o", "(", "(sensitive: vars.a)"]
    for guess in guesses:
        text = oracle.replace("?", guess)
        told = answer(text, SECRET)
        assert told.startswith("SecretUseError"), (text, told)
        assert SECRET not in told


@pytest.mark.parametrize("oracle", ORACLES)
def test_a_refusal_is_the_same_whatever_the_secret_is(hostile, oracle):
    from taskspec.desired.including import ProjectTexts
    from taskspec.desired.scope import Scope
    from taskspec.desired.templating import SpecRenderer

    told = set()
    hostile.write("Tok3n", "x")
    for secret in (SECRET, "a", "T", "zz"):
        real = {"vars": {"a": secret, "m": {"k": secret}, "l": [secret]}}
        masked = {"vars": {name: mask(value, f"vars.{name}") for name, value in real["vars"].items()}}
        renderer = SpecRenderer(Scope(real=real, masked=masked), None, ProjectTexts(hostile.folder))
        with pytest.raises(WrongTemplateError) as caught:
            renderer._both(oracle.replace("?", "T"))
        told.add((type(caught.value), caught.value.detail))
    assert len(told) == 1
