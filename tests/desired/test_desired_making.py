"""What a task was made of, and where a rendered character is written."""

import pytest

from taskspec.desired.ingredients import result_of
from taskspec.desired.segmenting import line_of

HEAD = "kind: Task\nmetadata: {name: one}\nspec:\n  agent: writer\n"


def task(workshop, prompt, **given):
    body = "".join(f"    {line}\n" for line in prompt.split("\n"))
    return workshop.resolve(f"{HEAD}  prompt: |\n{body}", **given).task


@pytest.fixture
def full(workshop, written):
    """A project with variables and files."""
    workshop.declare("region", default="emea")
    workshop.declare("tone", default="plain")
    workshop.declare("missing")
    workshop.declare("house", "map", default={"voice": "calm", "currency": "EUR"})
    written("notes.md", b"notes")
    written("plain.md", b"plain")
    written("part.md", b"in {{ vars.region }}")
    written("macros/words.md", b"{% macro hi(tone) %}{{ tone }}{% endmacro %}")
    return workshop


USED = {
    "no template": [],
    "{{ vars.region }}": ["vars.region"],
    "{{ vars['region'] }}": ["vars.region"],
    "{{ vars.house.voice }}": ["vars.house.voice"],
    "{{ vars.house | tojson }}": ["vars.house"],
    "{% for name, value in vars.house.items() %}{{ name }}{% endfor %}": ["vars.house"],
    "{% set v = vars %}{{ v.region }}": ["vars.region"],
    "{% if vars.region == 'emea' %}{{ vars.tone }}{% else %}{{ vars.house }}{% endif %}": ["vars.region", "vars.tone"],
    "{{ vars.missing | default('x') }}": ["vars.missing"],
    "{{ vars.get('region') }}": ["vars", "vars.region"],
    "{{ project.name }}": ["project.name"],
    "{{ file('notes.md') }}": ["file:notes.md"],
    "{{ file(vars.tone ~ '.md') }}": ["file:plain.md", "vars.tone"],
    "{% include 'part.md' %}": ["file:part.md", "vars.region"],
    "{% import 'words.md' as words %}{{ words.hi(vars.tone) }}": ["file:macros/words.md", "vars.tone"],
}


@pytest.mark.parametrize("prompt", USED)
def test_the_names_that_a_template_used_are_told_and_no_others(full, prompt):
    assert [name for name in task(full, prompt).inputs if not name.startswith("text.")] == USED[prompt]


def test_an_input_has_a_digest_of_its_value_and_who_gave_it(workshop):
    workshop.declare("region", default="emea")
    one = task(workshop, "{{ vars.region }}").inputs["vars.region"]
    same = task(workshop, "{{ vars.region }}", cli={"region": "emea"}).inputs["vars.region"]
    other = task(workshop, "{{ vars.region }}", cli={"region": "apac"}).inputs["vars.region"]
    assert (one.giver, same.giver) == ("default", "--var")
    assert one.digest == same.digest != other.digest


@pytest.mark.parametrize("prompt", ["{{ vars.token }}", "{{ vars.keys | tojson }}", "{{ vars.token | b64encode }}"])
def test_of_a_secret_there_is_no_digest(workshop, prompt):
    workshop.declare("token", default="canary", sensitive=True)
    workshop.declare("keys", "map", default={"crm": "canary"}, sensitive=True)
    inputs = task(workshop, prompt).inputs
    assert {one.digest for name, one in inputs.items() if name.startswith("vars")} == {""}


def test_of_what_is_used_for_a_secret_alone_there_is_no_digest(workshop):
    workshop.declare("login", default="ada")
    workshop.declare("pin", default="4711")
    (workshop.folder / "token.txt").write_text("4711")
    fields = """prompt: "{{ vars.login }}"
userTokens: {crm: "{{ vars.login }}:{{ vars.pin }}:{{ file('token.txt') }}"}
mcpServers:
  - {name: m, url: "https://m.test/{{ vars.region }}", headers: {a: "{{ vars.pin }}"}}"""
    workshop.declare("region", default="emea")
    inputs = workshop.spec(fields).task.inputs
    assert {name for name, one in inputs.items() if not one.digest} == {"vars.pin", "file:token.txt"}
    assert {"vars.login", "vars.region"} < inputs.keys()


