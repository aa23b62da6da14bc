"""render, graph and explain ADDRESS through the command line: what they print, for whom, and what they never show."""

import json
import re

import pytest
from test_cli_commands import HEAVY, probe

from taskspec.cli.running import run
from taskspec.documents.parsing import parse

PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: shown}
spec:
  agents: {shouter: {command: [cat]}}
  variables:
    tone: {default: plain}
    token: {sensitive: true, default: canary-default}
    keys: {type: map, sensitive: true, default: {a: canary-map}}
  defaults: [{spec: {userOidcToken: canary-oidc}}]
  environments:
    prod: {variables: {tone: formal, token: canary-prod}}
"""
TASKS = """\
apiVersion: taskspec/v1
kind: Task
metadata: {name: extract, labels: {team: sales}}
spec:
  matrix: {region: [emea, apac]}
  agent: shouter
  outputFormat: json
  prompt: |
    Region {{ matrix.region }}.
    Tone {{ vars.tone }}.
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: report}
spec:
  agent: shouter
  prompt: "{{ vars.token }} {{ vars.keys | tojson }} {{ tasks['extract[emea]'].json.total }}"
  dependsOn: ["extract[apac]"]
  userTokens: {crm: canary-token}
  mcpServers: [{name: a, headers: {Authorization: canary-header}, env_vars: {K: "{{ vars.token }}"}}]
