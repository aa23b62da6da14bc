"""Environments and defaults: what is laid over what, what contradicts, and where each part stands."""

import pytest
from test_documents_loading import PROJECT, found, project, said, task, write

from taskspec.documents.loading import load
from taskspec.documents.model import LOCAL, XPANDER, RemoteSpec
from taskspec.errors import UsageError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_environment(folder, name, spec, base=""):
    write(folder, {"taskspec.yaml": f"{PROJECT}{base}  environments:\n    {name}: {spec}\n", "t.yaml": task()})
    return load(folder, name)


def test_an_environment_that_nobody_declares_is_refused_with_the_nearest(folder):
    with pytest.raises(UsageError, match="declares no environment `prdo`") as refused:
        in_environment(folder, "prod", "{}") and load(folder, "prdo")
    assert refused.value.hint == "Did you mean `prod`?"


def test_a_single_file_without_a_project_has_no_environment(folder):
    write(folder, {"t.yaml": task()})
    with pytest.raises(UsageError, match="declares no environment `prod`"):
        load(folder / "t.yaml", "prod")


@pytest.mark.parametrize(
    ("base", "spec", "remote"),
    [
        ("", "{}", RemoteSpec()),
        ("", "{remote: xpander}", RemoteSpec(type=XPANDER)),
        ("  remote: xpander\n", "{remote: {organization: acme}}", RemoteSpec(type=XPANDER, organization="acme")),
        (
            "  remote: {type: xpander, organization: one, apiKey: {env: A}}\n",
            "{remote: {organization: two}}",
            RemoteSpec(type=XPANDER, organization="two", api_key_env="A"),
        ),
        ("  remote: {type: xpander, organization: one}\n", "{remote: local}", RemoteSpec(type=LOCAL)),
        (
            "  remote: {type: xpander, organization: one}\n",
            "{remote: xpander}",
            RemoteSpec(type=XPANDER, organization="one"),
        ),
    ],
)
def test_a_remote_is_laid_over_one_of_its_type_and_replaces_another(folder, base, spec, remote):
    assert in_environment(folder, "prod", spec, base).manifests.project.remote == remote


def test_the_default_environment_sees_nothing_of_the_others(folder):
    in_environment(folder, "prod", "{remote: xpander}")
    assert load(folder).manifests.project.remote == RemoteSpec()
    assert load(folder).manifests.project.results_path == "results"


@pytest.mark.parametrize(
    ("base", "spec", "path"),
    [
        ("", "{}", "results/prod"),
        ("  results: {path: out}\n", "{}", "out/prod"),
        ("  results: {path: out}\n", "{results: {path: live}}", "live"),
    ],
)
def test_each_environment_has_results_of_its_own(folder, base, spec, path):
    assert in_environment(folder, "prod", spec, base).manifests.project.results_path == path


@pytest.mark.parametrize(
    ("base", "spec", "other"),
    [
        ("", "{results: {path: results}}", "default"),
        ("  results: {path: out}\n", "{results: {path: ./out/}}", "default"),
        ("", "{results: {path: live}}\n    beta: {results: {path: live}}", "beta"),
    ],
)
def test_no_two_environments_have_one_folder_for_their_results(folder, base, spec, other):
    (wrong,) = in_environment(folder, "prod", spec, base).diagnostics
    assert (wrong.summary, wrong.position.file) == ("Results folder", "taskspec.yaml")
    assert f"`{other}`" in wrong.detail
    assert "`prod`" in wrong.detail


def test_an_agent_is_laid_over_the_one_of_its_name(folder):
    agents = in_environment(folder, "prod", "{agents: {analyst: {timeout: 5m}, judge: {command: [python, j.py]}}}")
    analyst = agents.manifests.project.agents["analyst"]
    assert (analyst.command, analyst.timeout) == (("python", "analyst.py"), 300)
    assert agents.manifests.project.agents["judge"].command == ("python", "j.py")


def test_an_agent_of_an_environment_replaces_the_way_its_runs_are_carried_out(folder):
    agent = in_environment(folder, "prod", "{agents: {analyst: {worker: true}}}").manifests.project.agents["analyst"]
    assert (agent.command, agent.worker) == ((), True)


def test_trouble_in_an_environment_is_told_at_its_own_place(folder):
    loaded = in_environment(folder, "prod", "{agents: {ghost: {timeout: 5m}, bad: {command: [no-such-program]}}}")
    assert found(loaded) == ["taskspec.yaml:8:21 Missing field", "taskspec.yaml:8:59 Command not found"]


def test_a_value_for_a_variable_that_nobody_declares_is_told_in_every_environment(folder):
    loaded = in_environment(folder, "prod", "{variables: {regoin: x}}", "  variables: {region: {}}\n")
    assert found(loaded) == found(load(folder)) == ["taskspec.yaml:9:24 Undeclared variable"]
    assert "Did you mean `region`?" in said(loaded)


@pytest.mark.parametrize("name", ["default", "engine", "Prod", "-x", "a.b"])
def test_a_name_that_no_environment_can_have_is_refused(folder, name):
    write(folder, {"taskspec.yaml": f"{PROJECT}  environments:\n    {name}: {{}}\n", "t.yaml": task()})
    assert found(load(folder)) == ["taskspec.yaml:8:5 Wrong name"]


