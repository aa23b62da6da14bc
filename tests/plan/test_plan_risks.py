"""Risks: what a change means, for each category, and that nothing which does nothing has any."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_worlds import DOCUMENT, HERE, REMOTES, UNHURRIED, attempt, deferred, desired, planned, record, snapshot, task
from test_plan_properties import plan_of, worlds

from taskspec.documents.model import Project, VariableSpec, VariableType
from taskspec.plan.model import IDLE, RiskCategory
from taskspec.plan.risks import Background, background, risks, shunned, with_risks

NOTHING_BEHIND = Background(remote=HERE)
CRM = {"name": "crm", "url": "https://crm.example.com/mcp", "headers": {"Authorization": "(sensitive: x)"}}


def given_spec(made, spec):
    return replace(made, spec={**made.spec, **spec})


def fears(after, before=None, *, behind=NOTHING_BEHIND, former=None, assertions=(), judged=(), **more):
    """Return category and path of each risk of a task, given what of its spec was sent before (None: nothing was)."""
    text = "A" if after == before else "B"
    wanted = given_spec(task(text=text, assertions=assertions, **more), after)
    held = ()
    if before is not None:
        done = attempt(status="completed", verdict="rejected", kept="words", assertions=judged)
        kept = record(attempts=[done])
        held = (replace(kept, generation=replace(kept.generation, spec={**kept.generation.spec, **before})),)
    (change,) = planned(desired(wanted), snapshot(*held)).changes
    found = [(risk.category.value, ".".join(map(str, risk.path))) for risk in risks(change, behind, former)]
    return [one for one in found if one[0] != "new_paid_run"]


def of(category, *paths):
    return [(category, path) for path in paths]


@pytest.mark.parametrize(
    ("after", "before", "paths"),
    [
        ({"mcpServers": [CRM]}, {}, ["mcpServers.0"]),
        ({"mcpServers": [CRM]}, None, ["mcpServers.0"]),
        ({"mcpServers": [CRM]}, {"mcpServers": [CRM]}, []),
        ({"mcpServers": []}, {"mcpServers": [CRM]}, []),
        ({"mcpServers": [{"name": "b"}, CRM]}, {"mcpServers": [CRM]}, ["mcpServers.0"]),
        ({"mcpServers": [{**CRM, "url": "https://crm.example.com/v2"}]}, {"mcpServers": [CRM]}, ["mcpServers.0.url"]),
        ({"mcpServers": [{**CRM, "tools": ["all"]}]}, {"mcpServers": [CRM]}, ["mcpServers.0.tools"]),
        ({"mcpServers": [CRM]}, {"mcpServers": [{**CRM, "tools": ["one"]}]}, ["mcpServers.0.tools"]),
        ({"mcpServers": "(known after a)"}, {}, ["mcpServers"]),
        ({"harness": {"permissionMode": "full"}}, {"harness": {"permissionMode": "gated"}}, ["harness.permissionMode"]),
        ({"harness": {"permissionMode": "full"}}, {}, ["harness.permissionMode"]),
        ({"harness": {"permissionMode": "gated"}}, {"harness": {"permissionMode": "full"}}, []),
        ({"harness": {"permissionMode": "gated"}}, None, []),
        ({}, {"harness": {"permissionMode": "gated"}}, ["harness.permissionMode"]),
        ({"harness": {"permissionMode": "odd"}}, {"harness": {"permissionMode": "full"}}, ["harness.permissionMode"]),
        ({"harness": {"permissionMode": "Full"}}, {"harness": {"permissionMode": "full"}}, []),
        ({"toolCallLimit": 20}, {"toolCallLimit": 10}, ["toolCallLimit"]),
        ({"toolCallLimit": 5}, {"toolCallLimit": 10}, []),
        ({}, {"toolCallLimit": 10}, ["toolCallLimit"]),
        ({"toolCallLimit": 10}, None, ["toolCallLimit"]),
        ({"userTokens": {"crm": "(sensitive: a)"}}, {}, ["userTokens.crm"]),
        ({"userTokens": {"crm": "(sensitive: a)"}}, {"userTokens": {"crm": "(sensitive: a)"}}, []),
        ({"userOidcToken": "(sensitive: a)"}, {}, ["userOidcToken"]),
    ],
)
def test_a_permission_is_widened(after, before, paths):
    found = [one for one in fears(after, before) if one[0] == "permission_widened"]
    assert found == of("permission_widened", *paths)


@pytest.mark.parametrize(
    ("after", "before", "paths"),
    [
        ({"llm": {"name": "large"}}, {"llm": {"name": "small"}}, ["llm"]),
        ({"llm": {"name": "large"}}, {}, ["llm"]),
        ({"agentVersion": "4"}, {"agentVersion": "3"}, ["agentVersion"]),
        ({"thinkMode": "harder"}, {}, ["thinkMode"]),
        ({"agent": "other"}, {}, ["agent"]),
        ({"harness": {"cli": "b"}}, {"harness": {"cli": "a"}}, ["harness.cli"]),
        ({"llm": {"name": "large"}}, None, []),
        ({"prompt": "other"}, {}, []),
    ],
)
def test_another_model_does_the_work(after, before, paths):
    assert fears(after, before) == of("model_changed", *paths)


SCHEMA = {"outputFormat": "json", "outputSchema": {"type": "object"}}


@pytest.mark.parametrize(
    ("after", "before", "paths"),
    [
        ({"outputFormat": "json"}, SCHEMA, ["outputSchema"]),
        ({**SCHEMA, "outputSchema": {}}, SCHEMA, ["outputSchema"]),
        (SCHEMA, {"outputFormat": "json"}, []),
        (SCHEMA, SCHEMA, []),
        ({"outputFormat": "text"}, {"outputFormat": "json"}, ["outputFormat"]),
        (SCHEMA, None, []),
    ],
)
def test_the_form_of_the_answer_is_weaker(after, before, paths):
    assert fears({**after, "prompt": "other"}, before) == of("acceptance_weakened", *paths)


LONG, SHORT = {"minLength": 5}, {"maxLength": 5}


@pytest.mark.parametrize(
    ("assertions", "judged", "former", "weaker"),
    [
        ([], [LONG], None, True),
        ([SHORT], [LONG], None, True),
        ([LONG], [LONG], None, False),
        ([LONG, SHORT], [LONG], None, True),  # nobody knows what was there before
        ([LONG, SHORT], [LONG], [LONG], False),
        ([SHORT], [LONG], [LONG], True),
        ([LONG], [], None, False),
        ([LONG], [], [], False),
    ],
)
def test_assertions_that_changed_are_weaker_unless_it_is_known_that_they_are_not(assertions, judged, former, weaker):
    found = fears({"prompt": "other"}, {}, assertions=assertions, judged=judged, former=former)
    assert found == (of("acceptance_weakened", "assertions") if weaker else [])


def test_judging_a_kept_result_again_by_fewer_assertions_is_a_risk_without_a_run():
    done = attempt(status="completed", verdict="rejected", kept="words", assertions=[{"regex": "nosuch"}])
    held = snapshot(record(attempts=[done]))
    (change,) = planned(desired(task()), held).changes
    assert (change.action, change.paid) == ("rejudge", False)
    assert [risk.category for risk in risks(change, NOTHING_BEHIND)] == ["acceptance_weakened"]


@pytest.mark.parametrize(("former", "categories"), [([LONG, SHORT], ["acceptance_weakened"]), ([LONG], [])])
def test_weaker_assertions_are_a_risk_although_their_task_has_its_result(former, categories):
    done = attempt(status="completed", verdict="accepted", kept="words")
    held = snapshot(record(attempts=[done], accepted=(1, "A")))
    (change,) = planned(desired(replace(task(), assertions=(LONG,))), held).changes
    assert change.action == "none"
    assert [risk.category for risk in risks(change, NOTHING_BEHIND, former)] == categories


TOKEN, OTHER = "(sensitive: vars.token)", "(sensitive: vars.other)"


@pytest.mark.parametrize(
    ("after", "before", "paths"),
    [
        ({"prompt": f"Use {TOKEN}."}, None, ["prompt"]),
        ({"prompt": f"Use {TOKEN}."}, {"prompt": "Use it."}, ["prompt"]),
        ({"prompt": f"Use {TOKEN}!"}, {"prompt": f"Use {TOKEN}."}, []),
        ({"prompt": f"{TOKEN} {OTHER}"}, {"prompt": TOKEN}, ["prompt"]),
        ({"prompt": TOKEN, "additionalContext": TOKEN}, {"prompt": TOKEN}, ["additionalContext"]),
        ({"payloadExtension": {"deep": [{"key": TOKEN}]}}, {}, ["payloadExtension.deep.0.key"]),
        ({"userTokens": {"crm": TOKEN}, "userOidcToken": TOKEN}, {}, []),
        ({"mcpServers": [{**CRM, "headers": {"A": TOKEN}}]}, {}, []),
        ({"mcpServers": [{**CRM, "url": f"https://crm.example.com/?key={TOKEN}"}]}, {}, ["mcpServers.0.url"]),
        ({"prompt": "Use sesame."}, {"prompt": f"Use {TOKEN}."}, ["prompt"]),
        ({"prompt": "Use."}, {"prompt": f"Use. {TOKEN}"}, []),
        ({"prompt": f"Use {TOKEN[:-1]} | upper)."}, {"prompt": "Use it."}, ["prompt"]),
    ],
)
def test_a_secret_is_exposed(after, before, paths):
    found = [one for one in fears(after, before) if one[0] == "secret_exposed"]
    assert found == of("secret_exposed", *paths)


@pytest.mark.parametrize(
    ("environ", "prompt", "is_exposed"),
    [
        ({"CRM_TOKEN": "sesame-1"}, "Use sesame-1.", True),
        ({"REGION": "sesame-1"}, "Use sesame-1.", False),
        ({"CRM_TOKEN": "sesame-1"}, "Use nothing.", False),
        ({"DB_PWD": "x"}, "An x.", False),
        ({"AWS_SECRET_ACCESS_KEY": "0123456789"}, "Use 0123456789.", True),
        ({"MONKEY": "bananas"}, "Eat bananas.", False),
    ],
)
def test_an_environment_variable_that_is_a_secret_by_its_name_is_exposed(environ, prompt, is_exposed):
    behind = replace(NOTHING_BEHIND, environ=environ)
    assert fears({"prompt": prompt}, behind=behind) == (of("secret_exposed", "prompt") if is_exposed else [])


def test_what_is_not_rendered_yet_names_its_secrets():
    text = "{{ vars.token }} {{ env['CRM_TOKEN'] }} {{ vars.region }} {{ tasks.a.result }}"
    wanted = given_spec(deferred("d", uses=["a"]), {"prompt": text})
    change = planned(desired(task("a"), wanted), snapshot()).changes[1]
    behind = replace(NOTHING_BEHIND, environ={"CRM_TOKEN": "x"}, sensitive=frozenset({"token"}))
    found = [risk.text for risk in risks(change, behind) if risk.category is RiskCategory.SECRET_EXPOSED]
    assert [text.split("`")[1] for text in found] == ["vars.token", "CRM_TOKEN"]


@pytest.mark.parametrize(
    ("spec", "known", "paths"),
    [
        ({"files": ["https://a.example/x.csv", "https://a.example/y.csv"]}, [], ["files.0"]),
        ({"files": ["https://A.example/x.csv"]}, ["a.example"], []),
        ({"files": [{"path": "data.csv", "sha256": "0"}, "https://b.example/"]}, ["a.example"], ["files.1"]),
        ({"files": ["https://a.example:8443/x"]}, ["a.example"], ["files.0"]),
        ({"mcpServers": [{"name": "s", "url": "wss://c.example/"}]}, [], ["mcpServers.0.url"]),
        ({"mcpServers": [{"name": "s", "url": "(sensitive: vars.url)"}]}, [], ["mcpServers.0.url"]),
        ({"mcpServers": [{"name": "s", "command": "x"}]}, [], []),
        ({"files": "(known after a)"}, ["a.example"], ["files"]),
    ],
)
def test_data_goes_to_a_host_that_no_recorded_task_names(spec, known, paths):
    behind = replace(NOTHING_BEHIND, hosts=frozenset(known))
    found = [one for one in fears(spec, behind=behind) if one[0] == "data_to_new_host"]
    assert found == of("data_to_new_host", *paths)


ENDED = attempt(status="failed", verdict="failed")


@pytest.mark.parametrize(
    ("held", "remote", "is_new"),
    [
        ([], "here", False),
        ([record(attempts=[ENDED])], "another engine", False),
        ([record(attempts=[ENDED])], "another remote", True),
        ([record("b", attempts=[attempt(address="b")])], "another remote", True),
        ([record("b", attempts=[attempt(address="b", remote="another remote")])], "another remote", False),
        ([record(attempts=[attempt(sending="refused")])], "another remote", False),
    ],
)
def test_a_task_goes_to_another_remote(held, remote, is_new):
    wanted, kept = desired(task(text="B")), snapshot(*held)
    plan = planned(wanted, kept, remote=REMOTES[remote], selected={"a"})
    behind = background(wanted.project, kept.records, REMOTES[remote], {})
    (change,) = plan.changes
    assert ("data_to_new_host" in {risk.category for risk in risks(change, behind)}) is is_new


def test_a_run_is_paid_for_and_perhaps_once_more():
    held = snapshot(record(attempts=[attempt(status="completed", verdict="accepted")], accepted=(1, "A")))
    (change,) = planned(desired(task(text="B", side_effects=True)), held).changes
    found = [risk.category for risk in risks(change, NOTHING_BEHIND)]
    assert found == ["new_paid_run", "rerun_of_accepted", "side_effects"]


def test_a_text_that_reached_no_agent_is_not_what_was_sent_before():
    refused = record(text="A", generation=1, attempts=[attempt(sending="refused")])
    wide = {"harness": {"permissionMode": "full"}}
    kept = replace(refused, generation=replace(refused.generation, spec={**refused.generation.spec, **wide}))
    (change,) = planned(desired(given_spec(task(), wide)), snapshot(kept)).changes
    assert [risk.category for risk in risks(change, NOTHING_BEHIND)] == ["new_paid_run", "permission_widened"]


def test_the_background_is_what_runs_have_been_sent_with():
    variable = VariableSpec(name="token", type=VariableType.STRING, sensitive=True, position=DOCUMENT.position())
    project = Project(name="p", folder="/p", data_folder="/p/.taskspec", variables={"token": variable})
    sent, refused = record(attempts=[attempt()]), record("b", attempts=[attempt(address="b", sending="refused")])
    named = {"files": ["https://a.example/"]}
    held = [replace(one, generation=replace(one.generation, spec=named)) for one in (sent, refused)]
    found = background(project, snapshot(*held).records, HERE, {"A": "b"})
    assert found.hosts == {"a.example"}
    assert found.sensitive == {"token"}
    assert [remote.type for remote in found.remotes] == ["local"]
    unsent = background(project, snapshot(held[1]).records, HERE, {})
    assert (unsent.hosts, unsent.remotes) == (frozenset(), ())


@UNHURRIED
@given(worlds())
def test_only_what_does_something_has_risks_and_every_paid_run_has_one(world):
    plan = with_risks(plan_of(world), NOTHING_BEHIND)
    for change in plan.changes:
        categories = {risk.category for risk in change.risks}
        assert not categories or change.action not in IDLE or categories == {RiskCategory.ACCEPTANCE_WEAKENED}
        assert not categories or change.action != "hold"
        assert (RiskCategory.NEW_PAID_RUN in categories) is (change.paid and change.task is not None)
        assert change.paid or categories <= {RiskCategory.ACCEPTANCE_WEAKENED}
        again = change.paid and change.record is not None and change.record.accepted is not None
        assert (RiskCategory.RERUN_OF_ACCEPTED in categories) is again


@UNHURRIED
@given(worlds(), st.sets(st.sampled_from([*map(str, RiskCategory), "any"])))
def test_a_plan_is_refused_for_just_the_risks_that_are_not_to_be_taken(world, categories):
    plan = with_risks(plan_of(world), NOTHING_BEHIND)
    found = {(one.limit, address) for one in shunned(plan.changes, categories) for address in one.addresses}
    assert found == {
        (str(risk.category), change.address)
        for change in plan.changes
        for risk in change.risks
        if "any" in categories or risk.category in categories
    }


def test_the_command_line_offers_every_category():
    from taskspec.cli.options import RISKS

    assert set(RISKS) == {*map(str, RiskCategory), "any"}
