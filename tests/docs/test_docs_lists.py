"""Where a page promises a list, it has everything that the code has, and nothing else."""

import ast
import json
import re
import runpy
from dataclasses import fields

import pytest
from docs_pages import ROOT, blocks, named, page, prose, rows, section

from taskspec import events
from taskspec.desired import assigning
from taskspec.desired.callables import BOUNDED, METHODS, TAKEN, TESTS
from taskspec.desired.dating import LETTERS
from taskspec.desired.depending import CARRYING
from taskspec.desired.deriving import DERIVING
from taskspec.desired.including import MAX_PROJECT_TEXT
from taskspec.desired.metering import MAX_DEPTH, MAX_TEXT, MAX_WORK
from taskspec.desired.normalising import RUN_RELEVANT
from taskspec.desired.references import MEMBERS
from taskspec.desired.rendering import MAX_INCLUDES
from taskspec.desired.scope import unknown_name
from taskspec.documents.asserting import NAMES
from taskspec.documents.violating import LATER
from taskspec.events import Effect, Event, RoundOutcome
from taskspec.expressions.functions import FUNCTIONS
from taskspec.expressions.model import LONGEST
from taskspec.expressions.model import MAX_WORK as OF_ONE
from taskspec.health import Health
from taskspec.judging.asserting import MAX_WORK as OF_ALL
from taskspec.plan import reasons
from taskspec.plan.model import Action
from taskspec.report.exiting import ExitCode, foremost
from taskspec.runner.starter import PROGRAMS
from taskspec.selecting.model import NEVER, Comparison
from taskspec.selecting.parsing import METHODS as SELECTORS
from taskspec.selecting.parsing import parse
from taskspec.state.model import Verdict
from taskspec.taskapi.records import AgentExecutionStatus as Status

SCHEMA = json.loads((ROOT / "schemas" / "manifest.v1.json").read_text("utf-8"))
PLAN = json.loads((ROOT / "schemas" / "plan.v1.json").read_text("utf-8"))
MANIFESTS = page("docs/manifests.md")
REFERENCE = page("docs/reference.md")
HEADINGS = re.findall(r"^#+ (.+)$", prose(REFERENCE), re.MULTILINE)
SECTIONS = {heading: rows(section(REFERENCE, heading)) for heading in HEADINGS}
SPEC = SCHEMA["$defs"]["taskSpec"]["properties"]


def _names(table: str) -> list[str]:
    return [named(row[0])[0] for row in rows(table)]


def _objects(node):
    """Yield every schema that declares fields, wherever it stands; examples and conditions declare none."""
    if isinstance(node, list):
        for item in node:
            yield from _objects(item)
    elif isinstance(node, dict):
        if isinstance(node.get("properties"), dict) and "$ref" not in node:
            yield node
        for key, value in node.items():
            if key not in {"examples", "default", "if"}:
                yield from _objects(value)


OBJECTS = list(_objects({k: v for k, v in SCHEMA.items() if k != "allOf"}))


def _sections_of(schema) -> list[list[list[str]]]:
    """Return the tables that have exactly the fields of a schema."""
    return [
        table
        for table in SECTIONS.values()
        if sorted(named(row[0])[0] for row in table) == sorted(schema["properties"])
    ]


def test_the_reference_is_up_to_date():
    made = runpy.run_path(str(ROOT / "docs" / "make_reference.py"))["page"]()
    assert made == REFERENCE, "run `python docs/make_reference.py`"


def test_whatever_the_schema_names_is_in_a_table_of_the_reference():
    assert len(OBJECTS) > 10
    for schema in OBJECTS:
        assert _sections_of(schema), f"no table has {list(schema['properties'])}"


def test_what_the_schema_requires_is_said_to_be_required():
    for schema in OBJECTS[1:]:  # the document itself requires other fields of a task than of a project
        told = [{named(row[0])[0] for row in table if row[2] == "required"} for table in _sections_of(schema)]
        assert set(schema.get("required", ())) in told, schema["properties"].keys()


def test_the_words_that_a_field_takes_are_those_of_the_schema():
    checked = 0
    for schema in OBJECTS[1:]:
        for row in [row for table in _sections_of(schema) for row in table]:
            field = schema["properties"][named(row[0])[0]]
            allowed = field.get("enum") or field.get("else", {}).get("enum")
            if allowed:
                assert named(row[1]) == allowed, row[0]
                checked += 1
    assert checked > 5


def test_every_task_field_says_whether_it_is_run_relevant():
    assert [name for name, field in SPEC.items() if "runRelevant" not in field] == []


