"""A plan that was saved: carried out once, as it was made, whatever has become of the manifests; or refused."""

import asyncio
import json
import shutil

import pytest
from runner_ports import ScriptedPorts

from taskspec.apply.model import Options
from taskspec.errors import LimitError, MissingSecretError, StaleError, UsageError
from taskspec.events import RunCreated
from taskspec.health import Health
from taskspec.plan.model import Action
from taskspec.runner import planning, saved, showing
from taskspec.runner.applying import Job, apply
from taskspec.settings import from_environ

PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: sales}
spec:
  remote: {type: xpander}
  env: {allow: [CRM, COMMIT]}
  variables:
    token: {type: string, sensitive: true}
    tone: {type: string, default: plain}
"""
REPORT = """\
apiVersion: taskspec/v1
kind: Task
metadata: {name: extract}
spec:
  agent: writer
  prompt: "Extract at {{ env.COMMIT }} with {{ vars.token }}, {{ vars.token | b64encode }}."
  outputSchema: {type: object, required: [zeta, alpha], properties: {zeta: {type: number}, alpha: {type: number}}}
  userTokens: {crm: "{{ env.CRM }}"}
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: report}
spec:
  matrix: {quarter: [q1, q2]}
  agent: writer
  prompt: |
    {% from 'style.md' import styled -%}
    {{ styled(matrix.quarter) }} {{ tasks.extract.json.zeta }} {{ vars.tone }}
    {% if tasks.extract.json.zeta > 1 %}{% include 'notes/big.md' %}{% endif %}
  dependsOn: [extract]
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: plain}
spec: {agent: writer, prompt: "Write {{ file('notes/big.md') }}", retry: {maxAttempts: 2, statuses: [failed]}}
"""
ANSWER = {"status": "completed", "result": '{"zeta": 2, "alpha": 1}'}
SECRETS = {"TASKSPEC_VAR_token": "canary-one", "CRM": "canary-two", "COMMIT": "abc"}


class Desk(ScriptedPorts):
    """Somebody who saves plans and carries them out."""

    environ = SECRETS

    def invocation(self, *addresses):
        from dataclasses import replace

        return replace(super().invocation(*addresses), settings=from_environ(self.environ))

    def save(self, *addresses, name="plan.json", lasts=saved.EXPIRES):
        path = self.folder / name

        def keep(question, plan, state):
            saved.save(question, plan, path, self, state, lasts)

        planning.plan(self.invocation(*addresses), self, keep=keep)
        return path

    def carry_out(self, path, expected=None, **options):
        self.events = []
        kept = saved.load(path)
        prepared = saved.opened(kept, self.invocation(), self, expected)
        job = Job(
            options=Options(**options), approve=lambda _: True, emit=self.events.append, prepared=prepared, saved=kept
        )
        return asyncio.run(apply(self.invocation(), self, job))

    def bodies(self):
        """Return what was sent for each run, but for its marker."""
        found = []
        for run in self.remote.runs.values():
            body = json.dumps(run.body)
            found.append(body.replace(run.marker, "MARKER"))
        return sorted(found)

    def clear(self):
        """Delete all that a person has written."""
        for path in self.folder.iterdir():
            if path.name not in {".taskspec", "plan.json", "results"}:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def desk(folder, text=REPORT):
    folder.mkdir()
    made = Desk(folder)
    made.write(PROJECT, "taskspec.yaml")
    made.write(text)
    (folder / "notes").mkdir()
    (folder / "macros").mkdir()
    (folder / "notes/big.md").write_text("It is big.\n")
    (folder / "macros/style.md").write_text("{% macro styled(what) %}Report on {{ what }}.{% endmacro %}")
    for prompt in ("Extract at abc with canary-one, Y2FuYXJ5LW9uZQ==.",):
        made.remote.scripts[prompt] = [[ANSWER]]
    return made


@pytest.fixture
def at(tmp_path):
    return desk(tmp_path / "project")


@pytest.fixture
def simple(tmp_path):
    made = desk(tmp_path / "project", "")
    (made.folder / "tasks.yaml").unlink()
    return made


def test_the_same_requests_go_out_although_every_manifest_is_gone(at, tmp_path):
    path = at.save()
    at.clear()
    at.carry_out(path)
    other = desk(tmp_path / "other")
    other.apply()
    assert at.bodies() == other.bodies()
    assert len(at.bodies()) == 4


def test_the_same_requests_go_out_although_every_manifest_is_another(at):
    path = at.save()
    at.clear()
    at.write(PROJECT.replace("plain", "other").replace("sales", "others"), "taskspec.yaml")
    at.write(REPORT.replace("Write", "Delete everything").replace("Report", "No report"))
    plan = at.carry_out(path)
    assert {change.action for change in plan.changes} == {Action.CREATE}
    assert not [body for body in at.bodies() if "Delete everything" in body or "other" in body]


def test_what_was_carried_out_is_what_the_manifests_say(at):
    at.carry_out(at.save())
    assert at.apply().pending == ()
    assert {event.health for event in at.finished().values()} == {Health.HEALTHY}


def test_no_secret_is_in_the_file_in_no_form(at):
    text = at.save().read_text()
    for form in ("canary", "Y2FuYXJ5", "%63anary"):
        assert form not in text


def test_the_file_is_read_by_its_owner_alone(at):
    assert at.save().stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("name", "words"), [("TASKSPEC_VAR_token", "`token`"), ("CRM", "`CRM`")])
def test_a_secret_that_is_not_there_any_more_is_named(at, name, words):
    path = at.save()
    at.environ = {key: value for key, value in SECRETS.items() if key != name}
    with pytest.raises(MissingSecretError, match=words):
        at.carry_out(path)
    assert not at.remote.runs


def test_what_no_secret_is_has_the_value_of_then(at):
    path = at.save()
    at.environ = SECRETS | {"COMMIT": "another", "TASKSPEC_VAR_tone": "loud"}
    at.carry_out(path)
    assert "at abc" in "".join(at.bodies())
    assert "loud" not in "".join(at.bodies())


def test_a_secret_that_is_written_out_cannot_be_saved(simple):
    from taskspec.diagnostics import ManifestError

    simple.task("a", userTokens="{crm: written-out}")
    with pytest.raises(ManifestError) as found:
        simple.save()
    (wrong,) = found.value.diagnostics
    assert "`userTokens` of `a`" in wrong.detail
    assert "written-out" not in wrong.detail
    assert not wrong.quotable


def test_a_plan_is_carried_out_once(simple):
    simple.task()
    path = simple.save()
    simple.carry_out(path)
    with pytest.raises(StaleError, match="it was applied on"):
        simple.carry_out(path)
    assert len(simple.remote.runs) == 1


def test_a_plan_that_was_cut_is_taken_up_again_and_pays_nothing_twice(simple):
    simple.task("a")
    simple.task("b", "Then.")
    simple.remote.scripts["Write."] = [["executing", "executing", "executing", "completed"]]
    path = simple.save()
    simple.carry_out(path, wait=False)
    assert len(simple.remote.runs) == 2
    simple.carry_out(path)
    assert len(simple.remote.runs) == 2
    assert {event.verdict for event in simple.finished().values()} == {"accepted"}


def test_a_plan_that_was_begun_is_refused_when_something_else_has_changed_the_state(simple):
    simple.task("a")
    simple.remote.scripts["Write."] = [["executing"]]
    path = simple.save()
    simple.carry_out(path, wait_timeout=0.2)
    simple.task("c", "Other.")
    simple.apply("c")
    with pytest.raises(StaleError, match="the state has moved on"):
        simple.carry_out(path)


def test_a_stale_plan_says_of_each_item_what_has_become_of_it(simple):
    simple.task("a")
    path = simple.save()
    simple.apply()
    with pytest.raises(StaleError) as found:
        simple.carry_out(path)
    assert "a: create (no run of it is recorded yet) → none (the result of g1 is accepted)" in found.value.message


def test_a_plan_of_another_state_is_refused(simple, tmp_path):
    simple.task("a")
    path = simple.save()
    other = desk(tmp_path / "other")
    other.save()
    with pytest.raises(StaleError, match="another state"):
        other.carry_out(path)


def test_a_plan_of_a_project_without_a_state_is_one_for_this_project(simple):
    simple.task("a")
    simple.save()
    assert json.loads((simple.folder / "plan.json").read_text())["lineage"]


def test_a_plan_for_another_remote_is_refused(simple, monkeypatch):
    from dataclasses import replace

    simple.task("a")
    path = simple.save()
    offline = simple.offline

    def elsewhere(project):
        found = offline(project)
        return replace(found, identity=replace(found.identity, organization="another"))

    monkeypatch.setattr(simple, "offline", elsewhere)
    with pytest.raises(StaleError, match="made for another remote"):
        simple.carry_out(path)


def test_a_plan_ends_by_itself(simple):
    simple.task("a")
    path = simple.save(lasts=10.0)
    simple.remote.clock.time += 11.0
    with pytest.raises(StaleError, match="could be applied until"):
        simple.carry_out(path)


def test_a_digest_that_is_expected_is_kept_to(simple):
    simple.task("a")
    path = simple.save()
    with pytest.raises(StaleError, match="is expected"):
        simple.carry_out(path, expected="sha256:" + "0" * 64)
    simple.carry_out(path, expected=json.loads(path.read_text())["digest"])


def test_a_refused_plan_stays_refused(simple):
    simple.write(PROJECT + "  limits: {maxCreate: 1}\n", "taskspec.yaml")
    simple.task("a")
    simple.task("b", "Then.")
    path = simple.save()
    with pytest.raises(LimitError, match="maxCreate"):
        simple.carry_out(path)


def test_a_run_that_has_ended_since_is_not_stopped_but_recorded(simple):
    simple.task("a")
    simple.remote.scripts["Write."] = [["executing"]]
    simple.apply(wait=False)
    (simple.folder / "a.yaml").unlink()
    simple.task("b", "Then.")
    path = simple.save()
    simple.remote.runs["run-1"].steps = ["completed"]
    simple.remote.asked.clear()
    simple.carry_out(path)
    assert not simple.remote.asked["DELETE"]
    assert list(simple.records()) == ["b"]


def test_what_has_become_due_since_is_left_as_it_was_planned(simple):
    simple.task("a", rerun="{after: 1h}")
    simple.apply()
    simple.task("b", "Then.")
    path = simple.save()
    simple.remote.clock.time += 7200.0
    simple.carry_out(path)
    assert [event.address for event in simple.told(RunCreated)] == ["b"]
    assert simple.finished()["a"].health is Health.HEALTHY


def test_a_run_that_failed_since_gets_no_attempt_that_was_not_planned(simple):
    retry = {"retry": "{maxAttempts: 2, statuses: [failed], backoff: 0s}"}
    simple.task("a", **retry)
    simple.remote.scripts["Write."] = [["executing"]]
    simple.apply(wait=False)
    path = simple.save()
    simple.remote.runs["run-1"].steps = ["failed"]
    simple.carry_out(path)
    assert len(simple.remote.runs) == 1
    assert simple.finished()["a"].effect == "refused"


def test_a_selection_is_kept_with_the_plan(simple):
    simple.task("a")
    simple.task("b", "Then.")
    simple.carry_out(simple.save("a"))
    assert list(simple.records()) == ["a"]


CHAIN = """\
apiVersion: taskspec/v1
kind: Task
metadata: {name: one}
spec: {agent: writer, prompt: One.}
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: two}
spec: {agent: writer, prompt: "Two of {{ tasks.one.result }}"}
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: three}
spec: {agent: writer, prompt: "Three of {{ tasks.two.result }}"}
"""


@pytest.mark.parametrize("chosen", [(), ("three",)])
def test_what_uses_results_and_is_up_to_date_stays_so_under_what_runs(simple, chosen):
    simple.write(CHAIN)
    simple.carry_out(simple.save())
    simple.write(CHAIN.replace("Three", "Thrice"))
    made = simple.carry_out(simple.save(*chosen))
    assert [c.address for c in made.changes if c.paid] == ["three"]
    assert [event.address for event in simple.events if isinstance(event, RunCreated)] == ["three"]


def test_a_plan_is_not_saved_where_it_would_be_read_as_a_manifest(simple):
    simple.task("a")
    with pytest.raises(UsageError, match="manifest"):
        simple.save(name="plan.yaml")


def test_what_is_shown_of_a_plan_says_whether_it_can_still_be_applied(simple):
    simple.task("a")
    path = simple.save()
    assert showing.obstacles(saved.load(path), simple.invocation(), simple) == []
    simple.apply()
    (told,) = showing.obstacles(saved.load(path), simple.invocation(), simple)
    assert "moved on" in told


def test_rubbish_of_any_kind_is_no_saved_plan(simple):
    path = simple.folder / "plan.json"
    for text in (
        "",
        "{",
        "[]",
        "{}",
        '{"format": 1}',
        '{"format": 1, "changes": []}',
        "null",
        "\0",
        '{"format": 99, "changes": []}',
    ):
        path.write_text(text)
        with pytest.raises(StaleError, match="the plan is refused"):
            saved.load(path)


def test_what_json_prints_is_no_saved_plan(simple):
    from taskspec.plan.encoding import to_json

    simple.task("a")
    plan = planning.plan(simple.invocation(), simple)
    path = simple.folder / "plan.json"
    path.write_text(json.dumps(to_json(plan)))
    with pytest.raises(StaleError, match="cannot be applied"):
        saved.load(path)


def test_any_byte_that_is_changed_is_noticed(simple):
    simple.task("a")
    path = simple.save()
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        for other in (content[place] ^ 1, ord(" ")):
            if other == content[place]:
                continue
            path.write_bytes(content[:place] + bytes([other]) + content[place + 1 :])
            with pytest.raises(StaleError, match="the plan is refused"):
                saved.load(path)
    path.write_bytes(content)
    simple.carry_out(path)
