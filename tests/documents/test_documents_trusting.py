"""Whose settings hold: those of the base, whatever a change request says; and that no value of them is told."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.diagnostics import Position
from taskspec.documents.model import (
    AgentSpec,
    Budget,
    Limits,
    PlanPolicy,
    Project,
    RemoteSpec,
    VariableSpec,
    VariableType,
)
from taskspec.documents.places import LOCAL_PLACE
from taskspec.documents.trusting import (
    Base,
    alike_hidden,
    allowed,
    distrusted,
    filled,
    guarded_by,
    trusted,
    unlike,
)

names = st.sampled_from(["a", "b", "c"])
texts = st.sampled_from(["x", "y", "z"])
counts = st.none() | st.integers(0, 3)


def variable(name, *, sensitive=False, **more):
    place = Position(file="taskspec.yaml", line=1, column=1)
    return VariableSpec(
        name=name, type=more.pop("kind", VariableType.STRING), sensitive=sensitive, position=place, **more
    )


def agent(name, word, env):
    return AgentSpec(name=name, command=(word,), env_allow=tuple(env))


@st.composite
def projects(draw):
    made = draw(st.dictionaries(names, st.tuples(texts, st.lists(texts, max_size=2)), max_size=3))
    variables = draw(st.dictionaries(names, st.booleans(), max_size=3))
    return Project(
        name=draw(texts),
        folder="/p",
        data_folder="/p/.taskspec",
        remote=RemoteSpec(
            type=draw(st.sampled_from(["local", "xpander"])),
            base_url=draw(st.none() | texts),
            organization=draw(st.none() | texts),
            api_key_env=draw(st.none() | texts),
        ),
        state=draw(texts),
        agents={name: agent(name, *parts) for name, parts in made.items()},
        variables={name: variable(name, sensitive=sensitive) for name, sensitive in variables.items()},
        limits=Limits(max_create=draw(counts), max_stop=draw(counts)),
        budget=Budget(max_runs=draw(counts)),
        policies=tuple(PlanPolicy(name=name, deny=text) for name, text in draw(st.dictionaries(names, texts)).items()),
        env_allow=tuple(draw(st.sets(names))),
    )


def trust_of(project):
    return (
        project.name,
        project.remote,
        project.state,
        project.agents,
        project.limits,
        project.budget,
        project.policies,
    )


@given(projects(), projects(), st.sets(names))
def test_whatever_is_proposed_the_settings_of_the_base_hold(proposed, held, given_names):
    base = Base(revision="main", project=held)
    found = trusted(proposed, base, given_names)
    assert trust_of(found) == trust_of(held)
    assert found.folder == proposed.folder
    for name, spec in found.variables.items():
        was = held.variables.get(name)
        assert spec.sensitive == (
            proposed.variables[name].sensitive or (was.sensitive if was is not None else name in given_names)
        )
    assert set(guarded_by(found, base).env_allow) == set(held.env_allow)


@given(projects(), projects())
def test_templates_see_no_more_of_the_environment_than_the_base_allows(proposed, held):
    environ = dict.fromkeys("abc", "canary") | {"PATH": "canary"}
    seen = allowed(environ, proposed, Base(revision="main", project=held))
    assert {name for name, value in seen.items() if "canary" in value} <= set(held.env_allow)
    assert set(proposed.env_allow) <= seen.keys()


@given(projects(), projects())
def test_what_differs_is_told_and_nothing_else(proposed, held):
    base = Base(revision="main", project=held)
    found = distrusted(proposed, base)
    loosened = any(
        one.sensitive and name in proposed.variables and not proposed.variables[name].sensitive
        for name, one in held.variables.items()
    )
    is_alike = trust_of(proposed) == trust_of(held) and set(proposed.env_allow) == set(held.env_allow)
    assert bool(found) == (not is_alike or loosened)
    assert not distrusted(trusted(replace(proposed, env_allow=held.env_allow), base, ()), base)


@given(projects(), st.sets(names))
def test_without_a_project_in_the_base_nothing_is_trusted(proposed, given_names):
    base = Base(revision="main")
    found = guarded_by(trusted(proposed, base, given_names), base)
    assert (found.remote, found.state, found.agents, found.env_allow) == (RemoteSpec(), LOCAL_PLACE, {}, ())
    assert all(one.sensitive for name, one in found.variables.items() if name in given_names)
    assert all("canary" not in value for value in allowed(dict.fromkeys("abc", "canary"), proposed, base).values())


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"remote": RemoteSpec(type="xpander", base_url="https://evil.test")}, "remote.type"),
        ({"state": "s3://elsewhere/x"}, "state"),
        ({"env_allow": ("HOME",)}, "env.allow"),
        ({"agents": {"a": AgentSpec(name="a", command=("evil",))}}, "agents.a"),
        ({"budget": Budget(max_runs=9)}, "budget.maxRuns"),
        ({"name": "other"}, "metadata.name"),
        ({"variables": {"token": variable("token")}}, "variables.token.sensitive"),
    ],
)
def test_a_saved_plan_with_other_settings_than_the_documents_is_told(change, name):
    held = Project(name="p", folder="/p", data_folder="/p", variables={"token": variable("token", sensitive=True)})
    assert name in unlike(replace(held, **change), held)
    assert name in unlike(held, replace(held, **change))
    assert not unlike(held, held)


def test_what_guards_a_plan_is_not_in_a_saved_one():
    held = Project(name="p", folder="/p", data_folder="/p", limits=Limits(max_create=1))
    assert not unlike(replace(held, limits=Limits()), held)


@pytest.mark.parametrize("kind", VariableType)
def test_every_variable_without_a_value_gets_one_that_stands_for_it(kind):
    given_one = variable("given", has_default=True, default="x")
    project = Project(
        name="p", folder="/p", data_folder="/p", variables={"a": variable("a", kind=kind), "given": given_one}
    )
    found = filled(project).variables
    assert found["a"].has_default
    assert found["given"] is given_one


def test_what_is_a_secret_now_is_one_before_too():
    before = Project(name="p", folder="/p", data_folder="/p", variables={"a": variable("a"), "b": variable("b")})
    now = replace(before, variables={"a": variable("a", sensitive=True)})
    found = alike_hidden(before, now).variables
    assert (found["a"].sensitive, found["b"].sensitive) == (True, False)


@pytest.mark.parametrize("more", [{"pattern": "^s"}, {"enum": ("s",)}, {"kind": VariableType.INTEGER}])
@pytest.mark.parametrize("was", [variable("key", sensitive=True, pattern="^.{8}$"), variable("key"), None])
def test_no_guess_at_a_secret_is_answered(more, was):
    proposed = Project(
        name="a", folder="/p", data_folder="/d", variables={"key": variable("key", sensitive=True, **more)}
    )
    base = Base(revision="main", project=replace(proposed, variables={} if was is None else {"key": was}))
    found = trusted(proposed, base, {"key"}).variables["key"]
    asked = was or variable("key")
    assert (found.type, found.enum, found.pattern) == (asked.type, asked.enum, asked.pattern)
    assert found.sensitive
    assert distrusted(proposed, base) == (("variables.key",) if was is not None and was.sensitive else ())


def test_where_there_was_no_project_no_guess_is_answered_either():
    proposed = Project(name="a", folder="/p", data_folder="/d", variables={"key": variable("key", pattern="^s")})
    assert trusted(proposed, Base(revision="main"), {"key"}).variables["key"].pattern == ""
