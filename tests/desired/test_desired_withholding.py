"""What a saved plan may hold of a project's values and texts."""

import json

import pytest

from taskspec.desired.assigning import GivenVariables
from taskspec.desired.resolving import Surroundings, resolve
from taskspec.desired.sealing import sealed
from taskspec.diagnostics import ManifestError
from taskspec.documents.loading import load

PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: desk}
spec:
  agents: {writer: {command: [cat]}}
  env: {allow: [KEY, COMMIT]}
  variables:
    token: {default: canary-variable}
    tone: {default: plain}
    servers: {type: list, default: [{name: crm, url: "https://crm.example.com", headers: {a: hush}}]}
"""
TASK = """\
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: NAME}
spec:
  agent: writer
  prompt: PROMPT
  mcpServers: [{name: crm, url: "https://crm.example.com", headers: {Authorization: HEADER}}]
"""
ENVIRON = {"KEY": "canary-environ", "COMMIT": "abc"}
FIRST = "---\napiVersion: taskspec/v1\nkind: Task\nmetadata: {name: first}\nspec: {agent: writer, prompt: Begin.}\n"
OPEN = "{{ tasks.first.result }}"


def task(prompt, header, name="second"):
    return TASK.replace("NAME", name).replace("PROMPT", json.dumps(prompt)).replace("HEADER", json.dumps(header))


def values(sealed):
    return {one["name"]: one["value"] for one in sealed["variables"] if "value" in one}


@pytest.fixture
def seal(tmp_path):
    (tmp_path / "taskspec.yaml").write_text(PROJECT)
    (tmp_path / "secret.txt").write_text("canary-file")
    (tmp_path / "notes.txt").write_text("See {{ vars.tone }}.")

    def sealing(*tasks, sending=("second",)):
        (tmp_path / "tasks.yaml").write_text(FIRST + "".join(tasks))
        loaded = load(tmp_path, "default")
        assert not loaded.diagnostics
        manifests = loaded.manifests
        desired, wrong = resolve(manifests, GivenVariables(environ=ENVIRON), Surroundings(takes_local_files=True))
        assert not wrong
        return json.loads(json.dumps(sealed(desired, sending)))

    return sealing


@pytest.mark.parametrize(
    "prompt",
    [
        f"{OPEN}: never print the token, nor KEY",
        f"{OPEN} {{# vars.token env.KEY #}}",
        f"{OPEN} {{{{ tasks.first.result.token }}}} {{{{ 'KEY' }}}}",
        f"{OPEN} {{% if tasks.first.result and vars['tok' ~ 'en'] and env['K' ~ 'EY'] %}}a{{% endif %}}",
    ],
)
def test_a_value_that_only_stands_where_secrets_belong_is_not_kept_for_the_sake_of_a_word(seal, prompt):
    value = seal(task(prompt, "{{ vars.token }} {{ env.KEY }}"))
    assert "canary" not in json.dumps(value)
    assert "KEY" in value["asked"]
    assert {"token"} == {one["name"] for one in value["variables"] if "value" not in one}


@pytest.mark.parametrize("prompt", [f"{OPEN} {{{{ vars.token }}}}", f"{OPEN} {{% if vars[ 'token' ] %}}a{{% endif %}}"])
def test_a_value_that_is_shown_elsewhere_is_kept(seal, prompt):
    value = seal(task(prompt, "{{ vars.token }}"))
    assert values(value) == {"token": "canary-variable"}


def test_a_value_that_gives_servers_with_their_headers_is_not_kept(seal):
    servers = '  mcpServers: "{{ vars.servers }}"\n'
    value = seal(task(OPEN, "").partition("  mcpServers")[0] + servers)
    assert "hush" not in json.dumps(value)
    assert {"servers"} == {one["name"] for one in value["variables"] if "value" not in one}


def test_a_value_that_only_another_task_has_where_secrets_belong_is_left_out(seal):
    other = task("Known.", "{{ vars.token }} {{ env.KEY }}", name="other")
    value = seal(other, task(f"{OPEN} {{{{ vars.tone }}}}", "{{ env.COMMIT }}"))
    assert "canary" not in json.dumps(value)
    assert values(value) == {"tone": "plain"}
    assert value["asked"] == ["COMMIT"]


@pytest.mark.parametrize(
    "header",
    ["{{ file('secret.txt') }}", "{% include 'secret.txt' %}", "{{ file('secret' ~ '.txt') }}"],
)
def test_a_secret_that_is_read_from_a_file_cannot_be_saved(seal, header):
    with pytest.raises(ManifestError) as found:
        seal(task(OPEN, header))
    (wrong,) = found.value.diagnostics
    assert "`mcpServers[0].headers.Authorization` of `second` takes a file of the project" in wrong.detail
    assert "canary" not in wrong.detail


@pytest.mark.parametrize("header", ["{{ file('secret.txt') }}", "{{ file('secret' ~ '.txt') }}"])
def test_a_file_that_another_task_reads_a_secret_from_is_left_out(seal, header):
    value = seal(task("Known.", header, name="other"), task(f"{OPEN} {{{{ file('notes.txt') }}}}", "{{ env.KEY }}"))
    assert list(value["texts"]) == ["notes.txt"]


def test_a_file_that_is_shown_elsewhere_is_kept(seal):
    other = task("Known.", "{{ file('notes.txt') }}", name="other")
    value = seal(other, task(f"{OPEN} {{{{ file('notes.txt') }}}}", "{{ env.KEY }}"))
    assert {path: one["text"] for path, one in value["texts"].items()} == {"notes.txt": "See {{ vars.tone }}."}