def test_the_template_of_a_secret_field_has_no_digest(workshop):
    workshop.declare("token", default="canary")
    made = workshop.spec("userTokens: {crm: 'Bearer {{ vars.token }} abc'}").task
    assert "text.userTokens.crm" not in made.inputs


HEADER = "mcpServers: [{name: s, url: 'https://{{ vars.region }}.example.com', headers: {a: '{{ vars.token }}'}}]"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (HEADER, ["vars.region"]),
        ("userTokens: {crm: '{{ vars.token }} {{ vars.region }}'}", []),
        ("userTokens: {crm: '{{ vars.token }}'}\nprompt: '{{ vars.token }}'", ["vars.token"]),
        ("mcpServers: '{{ vars.servers }}'", []),
    ],
)
def test_what_stands_only_where_secrets_belong_has_no_digest(workshop, fields, told):
    workshop.declare("token", default="canary")
    workshop.declare("region", default="emea")
    workshop.declare("servers", "list", default=[{"headers": {"a": "canary"}}])
    inputs = workshop.spec(fields).task.inputs
    assert [name for name, one in inputs.items() if one.digest and name.startswith("vars")] == told


@pytest.mark.parametrize(
    ("fields", "found", "place"),
    [
        ("prompt: |\n  One {{ vars.region }} two.\n  Three.", "Three", "tasks.yaml:7:5"),
        ("prompt: |\n  One {{ vars.region }} two.\n  Three.", "two", "tasks.yaml:6:27"),
        ("prompt: |\n  One {{ vars.region }} two.\n  Three.", "emea", "tasks.yaml:6:9"),
        ("prompt: >\n  One\n  {{ vars.region }}\n  two.", "two", "tasks.yaml:8:5"),
        ("prompt: 'It''s {{ vars.region }} two'", "two", "tasks.yaml:5:36"),
        ("prompt: |\n  {% if vars.region %}\n  Yes.\n  {% endif %}\n  Two.", "Two", "tasks.yaml:9:5"),
        ("prompt: |\n  {% if vars.region %}\n  Yes.\n  {% endif %}\n  Two.", "Yes", "tasks.yaml:7:5"),
        ("prompt: |\n  One.\n  Two.", "Two", "tasks.yaml:7:5"),
    ],
)
def test_a_rendered_character_is_found_where_it_is_written(workshop, monkeypatch, fields, found, place):
    workshop.declare("region", default="emea")
    text = HEAD + "".join(f"  {line}\n" for line in fields.split("\n"))
    (workshop.folder / "tasks.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(workshop.folder)
    made = workshop.resolve(text).task
    prompt = made.spec["prompt"]
    assert str(made.making.position(("prompt",), prompt, prompt.index(found))) == place


def test_the_line_with_most_literal_text_is_the_one_that_gave_a_rendered_one():
    template = "{{ a }}\nDear {{ name }},\nDear {{ name }}, dear\n"
    assert line_of(template, ["Dear Ada, dear"]) == 3
    assert line_of(template, ["Dear Bo,"]) == 2
    assert line_of(template, ["nothing of it"]) is None
    assert line_of("{% if x %}", ["anything"]) is None


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("tasks.extract.result", "extract"),
        ("tasks.extract", "extract"),
        ("tasks['report[q1]'].result", "report[q1]"),
        ("tasks['report[*]']", "report[*]"),
        ("vars.tasks", None),
    ],
)
def test_an_input_names_the_task_whose_result_it_is(name, address):
    assert result_of(name) == address
