"""Resolving: every diagnostic at once and at its exact place, secrets in the request only, files by their content."""

import os
from pathlib import Path
from typing import Any

import pytest

from taskspec.desired.model import LocalFile

PLACES = """\
kind: Task
metadata: {name: one}
spec:
  agent: writer
  title: "Report of {{ vars.regoin }}"
  additionalContext: plain {{ vars.regoin }}
  outputSchema: {type: object, title: "{{ vars.regoin }}"}
  prompt: |
    First line.
      Second, {{ vars.region }} and {{ vars.regoin }}.

    {% if vars.region == 'emea' %}
    {{ vars.regoin | upper }}
    {% endif %}
"""


def test_each_wrong_template_is_reported_at_its_line_and_column(workshop: Any) -> None:
    workshop.declare("region", default="emea")
    resolved = workshop.resolve(PLACES)
    lines = PLACES.split("\n")
    places = {(d.position.line, d.position.column) for d in resolved.diagnostics}
    assert (6, lines[5].index("vars.regoin") + 1) in places
    assert (7, lines[6].index("vars.regoin") + 1) in places
    assert (10, lines[9].index("vars.regoin") + 1) in places
    assert {line for line, _ in places} == {5, 6, 7, 10}
    assert resolved.desired.tasks == {}


def test_the_place_in_a_later_line_of_a_block_is_exact(workshop: Any) -> None:
    workshop.declare("region", default="emea")
    text = PLACES.replace("regoin }}.", "region }}.")
    place = next(d.position for d in workshop.resolve(text).diagnostics if d.position.line > 7)
    assert (place.line, place.column) == (13, text.split("\n")[12].index("vars.regoin") + 1)


def test_a_task_with_an_error_is_left_out_and_the_others_are_resolved(workshop: Any) -> None:
    resolved = workshop.resolve(
        "metadata: {name: bad}\nspec: {agent: a, prompt: '{{ x }}'}\n---\n"
        "metadata: {name: good}\nspec: {agent: a, prompt: p}"
    )
    assert list(resolved.desired.tasks) == ["good"]
    assert len(resolved.diagnostics) == 1


def test_a_template_in_the_name_of_a_field_is_an_error_at_its_place(workshop: Any) -> None:
    resolved = workshop.spec('payloadExtension:\n  "{{ vars.x }}": 1')
    assert resolved.problem.detail == "The name of a field is not rendered."
    assert (resolved.problem.position.line, resolved.problem.position.column) == (7, 5)


def test_a_single_expression_keeps_its_type_in_a_field_that_takes_it(workshop: Any) -> None:
    workshop.declare("limit", "integer", default=7)
    workshop.declare("schema", "map", default={"type": "object"})
    task = workshop.spec('toolCallLimit: "{{ vars.limit }}"\noutputSchema: "{{ vars.schema }}"').task
    assert task.request["toolCallLimit"] == 7
    assert task.request["outputSchema"] == {"type": "object"}


def test_a_number_becomes_text_where_a_text_is_wanted(workshop: Any) -> None:
    workshop.declare("n", "number", default=3)
    task = workshop.spec('agentVersion: "{{ vars.n }}"\nprompt: "{{ vars.n }}"\nuser: {email: "{{ vars.n }}"}').task
    assert (task.request["agentVersion"], task.request["prompt"]) == ("3", "3")
    assert task.request["user"] == {"email": "3"}


def test_a_list_where_a_text_is_wanted_is_an_error_that_says_how_to_write_it(workshop: Any) -> None:
    workshop.declare("l", "list", default=["a"])
    problem = workshop.spec('prompt: "{{ vars.l }}"').problem
    assert problem.detail == "The expression gives a list, but here a text is wanted."
    assert "join" in problem.hint