def test_run_relevant_fields_are_those_of_the_fingerprint():
    assert {name for name, field in SPEC.items() if field["runRelevant"] is not False} == set(RUN_RELEVANT)
    assert {named(row[0])[0] for row in SECTIONS["`task.spec`"] if row[3] != "no"} == set(RUN_RELEVANT)


def test_no_field_is_refused_as_one_of_later_versions_that_the_page_does_not_list():
    assert not any(LATER.values())


def test_what_policies_see_and_what_a_plan_can_be_refused_for_is_told():
    from taskspec.documents.denying import NAMES as SEEN
    from taskspec.plan.model import Affected, RiskCategory
    from taskspec.runner.guarding import OVERRIDABLE

    guards = page("docs/guards.md")
    told = {named(row[0])[0].partition(".")[0] for row in rows(section(guards, "Policies of a project"))}
    assert told == set(SEEN)
    assert _names(section(guards, "Risks")) == [str(category) for category in RiskCategory]
    listed = rows(section(guards, "What holds a plan back"))
    assert {word.removeprefix("--override ") for row in listed for word in named(row[3])} - {"NAME"} == set(OVERRIDABLE)
    assert _names(section(page("docs/selectors.md"), "Partial plans")) == [str(why) for why in Affected]


def test_the_names_that_templates_see_are_listed():
    said = unknown_name("zzz", {}).detail
    seen = set(named(said)) - {"zzz"}
    assert {named(row[0])[0] for row in rows(section(MANIFESTS, "Templates"))} == seen


def test_what_templates_see_of_other_tasks_is_listed():
    assert {named(row[0])[0].rpartition(".")[2] for row in rows(section(MANIFESTS, "Results in templates"))} == set(
        MEMBERS
    )


def test_the_fields_that_may_carry_results_are_listed():
    line = next(line for line in MANIFESTS.splitlines() if line.startswith("Results can stand in"))
    assert set(named(line.partition(":")[0])) == CARRYING


def test_who_gives_a_variable_its_value_is_told_in_order():
    order = re.search(r"The precedence is (.*)\. How", assigning.__doc__)
    assert order
    told = [row[0].replace("`", "") for row in rows(section(MANIFESTS, "Who gives the value"))]
    assert told == [word.replace("`", "").replace("_x", "_NAME") for word in order[1].split(" < ")]


def test_what_an_environment_lays_over_the_project_is_told():
    table = [name for row in rows(section(MANIFESTS, "Environments")) for name in named(row[0])]
    assert {name.partition(".")[0] for name in table} == set(SCHEMA["$defs"]["environment"]["properties"])


@pytest.mark.parametrize(
    ("begins", "known"),
    [
        ("Allowed filters:", TAKEN | BOUNDED.keys()),
        ("Allowed tests:", {test for test in TESTS if test.isalpha()}),
        ("Allowed methods of texts:", METHODS[str]),
        ("Allowed methods of lists:", METHODS[list]),
        ("Allowed methods of maps:", METHODS[dict]),
    ],
)
def test_what_templates_may_call_is_listed(begins, known):
    line = next(line for line in MANIFESTS.splitlines() if line.startswith(begins))
    assert set(named(line)) == set(known)


def test_the_functions_of_expressions_are_listed():
    line = next(line for line in MANIFESTS.splitlines() if line.startswith("Functions:"))
    assert named(line) == sorted(FUNCTIONS)


def test_the_names_that_assertions_see_and_the_limits_of_expressions_are_told():
    told = section(MANIFESTS, "Expressions")
    assert set(NAMES) <= set(named(told))
    assert all(f"{limit:,}" in told for limit in (LONGEST, OF_ONE, OF_ALL))


def test_the_limits_of_templates_are_those_of_the_meter():
    assert f"{MAX_TEXT:,} characters" in MANIFESTS
    assert f"{MAX_WORK:,} units" in MANIFESTS
    assert f"call each other {MAX_DEPTH} deep" in MANIFESTS
    assert f"include each other {MAX_INCLUDES} deep" in MANIFESTS
    assert MAX_PROJECT_TEXT == 2**20


def test_the_filters_of_taskspec_are_told():
    table = rows(section(MANIFESTS, "Filters of taskspec"))
    told = {name.partition("(")[0] for row in table for name in named(row[0])}
    engines_own = {"indent", "join", "replace", "round"}
    assert told == BOUNDED.keys() - engines_own


def test_the_filters_that_take_secrets_are_told():
    line = next(line for line in MANIFESTS.splitlines() if line.startswith("`b64decode` "))
    assert set(named(line.partition(":")[0])) == DERIVING - {"fromjson"}


def test_the_letters_of_dates_are_told():
    told = re.findall(r"`%(.)`", section(MANIFESTS, "Filters of taskspec"))
    assert set(told) == set(LETTERS)