LABELLED = """\
apiVersion: taskspec/v1
kind: Task
metadata: {name: one, labels: {team: growth, tier: gold}}
spec: {prompt: Do it.}
"""


def specs(folder, defaults, environment="default", **files):
    write(folder, {"taskspec.yaml": PROJECT + defaults, **{f"{name}.yaml": text for name, text in files.items()}})
    return load(folder, environment)


def test_a_task_begins_with_what_fits_its_labels_over_what_all_begin_with(folder):
    loaded = specs(
        folder,
        "  defaults:\n"
        "    - match: {labels: {team: growth}}\n"
        "      spec: {llm: {name: big}}\n"
        "    - spec: {agent: analyst, llm: {provider: acme, name: small}, files: [a.csv]}\n"
        "    - match: {labels: {team: other}}\n"
        "      spec: {llm: {name: none}}\n",
        one=LABELLED,
    )
    assert found(loaded) == []
    (one,) = loaded.manifests.tasks
    assert one.spec == {
        "agent": "analyst",
        "prompt": "Do it.",
        "llm": {"provider": "acme", "name": "big"},
        "files": ["a.csv"],
    }


def test_every_part_of_a_spec_knows_where_it_stands(folder):
    loaded = specs(
        folder,
        "  defaults:\n    - spec: {agent: analyst, llm: {provider: acme, name: small}}\n",
        one=LABELLED.replace("spec: {", "spec: {llm: {name: mine}, "),
    )
    (one,) = loaded.manifests.tasks
    where = {
        path: str(one.source.position(path)) for path in [("agent",), ("llm", "provider"), ("llm", "name"), ("prompt",)]
    }
    assert where == {
        ("agent",): "taskspec.yaml:8:21",
        ("llm", "provider"): "taskspec.yaml:8:46",
        ("llm", "name"): "one.yaml:4:20",
        ("prompt",): "one.yaml:4:35",
    }
    givers = {path: origin.giver if origin else None for path, origin in one.source.given.items()}
    assert givers == {("agent",): "default", ("llm",): "default", ("llm", "name"): None}


def test_an_environments_defaults_go_over_the_projects(folder):
    loaded = specs(
        folder,
        "  defaults: [{spec: {agent: analyst, timeout: 1m}}]\n"
        "  environments: {prod: {defaults: [{spec: {timeout: 2m}}]}}\n",
        "prod",
        one=LABELLED,
    )
    assert loaded.manifests.tasks[0].policies.timeout == 120
    assert load(folder).manifests.tasks[0].policies.timeout == 60


@pytest.mark.parametrize(
    "entries",
    [
        "[{spec: {timeout: 1m}}, {spec: {timeout: 2m}}]",
        "[{spec: {llm: {name: a}}}, {spec: {llm: {provider: p, name: a}}}]",
        "[{spec: {llm: '{{ vars.x }}'}}, {spec: {llm: {name: a}}}]",
        "[{match: {labels: {team: growth}}, spec: {title: a}}, {match: {labels: {tier: gold}}, spec: {title: a}}]",
    ],
)
def test_two_entries_of_one_rank_that_give_the_same_field_are_an_error(folder, entries):
    loaded = specs(folder, f"  defaults: {entries}\n", one=LABELLED.replace("spec: {", "spec: {agent: analyst, "))
    assert [d.summary for d in loaded.diagnostics] == ["Given twice"]
    assert "taskspec.yaml:7:" in said(loaded)


def test_entries_of_one_rank_for_different_tasks_are_none(folder):
    entries = (
        "[{match: {labels: {tier: gold}}, spec: {timeout: 1m}}, {match: {labels: {tier: silver}}, spec: {timeout: 2m}}]"
    )
    assert (
        found(specs(folder, f"  defaults: {entries}\n", one=LABELLED.replace("spec: {", "spec: {agent: analyst, ")))
        == []
    )


def test_what_is_missing_even_with_defaults_is_told_at_the_task(folder):
    loaded = specs(folder, "  defaults: [{spec: {timeout: 1m}}]\n", one=LABELLED)
    assert found(loaded) == ["one.yaml:4:1 Missing field"]
    assert "`agent`" in said(loaded)


def test_fields_that_contradict_only_together_are_told(folder):
    loaded = specs(
        folder,
        "  defaults: [{spec: {agent: analyst, outputFormat: markdown}}]\n",
        one=LABELLED.replace("spec: {", "spec: {outputSchema: {type: object}, "),
    )
    assert found(loaded) == ["taskspec.yaml:7:52 Contradicting fields"]


def test_a_schema_of_a_task_is_not_mixed_with_one_of_a_default(folder):
    loaded = specs(
        folder,
        "  defaults: [{spec: {agent: analyst, outputSchema: {required: [a]}}}]\n",
        one=LABELLED.replace("spec: {", "spec: {outputSchema: {type: object}, "),
    )
    assert loaded.manifests.tasks[0].spec["outputSchema"] == {"type": "object"}


def test_an_unknown_agent_from_a_default_is_told_where_it_stands(folder):
    loaded = project(folder, "  defaults: [{spec: {agent: nobody}}]\n", {"extract.yaml": LABELLED})
    assert found(loaded) == ["taskspec.yaml:7:29 Unknown agent"]