def test_a_rendered_value_that_the_schema_refuses_is_reported_at_its_source(workshop: Any) -> None:
    workshop.declare("mode", default="hardest")
    workshop.declare("limit", "integer", default=0)
    resolved = workshop.spec('thinkMode: "{{ vars.mode }}"\ntoolCallLimit: "{{ vars.limit }}"')
    assert {d.position.line for d in resolved.diagnostics} == {6, 7}
    assert "`thinkMode`" in resolved.words
    assert "`toolCallLimit` must be at least 1" in resolved.words


def test_a_prompt_that_renders_to_nothing_is_an_error(workshop: Any) -> None:
    workshop.declare("text", default=" ")
    assert "`prompt` must not be empty" in workshop.spec('prompt: "{{ vars.text }}"').words


def test_a_schema_that_a_template_gives_must_be_a_schema(workshop: Any) -> None:
    workshop.declare("schema", "map", default={"type": "thing"})
    problem = workshop.spec('outputSchema: "{{ vars.schema }}"').problem
    assert (problem.summary, problem.position.line) == ("Invalid JSON Schema", 6)


def test_a_format_that_a_template_gives_must_agree_with_the_schema(workshop: Any) -> None:
    workshop.declare("form", default="markdown")
    problem = workshop.spec('outputFormat: "{{ vars.form }}"\noutputSchema: {type: object}').problem
    assert problem.summary == "Contradicting fields"


def test_an_agent_that_a_template_names_must_be_declared(workshop: Any) -> None:
    workshop.declare("agent", default="nobody")
    problem = workshop.resolve('metadata: {name: one}\nspec: {agent: "{{ vars.agent }}", prompt: p}').problem
    assert (problem.summary, problem.position.line) == ("Unknown agent", 2)


def test_what_a_variable_holds_is_never_rendered_again(workshop: Any) -> None:
    workshop.declare("text", default="{{ vars.secret }} {% if %}")
    assert workshop.spec('prompt: "{{ vars.text }}"').task.spec["prompt"] == "{{ vars.secret }} {% if %}"
    assert workshop.spec('prompt: "{{ vars.text | trim }}!"').task.spec["prompt"].endswith("{% if %}!")


# Secrets

SECRETS = """\
payloadExtension: {auth: "Bearer {{ vars.token }}", quoted: "{{ vars.token | tojson }}"}
userTokens: {crm: "{{ vars.token }}", plain: tok-plain}
userOidcToken: "{{ vars.token }}"
mcpServers: [{url: "https://x.test/?k={{ vars.token }}", headers: {Authorization: hush}, env: {KEY: hush}}]"""


def test_a_secret_is_in_the_request_and_nowhere_else(workshop: Any) -> None:
    workshop.declare("token", sensitive=True)
    found = workshop.resolve(_one(SECRETS), cli={"token": "hunter2"})
    task = found.task
    assert task.request["payloadExtension"] == {"auth": "Bearer hunter2", "quoted": '"hunter2"'}
    assert task.request["userTokens"] == {"crm": "hunter2", "plain": "tok-plain"}
    assert task.request["mcpServers"][0]["headers"] == {"Authorization": "hush"}
    shown = f"{task!r} {task.spec!r} {found.desired!r}".lower()
    for secret in ("hunter2", "tok-plain", "hush"):
        assert secret not in shown
    assert task.spec["payloadExtension"]["auth"] == "Bearer (sensitive: vars.token)"
    assert task.spec["userTokens"] == {"crm": "(sensitive: userTokens.crm)", "plain": "(sensitive: userTokens.plain)"}
    assert task.spec["mcpServers"][0]["env"] == {"KEY": "(sensitive: mcpServers[0].env.KEY)"}


def _one(fields: str, prompt: str = "p") -> str:
    body = "\n".join(f"  {line}" for line in fields.split("\n"))
    return f"metadata: {{name: one}}\nspec:\n  agent: a\n  prompt: {prompt}\n{body}\n"


def test_a_rotated_secret_changes_no_fingerprint(workshop: Any) -> None:
    workshop.declare("token", sensitive=True)
    prints = {
        workshop.resolve(_one(SECRETS.replace("hush", hush)), cli={"token": token}).task.fingerprint
        for token in ("hunter2", "a much longer token", "")
        for hush in ("one", "two")
    }
    assert len(prints) == 1


