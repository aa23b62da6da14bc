"""Checking: what is wrong with one document, in words for people."""

import pytest

from taskspec.contracts import load_schema
from taskspec.diagnostics import path_text
from taskspec.documents.checking import check, rendered_spec_contract
from taskspec.documents.declaring import Ground, check_project, declare_project
from taskspec.documents.durations import seconds
from taskspec.documents.parsing import parse
from taskspec.documents.violating import LATER

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
        (
            "agentVersion: 3",
            "7:17",
            "`spec.agentVersion` must be a string of printable ASCII characters, found a number. Put it in quotes.",
        ),
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


@pytest.mark.parametrize("name", sorted(LATER["Project"]))
def test_a_field_of_a_later_version_is_refused_in_a_project(name):
    assert [(where, summary) for where, summary, _ in checked("Project", f"  {name}: {{}}\n")] == [
        ("5:3", "Not supported yet")
    ]


@pytest.mark.parametrize("field", ["matrix: {a: [1]}", "forEach: [1]", "dependsOn: [a]"])
def test_defaults_make_no_tasks_and_no_dependencies(field):
    assert [summary for _, summary, _ in checked("Project", f"  defaults: [{{spec: {{{field}}}}}]\n")] == [
        "Field at the wrong place"
    ]


def test_defaults_may_hold_templates_and_nothing_else_of_a_project_may():
    entry = "{spec: {title: '{{ vars.x }}'}}"
    text = f"  defaults: [{entry}]\n  environments: {{prod: {{defaults: [{entry}]}}}}\n"
    assert checked("Project", text) == []
    assert [s for _, s, _ in checked("Project", "  environments: {prod: {variables: {x: '{{ 1 }}'}}}\n")] == [
        "Template not evaluated here"
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
    ("agent", "place", "summary"),
    [
        ("{timeout: 3s}", "5:12", "Missing field"),
        ("{worker: true, command: [cat]}", "5:30", "Contradicting fields"),
        ("{worker: true, env: {allow: [X]}}", "5:30", "Contradicting fields"),
        ("{worker: false, timeout: 3s}", "5:24", "Wrong value"),
    ],
)
def test_an_agent_says_in_one_way_who_carries_out_its_runs(agent, place, summary):
    (document,) = parse(HEAD.format(kind="Project", spec=f"  agents: {{a: {agent}}}\n").encode(), "f.yaml").documents
    (found,) = check(document)
    assert (str(found.position), found.summary) == (f"f.yaml:{place}", summary)


def test_a_worker_needs_no_command_on_this_machine(tmp_path):
    spec = "  agents: {a: {worker: true, timeout: 3s}}\n"
    (document,) = parse(HEAD.format(kind="Project", spec=spec).encode(), "f.yaml").documents
    project = declare_project(document, Ground(name="x", folder=tmp_path, data_folder=tmp_path))
    assert [*check(document), *check_project(project, None)] == []
    assert (project.agents["a"].command, project.agents["a"].timeout) == ((), 3)


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


def of_remote(url):
    return checked("Project", f"  remote: {{type: xpander, baseUrl: '{url}', apiKey: {{env: OTHER_SECRET}}}}\n")


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.test",
        "http://localhost.evil.test",
        "http://localhost@evil.test",
        "http://localhost:80@evil.test/",
        "http://localhost\\@evil.test",
        "http://127.0.0.1.evil.test",
        "https://user:S3CRET@host",
        "https://host?key=S3CRET",
        "ftp://host",
    ],
)
def test_a_base_url_that_would_show_the_key_is_refused_at_its_place_and_not_repeated(url):
    ((where, summary, text),) = of_remote(url)
    assert (where, summary) == ("5:36", "Wrong value")
    assert "http:// only to this machine" in text
    assert "Write `https://host[:port][/path]`: over http:// everybody on the way can read the key." in text
    assert url not in text


@pytest.mark.parametrize(
    "url",
    ["https://x.test", "https://x.test:8/a@b/", "http://localhost", "http://127.0.0.1:8085/x", "http://[::1]:9"],
)
def test_a_base_url_with_https_or_on_this_machine_is_taken(url):
    assert of_remote(url) == []


def test_a_title_has_at_most_200_characters_and_one_with_templates_is_checked_when_it_is_rendered():
    assert of_task(f"title: {'x' * 200}") == []
    ((where, _, text),) = of_task(f"title: {'x' * 201}")
    assert (where, "at most 200 characters" in text) == ("7:10", True)
    assert of_task(f'title: "{{{{ vars.a }}}} {"x" * 300}"') == []
    title = "{{ x }}" + "x" * 200
    assert [v.path for v in rendered_spec_contract().violations({"agent": "a", "prompt": "p", "title": title})] == [
        ("title",)
    ]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("depends_on", "Did you mean `dependsOn`?"),
        ("assertion", "Did you mean `assertions`?"),
        ("Moved", "`moved` is not supported by this version yet."),
        ("\u200bsource", "It holds an invisible character (U+200B): type it anew."),
    ],
)
def test_a_name_that_is_nearly_one_of_a_later_version_or_looks_right_is_explained(name, hint):
    ((_, summary, text),) = of_task(f"{name}: x")
    assert summary == "Unknown field"
    assert text.endswith(hint)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("title: #one", "Write a text; what follows a `#` is a comment, unless it is in quotes."),
        ("title:\n  - a", "Write one text; over several lines with `|`, and indented."),
        ("user:", "Indent its fields below it."),
        ("user:\n  - email: x", "Write its fields without the `-`: `key: value`."),
        ("user:\n    email:x", "Write its fields as `key: value`, with a space after the colon."),
    ],
)
def test_a_slip_of_yaml_that_gives_another_type_comes_with_its_way_out(line, hint):
    ((_, _, text),) = of_task(line)
    assert text.endswith(hint)


def test_a_wrong_name_comes_with_one_that_can_be():
    (document,) = parse(
        b"apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: My Task}\nspec: {agent: a, prompt: p}\n", "f.yaml"
    ).documents
    assert [d.hint for d in check(document)] == ["Write, for example, `my-task`."]


def test_a_path_is_written_so_that_its_names_can_be_told_apart():
    assert path_text(("spec", "agents", "sales-analyst", "command", 0)) == "spec.agents.sales-analyst.command[0]"
    assert path_text(("a b", 1, "c"), "$") == "$['a b'][1].c"
    assert path_text(("x.y", "z")) == "['x.y'].z"
    assert (path_text(()), path_text((), "$")) == ("", "$")