def test_the_agents_that_init_offers_are_told_with_their_commands_and_keys():
    table = [[named(cell)[0] for cell in row] for row in rows(section(page("docs/tools.md"), "A new project"))]
    assert table == [[program.name, " ".join(program.command), *program.keys] for program in PROGRAMS]


def test_every_exit_code_is_told_with_its_name():
    table = rows(section(page("docs/exit-codes.md"), "Exit codes"))
    assert [(int(row[0]), row[1]) for row in table] == [(int(code), code.name) for code in ExitCode]


def test_the_order_of_exit_codes_is_the_one_that_holds():
    line = next(line for line in page("docs/exit-codes.md").splitlines() if line.startswith("When several hold"))
    told = [ExitCode(int(number)) for number in re.findall(r"\d+", line)]
    assert set(told) == set(ExitCode) - {ExitCode.USAGE}
    assert [foremost(told[place:]) for place in range(len(told))] == told


def test_every_outcome_of_a_round_is_told():
    assert _names(section(page("docs/json.md"), "Rounds")) == [str(outcome) for outcome in RoundOutcome]


def test_every_event_is_told_with_its_fields():
    table = {named(row[0])[0]: row[1] for row in rows(section(page("docs/json.md"), "Events"))}
    known = {
        kind.__name__: kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)
    }
    del known["Event"]
    assert table == {name: ", ".join(field.name for field in fields(kind)) for name, kind in known.items()}


def test_every_effect_is_told():
    told = next(part for part in page("docs/json.md").split("\n\n") if part.startswith("The `effect`"))
    assert set(named(told)) - {"effect"} == set(Effect)


def test_every_reason_is_told():
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "taskspec" / "plan").glob("*reasons.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    codes = {word for word in words if re.fullmatch(r"[a-z]+(_[a-z]+)+", word)} - {"run_"}
    told = {code for row in rows(section(page("docs/json.md"), "Reasons")) for code in named(row[0])}
    assert told == codes | {"accepted", "moved", "run_executing", "run_pending"}
    assert reasons.accepted.__doc__


def test_the_glossary_has_every_action_verdict_health_and_status():
    glossary = page("docs/glossary.md")
    actions = {word for row in rows(section(glossary, "Actions")) for word in row[0].split(", ")}
    assert actions == set(Action) == set(PLAN["$defs"]["action"]["enum"])
    assert {row[0] for row in rows(section(glossary, "Verdicts"))} == set(Verdict)
    assert set(Health) <= set(named(section(glossary, "Health")))
    assert {status for status in Status if status != "unknown"} <= set(named(section(glossary, "Statuses")))


def test_the_layers_are_those_that_are_checked():
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    checked = re.search(r"^layers = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert checked
    shown = next(block for block in blocks(page("docs/architecture.md")) if block.language == "layers")
    assert shown.text.splitlines() == re.findall(r'"(.+)"', checked[1])


def test_every_room_and_every_single_module_is_told():
    text = page("docs/architecture.md")
    package = ROOT / "taskspec"
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    assert set(_names(section(text, "The rooms"))) == rooms
    single = {path.stem for path in package.glob("*.py")} - {"__init__", "__main__"}
    line = next(line for line in text.splitlines() if line.startswith("Beside them"))
    assert set(named(line)) == single


def test_every_module_that_a_page_names_exists():
    for name in ("docs/architecture.md", "docs/life-of-a-task.md", "docs/protocol.md"):
        for room, module in re.findall(r"`(\w+)\.(\w+)(?:\.\w+)*`", prose(page(name))):
            if (ROOT / "taskspec" / room).is_dir() and module != "db":
                there = ROOT / "taskspec" / room / module
                assert there.is_dir() or there.with_suffix(".py").exists(), f"{name}: {room}.{module}"


def test_every_runtime_dependency_has_its_reason():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [one for extra, some in project["optional-dependencies"].items() if extra != "dev" for one in some]
    packages = [re.match(r"[\w-]+", requirement)[0] for requirement in (*project["dependencies"], *extras)]
    table = rows(section(page("README.md"), "What it depends on"))
    assert [row[0] for row in table] == sorted(packages)
    assert all(row[1] for row in table)


def test_the_selectors_of_the_page_are_those_that_are_understood():
    text = page("docs/selectors.md")
    known = {f"state:{way}" for way in Comparison} | {f"{method}:" for method in SELECTORS}
    told = set(named(prose(text)))
    assert all(any(word.startswith(selector) for word in told) for selector in known)
    assert {str(verdict) for verdict in Verdict} | {NEVER} <= told
    for word in (row[0] for row in rows(text)):
        for selector in named(word):
            words, _, exclude = selector.partition(" --exclude ")
            assert parse([words], [exclude] if exclude else []).words
