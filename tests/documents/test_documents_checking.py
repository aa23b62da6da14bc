"""Checking: what is wrong with one document, in words for people."""

import pytest

from taskspec.contracts import load_schema
from taskspec.documents.checking import LATER, check, rendered_spec_contract
from taskspec.documents.declaring import Ground, check_project, declare_project
from taskspec.documents.durations import seconds
from taskspec.documents.parsing import parse

HEAD = "apiVersion: taskspec/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec:\n{spec}"


def checked(kind, spec):
    (document,) = parse(HEAD.format(kind=kind, spec=spec).encode(), "f.yaml").documents
    return [
        (f"{d.position.line}:{d.position.column}", d.summary, f"{d.detail} {d.hint}".strip()) for d in check(document)
    ]


def of_task(line):
    return checked("Task", f"  agent: a\n  prompt: p\n  {line}\n")


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        ("promt: x", "7:3", "`promt` is not a field of a task's spec. Did you mean `prompt`?"),
        ("output_format: text", "7:3", "Did you mean `outputFormat`?"),
        ("agentVersion: 3", "7:17", "`spec.agentVersion` must be a string, found a number. Put it in quotes."),
        ("title: [a]", "7:10", "`spec.title` must be a string, found a list."),
        ("files: a.csv", "7:10", "`spec.files` must be a list, found a string. Write it as a list: [one, two]."),
        ("outputFormat: jsn", "7:17", "Did you mean `json`?"),
        ("toolCallLimit: 0", "7:18", "`spec.toolCallLimit` must be at least 1, found 0."),
        ("timeout: 30", "7:12", "such as `30s`, `15m`, `2h` or `7d`, found a number. Write it with its unit."),
        ("timeout: 0s", "7:12", "must be a duration above zero"),
        ("retry: {backoff: soon}", "7:20", "`spec.retry.backoff` must be a duration such as"),
        ("retry: {statuses: [eror]}", "7:22", "Did you mean `error`?"),
        ('retry: {maxAttempts: "{{ vars.n }}"}', "7:24", "A template is not evaluated here."),
        ("user: {id: x}", "7:3", "`email` is missing in `spec.user`."),
        ("llm: {reasoningEffort: hi}", "7:26", "must be one of"),
        ("outputSchema: {properties: {a: {type: nmber}}}", "7:41", "`spec.outputSchema` is not a valid JSON Schema"),
        ("onRemove: delete", "7:13", "must be one of"),
    ],
)
def test_a_mistake_in_a_task_is_told_at_its_place(line, place, words):
    ((where, _, text),) = of_task(line)
    assert where == place
    assert words in text


@pytest.mark.parametrize("name", sorted(LATER["Task"]))
def test_a_field_of_a_later_version_is_refused_in_a_task(name):
    assert of_task(f"{name}: {{}}") == [
        ("7:3", "Not supported yet", f"`{name}` is not supported by this version yet. Remove `{name}`.")
    ]


@pytest.mark.parametrize("name", sorted(LATER["Project"] - {"match"}))
def test_a_field_of_a_later_version_is_refused_in_a_project(name):
    assert [(where, summary) for where, summary, _ in checked("Project", f"  {name}: {{}}\n")] == [
        ("5:3", "Not supported yet")
    ]


@pytest.mark.parametrize("entry", ["{match: {}, spec: {}}", "{spec: {llm: {}}}"])
def test_defaults_take_policies_only(entry):
    assert [summary for _, summary, _ in checked("Project", f"  defaults: [{entry}]\n")] == ["Not supported yet"]


def test_a_missing_field_is_told_at_its_parent():
    assert [(where, text.split(".")[0]) for where, _, text in checked("Task", "  agent: a\n")] == [
        ("4:1", "`prompt` is missing in a task's spec")
    ]


def test_a_spec_field_beside_the_spec_is_sent_to_its_place():
    (document,) = parse(
        b"apiVersion: taskspec/v1\nkind: Task\nprompt: x\nmetadata: {name: a}\nspec: {agent: a, prompt: p}\n", "f.yaml"
    ).documents
    assert [d.hint for d in check(document)] == ["It belongs into `spec`."]


def test_another_format_than_json_contradicts_a_schema():
    assert [place for place, *_ in of_task("outputFormat: text\n  outputSchema: {type: object}")] == ["7:17"]
    assert of_task("outputSchema: {type: object}") == []
    assert of_task("outputFormat: json\n  outputSchema: {type: object}") == []


