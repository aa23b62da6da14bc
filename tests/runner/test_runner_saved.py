"""A plan that was saved: carried out once, as it was made, whatever has become of the manifests; or refused."""

import asyncio
import json
import os
import shutil
from dataclasses import replace

import pytest
from runner_ports import ScriptedPorts

from taskspec.apply.model import Options
from taskspec.errors import LimitError, MissingSecretError, StaleError, UsageError
from taskspec.events import RunCreated
from taskspec.health import Health
from taskspec.plan.capping import differences
from taskspec.plan.model import Action
from taskspec.runner import planning, saved, showing
from taskspec.runner.applying import Job, apply
from taskspec.runner.model import Refresh
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
        return replace(super().invocation(*addresses), settings=from_environ(self.environ))

    def save(self, *addresses, name="plan.json", lasts=saved.EXPIRES, refresh=Refresh.ACTIVE):
        path = self.folder / name

        def keep(question, plan, state):
            saved.save(question, plan, path, self, state, lasts)

        planning.plan(replace(self.invocation(*addresses), refresh=refresh), self, keep=keep)
        return path

    def carry_out(self, path, expected=None, **options):
        self.events = []
        kept = saved.load(path)
        prepared = saved.opened(kept, self.invocation(), self, expected)
        job = Job(
            options=Options(**options), approve=lambda _: True, emit=self.events.append, prepared=prepared, saved=kept
        )
        return asyncio.run(apply(self.invocation(), self, job))

    def reopened(self, path):
        """Return what a plan would do now; do nothing."""
        kept, seen = saved.load(path), []
        prepared = saved.opened(kept, self.invocation(), self)
        job = Job(options=Options(), approve=seen.append, emit=self.events.append, prepared=prepared, saved=kept)
        asyncio.run(apply(self.invocation(), self, job))
        return seen[0]

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


def test_what_was_carried_out_notes_the_files_that_it_was_made_of_as_an_apply_does(at, tmp_path):
    (at.folder / "notes/big.md").write_bytes(b"\xef\xbb\xbfIt is big.\r\n")
    at.carry_out(at.save())
    straight = desk(tmp_path / "straight")
    (straight.folder / "notes/big.md").write_bytes(b"\xef\xbb\xbfIt is big.\r\n")
    straight.environ = SECRETS
    straight.apply()
    for address, record in at.records().items():
        assert record.generation.inputs == straight.records()[address].generation.inputs


def test_a_secret_that_is_written_out_cannot_be_saved(simple):
    from taskspec.diagnostics import ManifestError

    simple.task("a", userTokens="{crm: written-out}")
    with pytest.raises(ManifestError) as found:
        simple.save()
    (wrong,) = found.value.diagnostics
    assert "`userTokens.crm` of `a`" in wrong.detail
    assert "written-out" not in wrong.detail
    assert not wrong.quotable


@pytest.mark.parametrize(
    "secret",
    [
        "hunter2{{ vars.token }}",
        "{{ 'hunter2' ~ vars.token }}",
        "{{ 'hunter2' }}",
        "{{ vars.token if env.COMMIT else 'hunter2' }}",
        "{{ vars.token }}{# hunter2 #}",
        "{% raw %}hunter2{% endraw %}{{ vars.token }}",
        "{{ 47114711 }}{{ vars.token }}",
        "{{ file('hunter2.txt') }}",
        "{% include 'hunter2.txt' %}",
    ],
)
@pytest.mark.parametrize("field", ["userTokens: {crm: %s}", "mcpServers: [{name: m, env: {A: %s}}]"])
def test_what_is_written_out_beside_a_template_of_a_secret_cannot_be_saved(simple, field, secret):
    from taskspec.diagnostics import ManifestError

    (simple.folder / "hunter2.txt").write_text("hunter2")
    name, _, value = (field % json.dumps(secret)).partition(": ")
    simple.task("a", **{name: value})
    with pytest.raises(ManifestError) as found:
        simple.save()
    (wrong,) = found.value.diagnostics
    assert wrong.position.line
    assert "hunter2" not in wrong.detail + wrong.hint
    assert not (simple.folder / "plan.json").exists()