def test_another_secret_in_the_same_place_changes_the_fingerprint(workshop: Any) -> None:
    workshop.declare("a", sensitive=True, default="x")
    workshop.declare("b", sensitive=True, default="x")
    one = workshop.resolve(_one('additionalContext: "{{ vars.a }}"')).task
    other = workshop.resolve(_one('additionalContext: "{{ vars.b }}"')).task
    assert one.fingerprint != other.fingerprint


def test_the_parts_of_a_sensitive_map_are_sensitive(workshop: Any) -> None:
    workshop.declare("login", "map", sensitive=True, default={"user": "ann", "keys": ["k1"]})
    task = workshop.resolve(_one("additionalContext: \"{{ vars.login.user }} {{ vars.login['keys'][0] }}\"")).task
    assert task.request["additionalContext"] == "ann k1"
    assert task.spec["additionalContext"] == "(sensitive: vars.login.user) (sensitive: vars.login.keys[0])"


def test_computing_with_a_secret_is_refused_without_saying_it(workshop: Any) -> None:
    workshop.declare("pin", "integer", sensitive=True, default=4711)
    found = workshop.resolve(_one('additionalContext: "{{ vars.pin * 1.5 }}"'))
    assert "computes with a sensitive variable" in found.problem.detail
    assert "4711" not in repr(found.diagnostics)
    assert "7066" not in repr(found.diagnostics)


@pytest.mark.parametrize(
    "fields",
    ['title: "{{ vars.token }}"', 'files: ["https://x.test/{{ vars.token }}"]', 'title: "{{ vars.token | trim }}"'],
)
def test_a_secret_in_a_field_that_is_shown_is_an_error(workshop: Any, fields: str) -> None:
    workshop.declare("token", sensitive=True, default="hunter2")
    found = workshop.resolve(_one(fields))
    assert found.problem.summary == "Secret in a field that is shown"
    assert "hunter2" not in repr(found.diagnostics)


@pytest.mark.parametrize(
    "looked_into",
    [
        "{% if vars.token == 'hunter2' %}yes{% else %}no{% endif %}",
        "{{ vars.token | length }}",
        "{{ vars.token[0:3] }}",
        "{{ vars.token | replace('u', 'x') }}",
        "{{ vars.token | truncate(3, true, '') }}",
        "{% for c in vars.token %}{{ c }}-{% endfor %}",
        "{{ vars.token | upper }}",
    ],
)
def test_a_template_that_looks_into_a_secret_is_refused(workshop: Any, looked_into: str) -> None:
    workshop.declare("token", sensitive=True, default="hunter2")
    found = workshop.resolve(f"metadata: {{name: one}}\nspec:\n  agent: a\n  prompt: |\n    {looked_into}")
    assert "computes with a sensitive variable" in found.problem.detail
    assert "hunter2" not in repr(found.diagnostics)


def test_a_secret_may_stand_in_a_text_and_as_json(workshop: Any) -> None:
    workshop.declare("token", sensitive=True, default="hunter2")
    task = workshop.spec('additionalContext: "{{ vars.token }} {{ vars.token | tojson }}"').task
    assert task.request["additionalContext"] == 'hunter2 "hunter2"'
    assert task.spec["additionalContext"] == '(sensitive: vars.token) "(sensitive: vars.token)"'


def test_a_secret_that_the_schema_refuses_is_not_shown(workshop: Any) -> None:
    workshop.declare("mode", sensitive=True, default="hunter2")
    found = workshop.resolve(_one('thinkMode: "{{ vars.mode }}"'))
    assert found.problem.position.line == 5
    assert "hunter2" not in repr(found.diagnostics)


def test_a_title_is_the_address_where_there_is_none_and_one_line_in_any_case(workshop: Any) -> None:
    workshop.declare("text", default=" a\nb ")
    assert workshop.spec("source: x").task.title == "one"
    assert workshop.spec('title: "{{ vars.text }}"').task.title == "a b"
    assert workshop.spec('title: "{{ vars.text }}"').task.request["title"] == "a b"


