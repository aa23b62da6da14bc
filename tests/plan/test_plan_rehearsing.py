"""Whether a policy can be asked at all: what is found before there is a plan, and what is not held against it."""

import pytest

from taskspec.documents.parsing import parse
from taskspec.plan.rehearsing import unaskable

GUARDED = [
    "change.agent == 'writer' and environment != 'prod' and change.paid",
    "change.labels.team == 'growth'",
    "change['labels']['team'] == 'growth' or plan['paidRuns'] > 3",
    "change.run != null and startswith(change.run, 'x')",
    "change.verdict == 'failed'",
    "plan.counts.stop + plan.counts.replace > 3",
    "plan.risks.secret_exposed > 0 or 'side_effects' in change.risks",
    "any(one.path == 'prompt' for one in change.diff)",
    "not (change.health == 'healthy') if change.paid else false",
    "matches(change.address, '^report')",
    "all(reason != 'spec_changed' for reason in change.reasons)",
    "len(change.after) > 2 and change.generation > 1 and change.attempt == 1",
    "change.inError or change.refused or change.destructive or change.conditional",
    "change.movedFrom == 'old' or change.fingerprint is null",
    "project.name == 'sales'",
    "true",
]


def found(deny):
    text = f"""
apiVersion: taskspec/v1
kind: Project
metadata: {{name: p}}
spec:
  policies:
    - name: p
      deny: >-
        {deny}
"""
    documents = parse(text.encode(), "taskspec.yaml").documents
    return [(one.position.line, one.position.column - 8, one.detail) for one in unaskable(documents[0])]


@pytest.mark.parametrize("deny", GUARDED)
def test_what_can_be_asked_of_every_change_is_right(deny):
    assert found(deny) == []


@pytest.mark.parametrize(
    ("deny", "column", "said"),
    [
        ("change.agent == 'x' and change.pade", 25, "`change` has no field `pade`."),
        ("plan.counts.creat > 0", 1, "`plan.counts` has no field `creat`."),
        ("plan.risks.secrets > 0", 1, "`plan.risks` has no field `secrets`."),
        ("change.agent == 'x' and change.action > 3", 25, "`>` cannot compare a string"),
        ("change.agent == 'x' or change.paid == 'yes'", 24, "`==` compares a boolean"),
        ("change.paid and change.address", 1, "takes true or false"),
        ("plan.paidRuns", 1, "It must give true or false"),
        ("len(change.agent)", 1, "It must give true or false"),
        ("startswith(change.run, 'x')", 1, "takes a string, found null"),
        ("environment.name == 'x'", 1, "only a map has fields"),
    ],
)
def test_what_cannot_be_asked_is_found_at_its_place(deny, column, said):
    ((line, at, detail),) = found(deny)
    assert (line, at, said in detail) == (9, column, True), (at, detail)
