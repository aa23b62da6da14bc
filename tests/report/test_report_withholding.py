"""Lines of a manifest that are not quoted: whoever is told of a mistake is not shown a secret beside it."""

import pytest

from taskspec.report.withholding import may_show_a_secret

MANIFEST = """\
kind: Task
spec:
  agent: writer
  prompt: Write about tokens.
  userTokens:
    crm: hunter2
    erp: "{{ vars.erp }}"
    both: "Bearer {{ vars.crm }}"
  mcpServers:
    - name: m
      url: https://m.test/
      headers:
        name: hunter2
        b: "{{ 'hunter2' ~ vars.b }}"
    - {name: n, headers: {a: hunter2}}
  title: A letter
  payloadExtension: {password: hunter2}
  userOidcToken: hunter2
  user_tokens: {crm: hunter2
---
kind: Project
spec:
  agents: {writer: {command: [cat]}}
  remote: {type: xpander, apiKey: hunter2}
  variables:
    region: {default: emea}
    pin: {sensitve: true, default: hunter2}
    key:
      sensitive: true
      default: hunter2
      pattern: "^h"
  environments:
    prod:
      variables:
        key: hunter2
      results: {path: hidden}
"""
LINES = MANIFEST.split("\n")


@pytest.mark.parametrize("number", [n for n, line in enumerate(LINES, 1) if "hunter2" in line])
def test_a_line_with_a_secret_is_not_quoted(number):
    assert may_show_a_secret(LINES, number)


@pytest.mark.parametrize(
    "start", ["kind:", "  agent:", "  prompt:", "  userTokens:", "    erp:", "    both:", "  mcpServers:", "      url:"]
)
def test_a_line_without_one_is_quoted(start):
    number = next(n for n, line in enumerate(LINES, 1) if line.startswith(start))
    assert not may_show_a_secret(LINES, number)


@pytest.mark.parametrize("start", ["  title:", "  agents:", "      pattern:", "      results:"])
def test_what_stands_beside_a_field_with_secrets_is_quoted(start):
    number = next(n for n, line in enumerate(LINES, 1) if line.startswith(start))
    assert not may_show_a_secret(LINES, number)


def test_a_project_without_sensitive_variables_has_its_defaults_quoted():
    lines = ["spec:", "  variables:", "    region: {default: emea}"]
    assert not may_show_a_secret(lines, 3)