@pytest.mark.parametrize(
    "secret",
    [
        "Bearer {{ vars.token }}",
        "{{ 'Bearer ' ~ vars.token }}",
        "Basic {{ ('x-access-token:' ~ vars['token']) | b64encode }}",
        "{{ vars.token }}",
    ],
)
def test_a_word_that_says_what_a_secret_is_may_stand_beside_it(simple, secret):
    simple.task("a", userTokens=json.dumps({"crm": secret}))
    path = simple.save()
    assert "canary" not in path.read_text()
    simple.carry_out(path)
    (run,) = simple.remote.runs.values()
    assert run.body["user_tokens"]["crm"]


def test_a_plan_holds_no_file_that_is_read_for_a_secret_of_another_task(simple):
    (simple.folder / "hunter2.txt").write_text("hunter2")
    simple.task("a", userTokens="""{crm: "{{ file('hunter2.txt') }}"}""")
    simple.apply()
    simple.task("b", prompt="\"With {{ vars.token }} and {{ file('notes/big.md') }}\"")
    text = simple.save().read_text()
    assert "hunter2" not in text
    assert "It is big." in text


def test_an_environment_variable_that_a_text_only_names_is_not_kept(simple):
    simple.task("a", prompt='"The CRM wants {{ vars.token }}"', userTokens='{crm: "{{ env.CRM }}"}')
    assert "canary" not in simple.save().read_text()


def test_a_plan_is_carried_out_once(simple):
    simple.task()
    path = simple.save()
    simple.carry_out(path)
    with pytest.raises(StaleError, match="it was applied on"):
        simple.carry_out(path)
    assert len(simple.remote.runs) == 1


def test_a_plan_that_selects_nothing_is_carried_out_by_doing_nothing(simple):
    simple.task()
    simple.apply()
    path = simple.folder / "plan.json"

    def keep(question, plan, state):
        saved.save(replace(question, selected=frozenset()), plan, path, simple, state)

    planning.plan(simple.invocation(), simple, keep=keep)
    assert simple.carry_out(path).changes == ()
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


def test_a_plan_that_was_begun_is_refused_when_another_apply_has_only_taken_a_policy_over(simple):
    simple.task("a")
    simple.remote.scripts["Write."] = [["executing"]]
    path = simple.save()
    simple.carry_out(path, wait=False)
    simple.task("a", onRemove="forget")
    simple.apply(wait=False)
    with pytest.raises(StaleError, match="the state has moved on"):
        simple.carry_out(path)
    assert simple.records()["a"].on_remove == "forget"


def test_a_plan_that_only_takes_a_policy_over_is_carried_out_once_too(simple):
    simple.task("a")
    simple.apply()
    simple.task("a", onRemove="forget")
    path = simple.save()
    simple.carry_out(path)
    assert simple.records()["a"].on_remove == "forget"
    with pytest.raises(StaleError, match="it was applied on"):
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


