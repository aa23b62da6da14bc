"""Tracing: each effective value, what gave it, where, and what its template is made of. No secret is among them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from taskspec.address import Address
from taskspec.desired.assigning import GivenVariables
from taskspec.desired.resolving import Surroundings, resolve
from taskspec.desired.tracing import Traced, trace
from taskspec.documents.loading import load
from taskspec.documents.supplying import read_values

PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: traced}
spec:
  agents: {writer: {command: [python]}}
  timeout: 5m
  env: {allow: [CAMPAIGN, ABSENT]}
  variables:
    region: {default: emea}
    tone: {default: plain}
    limit: {type: integer, default: 1}
    token: {sensitive: true, default: canary-default}
    keys: {type: map, sensitive: true, default: {a: canary-map}}
  defaults:
    - spec: {retry: {maxAttempts: 2}, llm: {provider: openai, name: small}}
    - match: {labels: {team: growth}}
      spec: {llm: {name: large}, userTokens: {crm: canary-crm}}
  environments:
    prod:
      variables: {tone: formal}
      defaults: [{spec: {thinkMode: harder}}]
"""
TASK = """\
apiVersion: taskspec/v1
kind: Task
metadata: {name: report, labels: {team: growth}}
spec:
  matrix: {quarter: [q1, q2]}
  agent: writer
  prompt: |
    A {{ vars.tone }} report on {{ vars['region'] }} in {{ matrix.quarter }}, {{ vars.region }}.
  expectedOutput: Nothing about vars.limit, env.CAMPAIGN nor matrix.quarter.
  instructionsOverride: "{{ env.CAMPAIGN }} {{ env['ABSENT'] | default('-') }} {{ vars.tone }}"
  additionalContext: "{{ vars.token }} {{ vars.keys.a | b64encode }}"
  toolCallLimit: "{{ vars.limit }}"
  retry: {backoff: 10s}
  userOidcToken: canary-oidc
  mcpServers:
    - {name: a, headers: {Authorization: canary-header}, env: {K: canary-env}, env_vars: {K: canary-env-vars}}
    - {name: b, api_key: canary-key, client_secret: canary-client}
"""
Values = dict[str, Traced]
Trace = Callable[..., Values]


@pytest.fixture
def traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trace:
    """Trace an address of the project above; `file` is the text of a --var-file."""
    monkeypatch.chdir(tmp_path)

    def run(environment: str = "default", *, file: str = "", address: str = "report[q1]", **cli: str) -> Values:
        for name, text in {"taskspec.yaml": PROJECT, "tasks.yaml": TASK, "values.yaml": file}.items():
            Path(name).write_text(text, encoding="utf-8")
        loaded = load(Path(), environment)
        files = [read_values(Path("values.yaml"))[0]] if file else []
        given = GivenVariables(
            cli=cli,
            files=files,
            variables={"region": "amer"} if file else {},
            environ={"CAMPAIGN": "Spring", "SECRET": "canary-environ"},
        )
        desired, found = resolve(loaded.manifests, given, Surroundings(takes_local_files=True))
        assert (*loaded.diagnostics, *found) == ()
        return {".".join(map(str, value.path)): value for value in trace(desired, Address(address))}

    return run


@pytest.mark.parametrize(
    ("path", "value", "giver", "place"),
    [
        ("agent", "writer", "task", "tasks.yaml:6:3"),
        ("prompt", "A plain report on emea in q1, emea.", "task", "tasks.yaml:7:3"),
        ("toolCallLimit", 1, "task", "tasks.yaml:12:3"),
        ("llm.provider", "openai", "default", "taskspec.yaml:15:45"),
        ("llm.name", "large", "default for team=growth", "taskspec.yaml:17:20"),
        ("retry.maxAttempts", 2, "default", "taskspec.yaml:15:22"),
        ("retry.backoff", "10s", "task", "tasks.yaml:13:11"),
        ("timeout", "5m", "project", "taskspec.yaml:6:3"),
        ("title", "report[q1]", "built in", None),
        ("onRemove", "stop", "built in", None),
    ],
)
def test_a_value_is_traced_to_what_gave_it(traced: Trace, path: str, value: object, giver: str, place: str) -> None:
    found = traced()[path]
    assert (found.value, found.giver) == (value, giver)
    assert found.position is None if place is None else str(found.position) == place


def test_what_an_environment_gives_is_traced_to_its_own_place(traced: Trace) -> None:
    assert "thinkMode" not in traced()
    values = traced("prod")
    assert (values["thinkMode"].giver, str(values["thinkMode"].position)) == ("environment prod", "taskspec.yaml:21:26")
    tone = values["prompt"].ingredients[0]
    assert (tone.name, tone.value, tone.giver) == ("vars.tone", "formal", "environment prod")
    assert str(tone.position) == "taskspec.yaml:20:19"


def test_the_ingredients_of_a_template_are_told_once_each(traced: Trace) -> None:
    names = [(one.name, one.value, one.giver, str(one.position)) for one in traced()["prompt"].ingredients]
    assert names == [
        ("vars.tone", "plain", "default", "taskspec.yaml:10:5"),
        ("vars.region", "emea", "default", "taskspec.yaml:9:5"),
        ("matrix.quarter", "q1", "matrix", "tasks.yaml:5:3"),
    ]


def test_a_variable_of_the_process_environment_is_an_ingredient(traced: Trace) -> None:
    found = traced()["instructionsOverride"]
    assert found.value == "Spring - plain"
    assert [(one.name, one.value, one.giver) for one in found.ingredients] == [
        ("vars.tone", "plain", "default"),
        ("env.CAMPAIGN", "Spring", "process environment"),
    ]


def test_a_text_that_is_no_template_has_no_ingredients(traced: Trace) -> None:
    assert traced()["expectedOutput"].ingredients == ()


def test_whoever_gives_a_variable_last_is_told(traced: Trace) -> None:
    region = traced(file="region: apac\n")["prompt"].ingredients[1]
    assert (region.value, region.giver, str(region.position)) == ("apac", "--var-file", "values.yaml:1:1")
    region = traced(file="region: apac\n", region="mars")["prompt"].ingredients[1]
    assert (region.value, region.giver, region.position) == ("mars", "--var", None)
    region = traced(file="tone: dry\n")["prompt"].ingredients[1]
    assert (region.value, region.giver, region.position) == ("amer", "TASKSPEC_VAR_region", None)


@pytest.mark.parametrize("environment", ["default", "prod"])
def test_no_secret_is_among_the_values(traced: Trace, environment: str) -> None:
    values = traced(environment, token="canary-given", keys='{"a": "canary-given-map"}')
    assert "canary" not in repr(values)
    assert values["userTokens.crm"].value == "(sensitive: userTokens.crm)"
    assert [one.value for one in values["additionalContext"].ingredients] == [
        "(sensitive: vars.token)",
        {"a": "(sensitive: vars.keys.a)"},
    ]