# Files


def test_a_local_file_counts_by_its_content(workshop: Any, written: Any) -> None:
    written("data/a.csv", b"1")
    first = workshop.spec('files: [data/a.csv, "https://x.test/b.csv"]').task
    assert first.files == (
        LocalFile(path="data/a.csv", sha256="6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", size=1),
        "https://x.test/b.csv",
    )
    assert first.spec["files"][0] == {"path": "data/a.csv", "sha256": first.files[0].sha256}
    assert first.request["files"] == ["data/a.csv", "https://x.test/b.csv"]
    os.utime(workshop.folder / "data/a.csv", (0, 0))
    assert workshop.spec('files: [./data//a.csv, "https://x.test/b.csv"]').task.fingerprint == first.fingerprint
    written("data/a.csv", b"2")
    assert workshop.spec('files: [data/a.csv, "https://x.test/b.csv"]').task.fingerprint != first.fingerprint


def test_a_file_name_may_be_rendered(workshop: Any, written: Any) -> None:
    written("data/emea.csv")
    workshop.declare("region", default="emea")
    assert workshop.spec('files: ["data/{{ vars.region }}.csv"]').task.files[0].path == "data/emea.csv"


def test_a_missing_file_is_reported_at_its_item_with_the_nearest_name(workshop: Any, written: Any) -> None:
    written("data/sales.csv")
    problem = workshop.spec("files:\n- data/sales.csv\n- data/slaes.csv").problem
    assert (problem.position.line, problem.position.column) == (8, 5)
    assert problem.hint == "Did you mean `data/sales.csv`?"


@pytest.mark.parametrize("entry", ["../outside.csv", "/etc/hostname", "data/../../outside.csv", ".."])
def test_a_path_that_leaves_the_project_is_refused(workshop: Any, entry: str) -> None:
    (workshop.folder.parent / "outside.csv").touch()
    assert "outside the project folder" in workshop.spec(f"files: [{entry}]").problem.detail


def test_a_link_that_leads_out_of_the_project_is_refused_and_one_within_is_followed(
    workshop: Any, written: Any
) -> None:
    outside = workshop.folder.parent / "outside.csv"
    outside.touch()
    (workshop.folder / "out.csv").symlink_to(outside)
    assert "leads out" in workshop.spec("files: [out.csv]").problem.detail
    (workshop.folder / "in.csv").symlink_to(written("a.csv"))
    assert workshop.spec("files: [in.csv]").task.files[0].path == "in.csv"


def test_what_is_no_regular_file_is_refused_without_being_opened(workshop: Any) -> None:
    os.mkfifo(workshop.folder / "pipe")
    (workshop.folder / "folder").mkdir()
    (workshop.folder / "circle").symlink_to("circle")
    assert "not a regular file" in workshop.spec("files: [pipe]").problem.detail
    assert "not a regular file" in workshop.spec("files: [folder]").problem.detail
    assert "cannot be read" in workshop.spec("files: [circle]").problem.detail


def test_a_file_of_more_than_100_megabytes_is_refused(workshop: Any, written: Any) -> None:
    with written("big.bin").open("r+b") as file:
        file.truncate(100 * 1024 * 1024 + 1)
    assert "larger than 100 MB" in workshop.spec("files: [big.bin]").problem.detail


def test_a_local_file_on_a_remote_that_takes_only_urls_is_an_error(workshop: Any, written: Any) -> None:
    written("a.csv")
    workshop.takes_local_files = False
    found = workshop.spec('files: [a.csv, "https://x.test/b.csv"]')
    assert "the remote takes only URLs" in found.problem.detail
    assert "prompt instead" in found.problem.hint


def test_the_cache_changes_no_result(workshop: Any, tmp_path: Path) -> None:
    workshop.declare("region", default="emea")
    without = workshop.spec('prompt: "{{ vars.region | upper }}"').task
    workshop.cache_folder = tmp_path / "cache"
    assert [workshop.spec('prompt: "{{ vars.region | upper }}"').task for _ in range(2)] == [without, without]