def test_a_plan_leaves_nothing_where_there_is_no_state(simple, tmp_path):
    simple.task("a")
    path = simple.save()
    elsewhere = Desk(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    with pytest.raises(StaleError, match="another state"):
        elsewhere.carry_out(path)
    assert not list(elsewhere.folder.iterdir())


def test_a_plan_of_a_project_without_a_state_is_one_for_this_project(simple):
    simple.task("a")
    simple.save()
    assert json.loads((simple.folder / "plan.json").read_text())["lineage"]


def test_a_plan_for_another_remote_is_refused(simple, monkeypatch):
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


def test_what_is_left_as_it_was_planned_takes_nothing_of_the_budget(simple):
    simple.write(PROJECT + "  budget: {maxRuns: 2}\n", "taskspec.yaml")
    simple.task("a", rerun="{after: 1h}")
    simple.apply()
    simple.task("b", "Then.")
    path = simple.save()
    simple.remote.clock.time += 7200.0
    plan = simple.carry_out(path)
    assert (plan.spending.runs, plan.spending.planned) == (1, 1)
    assert plan.risks["new_paid_run"] == 1
    assert [event.address for event in simple.told(RunCreated)] == ["b"]


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


def chain(at, *names, **more):
    """Declare tasks that use the result of the one before."""
    for before, name in zip(("", *names), names, strict=False):
        at.task(name, f'"{name} {{{{ tasks.{before}.result }}}}"' if before else name, **more)


@pytest.mark.parametrize("chosen", [(), ("c",), ("c", "d"), ("+d",), ("b", "d")])
@pytest.mark.parametrize("edited", ["", "a", "b", "c", "d"])
@pytest.mark.parametrize("failing", ["", "a", "c"])
def test_a_plan_that_is_opened_at_once_does_what_it_did_when_it_was_made(simple, chosen, edited, failing):
    if failing:
        simple.remote.scripts["a" if failing == "a" else "c"] = [["failed"]]
    chain(simple, "a", "b", "c", "d")
    simple.apply()
    if edited:
        path = simple.folder / f"{edited}.yaml"
        path.write_text(path.read_text().replace("prompt: ", "prompt: New ").replace('New "', '"New '))
    path = simple.save(*chosen)
    now, then = simple.reopened(path), saved.load(path).plan
    assert differences(now, then) == {}
    assert [[one.code for one in c.reasons] for c in now.changes] == [
        [one.code for one in c.reasons] for c in then.changes
    ]
    assert now.risks == then.risks


def test_a_plan_is_carried_out_behind_a_chain_that_is_up_to_date(simple):
    chain(simple, "a", "b", "c")
    simple.apply()
    chain(simple, "a", "b")
    simple.task("c", '"Then {{ tasks.b.result }}"')
    simple.carry_out(simple.save("c"))
    assert [event.address for event in simple.told(RunCreated)] == ["c"]


def test_a_run_of_which_nothing_was_known_gets_no_attempt_whose_request_the_plan_does_not_have(simple):
    simple.task("a", retry="{maxAttempts: 2, statuses: [failed], backoff: 0s}")
    simple.remote.scripts["Write."] = [["executing"]]
    simple.apply(wait=False)
    simple.remote.runs["run-1"].steps = ["of a kind that nobody knows"]
    path = simple.save()
    simple.remote.runs["run-1"].steps = ["executing", "executing", "executing", "failed"]
    simple.carry_out(path)
    assert len(simple.remote.runs) == 1
    assert simple.finished()["a"].effect == "refused"
    assert "no further attempt: the saved plan does not have it" in simple.finished()["a"].detail


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


def test_nothing_but_a_file_takes_the_place_of_what_is_there(simple):
    simple.task("a")
    os.mkfifo(simple.folder / "pipe")
    for name in ("pipe", "notes"):
        with pytest.raises(UsageError, match="no file"):
            simple.save(name=name)
    kept = simple.folder / "notes" / "kept.json"
    (simple.folder / "plan.json").symlink_to(kept)
    simple.save()
    assert (simple.folder / "plan.json").readlink() == kept
    assert saved.load(kept).plan.paid_runs == 1


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


def test_what_no_planned_task_uses_of_the_environment_is_not_asked_for(simple):
    simple.task("a", '"{{ vars.token }}"')
    path = simple.save()
    simple.environ = {"TASKSPEC_VAR_token": "canary-one"}
    simple.carry_out(path)
    assert len(simple.remote.runs) == 1


@pytest.mark.parametrize("named", ["env.COMMIT", "env['COMMIT']", "env['COM' ~ 'MIT']"])
@pytest.mark.parametrize(("then", "now"), [({}, {"COMMIT": "later"}), ({"COMMIT": "abc"}, {"COMMIT": "later"})])
def test_the_environment_is_what_it_was_however_it_is_named(simple, named, then, now):
    simple.task("a")
    simple.task("b", f"\"{{{{ tasks.a.result }}}} at {{{{ {named} | default('nothing') }}}}\"")
    simple.environ = then
    path = simple.save()
    simple.environ = now
    simple.carry_out(path)
    (run,) = simple.remote.started(f"answer to Write. at {then.get('COMMIT', 'nothing')}")
    assert run


@pytest.mark.parametrize("used", ["CRM", "'C' ~ 'RM'"])
def test_what_may_be_a_secret_of_any_task_is_not_kept_for_a_name_that_is_computed(simple, used):
    name = f"env.{used}" if used == "CRM" else f"env[{used}]"
    simple.task("quiet", userTokens=f'{{crm: "{{{{ {name} }}}}"}}')
    simple.apply()
    simple.task("a", "Then.")
    simple.task("b", "\"{{ tasks.a.result }} at {{ env['COM' ~ 'MIT'] | default('nothing') }}\"")
    path = simple.save()
    assert "canary-two" not in path.read_text()
    simple.carry_out(path)
    assert len(simple.remote.runs) == 3


def test_a_variable_that_had_no_value_has_none(simple):
    simple.write(PROJECT + "    late: {}\n", "taskspec.yaml")
    simple.task("a")
    simple.task("b", "\"{{ tasks.a.result }} {{ vars.late | default('never') }}\"")
    path = simple.save()
    simple.environ = SECRETS | {"TASKSPEC_VAR_late": "now"}
    simple.carry_out(path)
    assert simple.remote.started("answer to Write. never")


def test_what_was_looked_at_is_looked_at_again(simple):
    simple.task("a")
    path = simple.save(refresh=Refresh.FULL)
    state = simple.folder / ".taskspec/default/state.db"
    kept = state.read_bytes()
    simple.apply()
    state.write_bytes(kept)
    simple.carry_out(path)
    assert len(simple.remote.runs) == 1
    assert simple.finished()["a"].health is Health.UNKNOWN


def test_a_plan_that_was_begun_is_refused_after_a_change_of_which_the_history_tells_nothing(simple):
    simple.task("a")
    simple.apply()
    simple.task("b", "Then.")
    simple.remote.scripts["Then."] = [["executing"]]
    path = simple.save()
    simple.carry_out(path, wait=False)
    simple.task("a", protect="true")
    simple.apply("a")
    with pytest.raises(StaleError, match="the state has moved on"):
        simple.carry_out(path)


def test_a_plan_that_takes_records_over_when_it_is_taken_up_again_can_be_once_more(simple):
    simple.task("a")
    simple.remote.scripts["Write."] = [["executing"] * 20]
    simple.apply(wait=False)
    simple.task("a", protect="true")
    simple.task("b", "Then.")
    simple.remote.scripts["Then."] = [["executing"] * 20]
    path = simple.save()
    for _ in range(3):
        simple.carry_out(path, wait=False)
    assert len(simple.remote.runs) == 2


@pytest.mark.parametrize("last", ["failed", "error", {"status": "completed", "result": ""}])
def test_a_run_that_is_only_waited_for_gets_no_further_attempt(simple, last):
    retry = {"retry": "{maxAttempts: 2, statuses: [failed, error, rejected], backoff: 0s}"}
    simple.task("a", **retry)
    simple.remote.scripts["Write."] = [["executing", "executing", "executing", last]]
    simple.apply(wait=False)
    path = simple.save()
    assert json.loads(path.read_text())["summary"]["paidRuns"] == 0
    simple.carry_out(path)
    assert len(simple.remote.runs) == 1
    assert simple.finished()["a"].effect == "refused"
    assert "the saved plan starts none for it" in simple.finished()["a"].detail


def test_a_run_that_is_planned_gets_the_attempts_of_its_policy(simple):
    simple.task("a", retry="{maxAttempts: 2, statuses: [failed], backoff: 0s}")
    simple.remote.scripts["Write."] = [["failed"], ["completed"]]
    simple.carry_out(simple.save())
    assert len(simple.remote.runs) == 2
    assert simple.finished()["a"].verdict == "accepted"


def test_a_task_that_uses_results_and_is_up_to_date_stays_so(simple):
    simple.task("a")
    simple.task("b", '"Of {{ tasks.a.result }} with {{ vars.token }}"')
    simple.apply()
    simple.task("c", "Then.")
    plan = simple.carry_out(simple.save())
    told = {change.address: (change.action, change.reasons[0].code) for change in plan.changes}
    assert told["b"] == (Action.NONE, "accepted")
    assert len(simple.remote.runs) == 3


@pytest.mark.parametrize("name", ["plan.json", "plan", "plan.txt"])
def test_a_plan_whose_beginning_was_changed_is_no_manifest(simple, name):
    simple.task("a")
    path = simple.save(name=name)
    content = path.read_bytes()
    for changed in (b"z" + content[1:], content[1:], b"\n" + content, b"\xef\xbb\xbf" + content):
        path.write_bytes(changed)
        assert saved.is_saved_plan(str(path))
        with pytest.raises(StaleError, match="the plan is refused"):
            saved.load(path)


def test_a_file_of_json_is_a_plan_whatever_is_in_it(simple):
    path = simple.folder / "plan.json"
    for content in (b"", b"[]", b"\0", b"apiVersion: taskspec/v1"):
        path.write_bytes(content)
        assert saved.is_saved_plan(str(path))
    (simple.folder / "notes.txt").write_bytes(b"apiVersion: taskspec/v1")
    assert not saved.is_saved_plan(str(simple.folder / "notes.txt"))
