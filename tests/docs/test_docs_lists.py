"""Where a page promises a list, it has everything that the code has, and nothing else."""

import ast
import json
import re
from dataclasses import fields

import pytest
from docs_pages import ROOT, blocks, named, page, prose, rows, section

from taskspec import events
from taskspec.desired.callables import BOUNDED, METHODS, TAKEN, TESTS
from taskspec.desired.metering import MAX_TEXT, MAX_WORK
from taskspec.desired.normalising import RUN_RELEVANT
from taskspec.desired.scope import LATER as LATER_NAMES
from taskspec.documents.asserting import NAMES
from taskspec.documents.checking import LATER
from taskspec.events import Effect, Event
from taskspec.expressions.functions import FUNCTIONS
from taskspec.expressions.model import LONGEST
from taskspec.expressions.model import MAX_WORK as OF_ONE
from taskspec.health import Health
from taskspec.judging.asserting import MAX_WORK as OF_ALL
from taskspec.plan import reasons
from taskspec.plan.model import Action
from taskspec.report.exiting import ExitCode, foremost
from taskspec.state.model import Verdict
from taskspec.taskapi.records import AgentExecutionStatus as Status

SCHEMA = json.loads((ROOT / "schemas" / "manifest.v1.json").read_text("utf-8"))
PLAN = json.loads((ROOT / "schemas" / "plan.v1.json").read_text("utf-8"))
MANIFESTS = page("docs/manifests.md")
DEFINITIONS = SCHEMA["$defs"]
TABLES = {
    "A document": SCHEMA["properties"],
    "Metadata of a task": DEFINITIONS["taskMetadata"]["properties"],
    "Metadata of a project": DEFINITIONS["projectMetadata"]["properties"],
    "The spec of a task": DEFINITIONS["taskSpec"]["properties"],
    "The spec of a project": DEFINITIONS["projectSpec"]["properties"],
    "`user`": DEFINITIONS["user"]["properties"],
    "`harness`": DEFINITIONS["harness"]["properties"],
    "`llm`": DEFINITIONS["llm"]["properties"],
    "`retry`": DEFINITIONS["retry"]["properties"],
    "`assertions`": DEFINITIONS["assertion"]["properties"],
    "`remote`": DEFINITIONS["projectSpec"]["properties"]["remote"]["else"]["properties"],
    "`results`": DEFINITIONS["projectSpec"]["properties"]["results"]["properties"],
    "An agent": DEFINITIONS["agent"]["properties"],
    "A variable": DEFINITIONS["variable"]["properties"],
}


def _names(table: str) -> list[str]:
    return [named(row[0])[0] for row in rows(table)]


@pytest.mark.parametrize("heading", TABLES)
def test_every_field_of_the_schema_is_in_its_table(heading):
    assert sorted(_names(section(MANIFESTS, heading))) == sorted(TABLES[heading])


def test_every_definition_with_fields_has_its_table():
    having = [name for name, definition in DEFINITIONS.items() if "properties" in definition]
    assert len(having) == len(TABLES) - 3  # the document itself, `remote` and `results` stand inside others


@pytest.mark.parametrize("name", ["taskSpec", "user", "agent", "taskMetadata", "projectMetadata"])
def test_what_is_required_is_said_to_be(name):
    tables = {"taskSpec": "The spec of a task", "user": "`user`", "agent": "An agent"}
    tables |= {"taskMetadata": "Metadata of a task", "projectMetadata": "Metadata of a project"}
    required = {named(row[0])[0] for row in rows(section(MANIFESTS, tables[name])) if row[2] == "required"}
    assert required == set(DEFINITIONS[name].get("required", ()))


def test_the_words_that_a_field_takes_are_those_of_the_schema():
    for heading, properties in TABLES.items():
        for row in rows(section(MANIFESTS, heading)):
            schema = properties[named(row[0])[0]]
            allowed = schema.get("enum") or schema.get("else", {}).get("enum")
            if allowed and named(row[1]):
                assert named(row[1]) == allowed, row[0]


def test_run_relevant_fields_are_those_of_the_fingerprint():
    marked = {named(row[0])[0] for row in rows(section(MANIFESTS, "The spec of a task")) if row[3] != "no"}
    assert marked == set(RUN_RELEVANT)


@pytest.mark.parametrize(("kind", "begins"), [("Task", "In a task:"), ("Project", "In a project:")])
def test_what_is_refused_as_later_is_listed(kind, begins):
    line = next(line for line in MANIFESTS.splitlines() if line.startswith(begins))
    assert set(named(line)) == LATER[kind]


def test_the_names_that_templates_do_not_see_yet_are_listed():
    line = next(line for line in MANIFESTS.splitlines() if "are refused as not supported yet" in line)
    told = {name.removesuffix("()") for name in named(line)}
    assert told >= LATER_NAMES


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


def test_every_exit_code_is_told_with_its_name():
    table = rows(section(page("docs/exit-codes.md"), "Exit codes"))
    assert [(int(row[0]), row[1]) for row in table] == [(int(code), code.name) for code in ExitCode]


def test_the_order_of_exit_codes_is_the_one_that_holds():
    line = next(line for line in page("docs/exit-codes.md").splitlines() if line.startswith("When several hold"))
    told = [ExitCode(int(number)) for number in re.findall(r"\d+", line)]
    assert set(told) == set(ExitCode) - {ExitCode.USAGE}
    assert [foremost(told[place:]) for place in range(len(told))] == told


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
    tree = ast.parse((ROOT / "taskspec" / "plan" / "reasons.py").read_text("utf-8"))
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    codes = {word for word in words if re.fullmatch(r"[a-z]+(_[a-z]+)+", word)} - {"run_"}
    told = {code for row in rows(section(page("docs/json.md"), "Reasons")) for code in named(row[0])}
    assert told == codes | {"accepted", "run_executing", "run_pending"}
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
    packages = [re.match(r"[\w-]+", requirement)[0] for requirement in project["dependencies"]]
    table = rows(section(page("README.md"), "What it depends on"))
    assert [row[0] for row in table] == packages
    assert all(row[1] for row in table)