@pytest.mark.parametrize("url", ["https://user:S3CRET@x.test/a", "HTTP://S3CRET@x.test", "https://u:S3CRET\\\\@x"])
def test_a_url_with_a_password_is_refused_and_not_repeated(workshop: Any, url: str) -> None:
    workshop.declare("url", default="https://v:S3CRET@x.test")
    found = workshop.spec(f'files: ["{url}", "{{{{ vars.url }}}}", "http://x.test/a@b"]')
    assert [(d.position.line, d.position.column) for d in found.diagnostics] == [(6, 11), (6, 15 + len(url))]
    assert "user name or password" in found.words
    assert "S3CRET" not in found.words


def test_a_title_that_renders_to_more_than_200_characters_is_refused(workshop: Any) -> None:
    workshop.declare("long", default="x" * 200)
    assert workshop.spec('title: "{{ vars.long }}"').task.title == "x" * 200
    assert "at most 200 characters" in workshop.spec('title: "{{ vars.long }}!"').problem.detail


@pytest.mark.parametrize("text", ['"{{ vars.regoin }}"', '"To {{ vars.regoin }}"', "'To {{ vars.regoin }}'"])
def test_the_place_in_a_quoted_text_is_exact(workshop: Any, text: str) -> None:
    position = workshop.spec(f"title: {text}").problem.position
    assert (position.line, position.column) == (6, len("  title: ") + text.index("vars.regoin") + 1)


@pytest.mark.parametrize(
    "fields",
    [
        "dependsOn: ['{{ vars.token }}']",
        "dependsOn: ['a {{ vars.token }} b']",
        "files: [{task: '{{ vars.token }}'}]",
        "outputSchema: {type: '{{ vars.token }}'}",
        "outputFormat: '{{ vars.token }}'",
        "files: ['{{ vars.token }}']",
        "matrix: {a: ['{{ vars.token }}']}",
        "forEach: {file: '{{ vars.token }}'}",
        "title: '{{ vars.token }}'",
        "toolCallLimit: '{{ vars.token }}'",
    ],
)
def test_no_message_about_a_field_holds_a_secret(workshop: Any, fields: str) -> None:
    workshop.declare("token", sensitive=True, default="hush")
    resolved = workshop.spec(fields)
    assert resolved.desired.tasks == {}
    assert resolved.words
    assert "hush" not in resolved.words


@pytest.mark.parametrize("fields", ["dependsOn: ['{{ vars.token }}']", "files: [{task: '{{ vars.token }}'}]"])
def test_a_secret_cannot_name_a_task_that_is_there(workshop: Any, fields: str) -> None:
    workshop.declare("token", sensitive=True, default="other")
    resolved = workshop.resolve(
        "metadata: {name: other}\nspec: {agent: a, prompt: p}\n---\n"
        f"metadata: {{name: one}}\nspec: {{agent: a, prompt: p, {fields}}}"
    )
    assert list(resolved.desired.tasks) == ["other"]
    assert "A sensitive variable is used in what names a task" in resolved.words


def test_a_number_in_a_field_that_is_a_text_is_no_secret(workshop: Any) -> None:
    workshop.declare("year", "integer", default=2025)
    workshop.declare("token", sensitive=True, default="hush")
    task = workshop.spec("title: '{{ vars.year }}'\nprompt: '{{ vars.token }}'").task
    assert task.title == "2025"


def test_what_is_secret_of_a_server_is_so_in_the_spelling_of_the_platform_too(workshop: Any) -> None:
    server = "{name: crm, env_vars: {K: hush}, api_key: hush, client_secret: hush, apiKey: hush, headers: {A: hush}}"
    task = workshop.spec(f"mcpServers: [{server}]").task
    assert "hush" not in repr(task.spec)
    assert task.spec["mcpServers"][0]["name"] == "crm"
    assert task.request["mcpServers"][0]["api_key"] == "hush"