"""
COMMANDS = [["render"], ["graph"], ["graph", "--format", "dot"], ["explain", "report"], ["explain", "extract"]]


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taskspec.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "tasks.yaml").write_text(TASKS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def told(project, capsys):
    """Run a command that succeeds, and return what it prints."""

    def call(*arguments):
        assert run([*arguments]) == 0
        return capsys.readouterr().out

    return call


def test_what_render_prints_is_yaml_of_each_selected_task(told):
    documents = [document.value for document in parse(told("render").encode(), "shown").documents]
    assert [document["title"] for document in documents] == ["extract[emea]", "extract[apac]", "report"]
    assert documents[0] == {
        "labels": {"team": "sales"},
        "title": "extract[emea]",
        "agent": "shouter",
        "prompt": "Region emea.\nTone plain.",
        "outputFormat": "json",
        "userOidcToken": "(sensitive: userOidcToken)",
    }
    assert documents[2]["prompt"].endswith("(known after extract[emea])")
    assert told("render", "extract[apac]").startswith("# extract[apac]  tasks.yaml:1:1\n")


def test_a_task_is_rendered_for_an_environment_and_with_variables(told):
    assert "Tone formal." in told("render", "extract", "--env", "prod")
    assert "Tone dry." in told("render", "extract", "--env", "prod", "--var", "tone=dry")


def test_render_as_json_tells_what_is_known_only_later(told):
    tasks = {task["address"]: task for task in json.loads(told("render", "--json"))["tasks"]}
    assert [task["deferred"] for task in tasks.values()] == [False, False, True]
    assert tasks["report"]["fingerprint"] is None
    assert re.fullmatch(r"\w+:[0-9a-f]{64}|[0-9a-f]{64}", tasks["extract[emea]"]["fingerprint"])
    assert tasks["report"]["after"] == ["extract[apac]", "extract[emea]"]


def test_the_graph_tells_results_from_order(told):
    assert told("graph").splitlines() == [
        "flowchart LR",
        '  t0["extract[emea]"]',
        '  t1["extract[apac]"]',
        '  t2["report"]',
        "  t1 -.-> t2",
        "  t0 --> t2",
    ]
    assert '  "extract[apac]" -> "report" [style=dotted];' in told("graph", "--format", "dot")
    assert json.loads(told("graph", "--json", "+report", "--exclude", "extract[apac]")) == {
        "tasks": ["extract[emea]", "report"],
        "edges": [{"from": "extract[emea]", "to": "report", "usesResult": True}],
    }


def test_an_address_is_explained_with_the_place_of_each_value(told):
    text = told("explain", "extract[apac]")
    assert text.startswith("extract[apac]\n")
    assert re.search(r"^  agent +\"shouter\" +task  tasks\.yaml:6:3$", text, re.MULTILINE)
    assert re.search(r"^    vars\.tone +\"plain\" +default  taskspec\.yaml:7:5$", text, re.MULTILINE)
    assert re.search(
        r"^    vars\.tone +\"formal\" +environment prod  taskspec",
        told("explain", "extract[apac]", "--env", "prod"),
        re.MULTILINE,
    )


def test_a_name_explains_all_of_its_cells(told):
    tasks = json.loads(told("explain", "extract", "--json"))["tasks"]
    assert [task["address"] for task in tasks] == ["extract[emea]", "extract[apac]"]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize("given", [[], ["--env", "prod"], ["--var", "token=canary-var"]], ids=str)
def test_no_secret_is_shown(project, capsys, arguments, form, given):
    assert run([*arguments, *form, *given]) == 0
    printed = capsys.readouterr()
    assert printed.out
    assert "canary" not in printed.out + printed.err


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_manifests_that_are_wrong_are_refused_with_their_place_and_no_secret(project, capsys, arguments):
    wrong = TASKS.replace('["extract[apac]"]', '["{{ vars.token }}"]')
    (project / "tasks.yaml").write_text(wrong, encoding="utf-8")
    assert run(arguments) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("tasks.yaml:18:15: error: Wrong dependency")
    assert "canary" not in printed.out + printed.err


@pytest.mark.parametrize("command", ["render", "graph", "explain"])
def test_an_address_that_is_not_there_is_told_with_the_nearest(project, capsys, command):
    assert run([command, "reprot"]) != 0
    error = capsys.readouterr().err
    assert "`reprot`" in error
    assert "`report`" in error


@pytest.mark.parametrize("command", ["render", "graph"])
def test_nothing_selected_is_told(project, capsys, command):
    assert run([command, "report", "--exclude", "report"]) == 0
    assert "No task is selected" in capsys.readouterr().err


def test_nothing_is_left_behind(project, told):
    for arguments in COMMANDS:
        told(*arguments)
    assert sorted(path.name for path in project.iterdir()) == ["tasks.yaml", "taskspec.yaml"]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_client_and_no_engine_is_loaded(project, arguments):
    done, loaded = probe(*arguments)
    assert done.returncode == 0, done.stderr
    assert loaded & HEAVY <= {"jsonschema_rs", "jsonschema", "jinja2", "yaml", "sqlite3"}


@pytest.mark.parametrize(
    "command", [["validate"], ["render"], ["graph"], ["explain", "report"], ["plan"]], ids=" ".join
)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("v.env", "tone=dry\ntoken='canary-unclosed\n"),
        ("v.env", "tokn=canary-undeclared\n"),
        ("v.yaml", "token: [canary-list]\n"),
        ("v.json", '{"token": {"a": "canary-map"}}'),
        ("v.yaml", 'token: "canary-open\n'),
    ],
)
def test_no_line_of_a_variable_file_is_quoted(project, capsys, command, name, text):
    (project / name).write_text(text, encoding="utf-8")
    assert run([*command, "--var-file", name]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"{name}:")
    assert "canary" not in printed.out + printed.err


@pytest.mark.parametrize(
    "field", ["userTokens: {a: [canary-a], b: canary-b}", "mcpServers: [canary]", "userOidcToken: [canary]"]
)
def test_no_line_with_a_field_that_is_secret_is_quoted(project, capsys, field):
    text = (
        f"apiVersion: taskspec/v1\nkind: Task\nmetadata: {{name: a}}\nspec:\n  agent: shouter\n  prompt: p\n  {field}\n"
    )
    (project / "tasks.yaml").write_text(text, encoding="utf-8")
    assert run(["validate"]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("tasks.yaml:7:")
    assert "canary" not in printed.out + printed.err