@pytest.mark.parametrize(
    "line",
    [
        'toolCallLimit: "{{ vars.limit }}"',
        'files: "{{ vars.files }}"',
        'outputFormat: "{{ vars.form }}"',
        'llm: "{{ vars.llm }}"',
        'eventsStreaming: "{{ vars.stream }}"',
        'outputSchema: {type: "{{ vars.type }}"}',
    ],
)
def test_a_field_of_any_type_may_be_one_template(line):
    assert of_task(line) == []


def test_text_around_a_template_is_no_number():
    assert [text for _, _, text in of_task('toolCallLimit: "{{ a }} times"')] != []


def test_after_rendering_a_template_is_no_longer_a_number():
    spec = {"agent": "a", "prompt": "p", "toolCallLimit": "{{ x }}", "llm": "{{ x }}", "outputFormat": "{{ x }}"}
    assert [v.path for v in rendered_spec_contract().violations(spec)] == [
        ("llm",),
        ("outputFormat",),
        ("toolCallLimit",),
    ]
    good = {"agent": "a", "prompt": "p", "toolCallLimit": 3, "llm": {"name": "m", "reasoningEffort": "low"}}
    assert rendered_spec_contract().violations(good) == []


def test_no_template_is_left_in_the_rendered_contract_and_the_published_schema_is_untouched():
    rendered_spec_contract()
    assert "if" in load_schema("manifest.v1")["$defs"]["taskSpec"]["properties"]["files"]


@pytest.mark.parametrize(
    "spec",
    ['  results: {path: "{{ x }}"}', '  agents: {a: {command: ["{{ x }}"]}}', '  variables: {a: {default: "{% x %}"}}'],
)
def test_templates_in_a_project_are_refused(spec):
    assert "Template not evaluated here" in [summary for _, summary, _ in checked("Project", spec + "\n")]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("userTokens: {crm: [S3CRET]}", "Task"),
        ("userTokens: S3CRET", "Task"),
        ("userOidcToken: [S3CRET]", "Task"),
        ("mcpServers: [S3CRET]", "Task"),
        ("remote: {type: xpander, apiKey: S3CRET}", "Project"),
        ("variables: {v: {type: number, sensitive: true, default: S3CRET}}", "Project"),
    ],
)
def test_no_message_shows_a_secret(line, kind, tmp_path):
    spec = f"  agent: a\n  prompt: p\n  {line}\n" if kind == "Task" else f"  {line}\n"
    (document,) = parse(HEAD.format(kind=kind, spec=spec).encode(), "f.yaml").documents
    findings = check(document)
    if not findings:
        ground = Ground(name="x", folder=tmp_path, data_folder=tmp_path)
        findings = list(check_project(declare_project(document, ground), None))
    assert findings
    assert "S3CRET" not in str(findings)


@pytest.mark.parametrize(
    ("spec", "place", "words"),
    [
        ("  results: {path: ../out}", "5:19", "within the project"),
        ("  results: {path: /out}", "5:19", "within the project"),
        ("  results: {path: .}", "5:19", "within the project"),
        ("  remote: {type: local, baseUrl: 'https://x'}", "5:25", "means nothing to the remote `local`"),
        ("  variables: {a: {type: integer, default: true}}", "5:43", "must be a whole number, found true or false"),
        ("  variables: {a: {enum: [b, 1]}}", "5:29", "must be a string, found a number"),
        ("  variables: {a: {enum: [b], default: c}}", "5:39", 'one of the values of its `enum`: "b"'),
        ("  agents: {a: {command: [no-such-program-here]}}", "5:26", "no such program"),
    ],
)
def test_a_project_that_cannot_work_is_told_at_its_place(spec, place, words, tmp_path):
    (document,) = parse(HEAD.format(kind="Project", spec=spec + "\n").encode(), "f.yaml").documents
    assert check(document) == []
    ground = Ground(name="x", folder=tmp_path, data_folder=tmp_path)
    (found,) = check_project(declare_project(document, ground), None)
    assert str(found.position) == f"f.yaml:{place}"
    assert words in found.detail


@pytest.mark.parametrize(
    ("text", "meant"), [("500ms", 0.5), ("30s", 30), ("15m", 900), ("2h", 7200), ("7d", 604800), ("0s", 0)]
)
def test_durations_are_seconds(text, meant):
    assert seconds(text) == meant


@pytest.mark.parametrize("text", ["", "s", "30", "1.5h", "1h30m", "-1s", "30S", "٣s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration"):
        seconds(text)


def test_every_durations_pattern_is_one_that_can_be_read():
    for name in ("duration", "timeout"):
        assert "ms|s|m|h|d" in load_schema("manifest.v1")["$defs"][name]["pattern"]
