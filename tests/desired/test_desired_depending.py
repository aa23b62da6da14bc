"""Dependencies: what a task waits for, what it sees of others, and all that can be wrong with that."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.address import Address, cell_address
from taskspec.desired import depending
from taskspec.desired.model import DeferredTask, DesiredTask, LocalFile
from taskspec.desired.ordering import ordered
from taskspec.diagnostics import ManifestError

EXTRACT = "metadata: {name: extract}\nspec: {agent: analyst, prompt: Total., outputFormat: json}\n"
CELLS = "metadata: {name: part}\nspec: {agent: analyst, prompt: 'P {{ matrix.q }}', matrix: {q: [q1, q2]}}\n"


def report(fields: str, prompt: str = "Hello") -> str:
    return f"metadata: {{name: report}}\nspec:\n  agent: writer\n  prompt: |\n    {prompt}\n  {fields}\n"


def resolved(workshop: Any, *documents: str) -> Any:
    return workshop.resolve("\n---\n".join(documents))


def deferred(workshop: Any, *documents: str) -> DeferredTask:
    found = resolved(workshop, *documents)
    assert found.diagnostics == (), found.words
    task = found.desired.tasks[Address("report")]
    assert isinstance(task, DeferredTask)
    return task


def test_a_template_that_uses_a_result_defers_its_task(workshop: Any) -> None:
    task = deferred(workshop, EXTRACT, report("title: x", "The total was {{ tasks.extract.json.total }}."))
    assert (task.upstream, task.uses) == (("extract",), {"extract"})
    assert task.spec["prompt"] == "The total was (known after extract)."
    done = task.finish({Address("extract"): '{"total": 7}'})
    assert done.spec["prompt"] == "The total was 7."
    assert done.upstream == ("extract",)


@pytest.mark.parametrize("value", ["*", "a?", "a b", "x,y", "[", "[*]"])
def test_a_cell_whose_value_stands_in_quotes_is_one_task_and_no_pattern(workshop: Any, value: str) -> None:
    address = cell_address("part", [value])
    cells = (
        f"metadata: {{name: part}}\nspec: {{agent: analyst, prompt: P, matrix: {{q: [{json.dumps(value)}, other]}}}}\n"
    )
    fields = f"title: x\n  files: [{{task: {json.dumps(address)}}}]"
    task = deferred(workshop, cells, report(fields, f"{{{{ tasks['{address}'].result }}}}"))
    assert task.upstream == (address,)
    assert task.finish({address: "seven"}).spec["prompt"] == "seven"


def test_the_same_used_part_gives_the_same_fingerprint(workshop: Any) -> None:
    task = deferred(workshop, EXTRACT, report("title: x", "{{ tasks.extract.json.total }}"))
    one, other, third = (
        task.finish({Address("extract"): text}).fingerprint
        for text in ('{"total": 7, "note": "a"}', '{"note": "b", "total": 7}', '{"total": 8}')
    )
    assert one == other != third


def test_a_result_is_data_and_never_rendered(workshop: Any) -> None:
    workshop.declare("secret", sensitive=True, default="hunter2")
    task = deferred(workshop, EXTRACT, report("userTokens: {a: '{{ vars.secret }}'}", "{{ tasks.extract.result }}"))
    hostile = "{{ vars.secret }} {% for x in y %} {# #} {{ ''.__class__ }}"
    assert task.finish({Address("extract"): hostile}).spec["prompt"] == hostile


def test_a_template_that_computes_with_a_result_is_shown_as_written(workshop: Any) -> None:
    text = "{% if tasks.extract.json.total > 3 %}Much{% else %}Little{% endif %}"
    task = deferred(workshop, EXTRACT, report("title: x", text))
    assert task.spec["prompt"] == text
    assert task.finish({Address("extract"): '{"total": 7}'}).spec["prompt"] == "Much"


def test_all_cells_are_seen_as_a_list_with_their_names(workshop: Any) -> None:
    text = "{% for cell in tasks['part[*]'] %}{{ cell.matrix.q }}={{ cell.result }};{% endfor %}"
    task = deferred(workshop, CELLS, report("title: x", text))
    assert task.upstream == ("part[q1]", "part[q2]")
    done = task.finish({Address("part[q1]"): "a", Address("part[q2]"): "b"})
    assert done.spec["prompt"] == "q1=a;q2=b;"


def test_a_cell_names_the_cell_of_another_task(workshop: Any) -> None:
    found = resolved(
        workshop,
        CELLS,
        "metadata: {name: report}\nspec:\n  agent: writer\n  matrix: {q: [q2, q1]}\n"
        "  prompt: \"{{ tasks['part[' ~ matrix.q ~ ']'].result }}\"\n",
    )
    assert found.diagnostics == ()
    assert {a: t.upstream for a, t in found.desired.tasks.items() if a.startswith("report")} == {
        "report[q2]": ("part[q2]",),
        "report[q1]": ("part[q1]",),
    }


def test_plain_order_defers_nothing(workshop: Any) -> None:
    found = resolved(workshop, report("dependsOn: [extract, 'part[*]']"), CELLS, EXTRACT)
    assert found.diagnostics == ()
    assert list(found.desired.tasks) == ["extract", "part[q1]", "part[q2]", "report"]
    task = found.desired.tasks[Address("report")]
    assert isinstance(task, DesiredTask)
    assert task.upstream == ("extract", "part[q1]", "part[q2]")


@pytest.mark.parametrize("name", ["part", "part[*]", "p*", "part[q?]"])
def test_dependencies_name_cells_by_name_or_pattern(workshop: Any, name: str) -> None:
    found = resolved(workshop, CELLS, report(f"dependsOn: ['{name}']"))
    assert found.desired.tasks[Address("report")].upstream == ("part[q1]", "part[q2]")


def test_a_result_goes_along_as_a_file(workshop: Any) -> None:
    task = deferred(workshop, EXTRACT, report("files: [{task: extract}, 'https://example.com/x']"))
    assert task.spec["files"] == ["(known after extract)", "https://example.com/x"]
    done = task.finish({Address("extract"): '{"total": 7}'})
    file = done.files[0]
    assert isinstance(file, LocalFile)
    assert (file.path, file.content) == ("results/extract.json", b'{"total": 7}')
    assert done.spec["files"][0] == {"path": "results/extract.json", "sha256": file.sha256}


def test_a_result_may_give_a_list_of_files_or_the_payload_as_a_whole(workshop: Any) -> None:
    fields = 'files: "{{ tasks.extract.json.urls }}"\n  payloadExtension: "{{ tasks.extract.json.more }}"'
    task = deferred(workshop, EXTRACT, report(fields))
    words = "(known after extract)"
    assert (task.spec["files"], task.spec["payloadExtension"]) == (words, words)
    done = task.finish({Address("extract"): '{"urls": ["https://example.com/x"], "more": {"a": 1}}'})
    assert (done.spec["files"], done.spec["payloadExtension"]) == (["https://example.com/x"], {"a": 1})
    with pytest.raises(ManifestError):
        task.finish({Address("extract"): '{"urls": "https://example.com/x", "more": {"a": 1}}'})


def test_a_list_that_no_result_gives_is_checked_at_once(workshop: Any) -> None:
    found = resolved(workshop, EXTRACT, report("files: \"{{ 'x' }}\"", "{{ tasks.extract.result }}"))
    assert "`files` must be a list, found a string" in found.words


@pytest.mark.parametrize("prompt", ["x", "{{ tasks.part.result }}"])
def test_a_result_that_a_template_gives_as_a_file_is_refused_before_anything_runs(workshop: Any, prompt: str) -> None:
    workshop.declare("inputs", "list", default=[{"task": "extract"}])
    found = resolved(
        workshop,
        EXTRACT,
        EXTRACT.replace("extract", "part"),
        report('files: "{{ vars.inputs }}"', prompt),
    )
    assert "Wrong file: A template gives the result of `extract`, so nothing waits for it." in found.words
    assert "report" not in found.desired.tasks


def test_a_result_cannot_go_as_a_file_to_a_remote_that_takes_none(workshop: Any) -> None:
    workshop.takes_local_files = False
    found = resolved(workshop, EXTRACT, report("files: [{task: extract}]"))
    assert "takes only URLs" in found.words


@pytest.mark.parametrize(
    ("fields", "prompt", "where", "words"),
    [
        ("title: x", "{{ tasks.extrcat.result }}", "tasks.yaml:9:8", "Did you mean `extract`?"),
        ("title: x", "a\n    b {{ tasks.none.result }}", "tasks.yaml:10:10", "No task `none` is declared."),
        ("title: x", "{{ tasks.extract.reslut }}", "tasks.yaml:9:8", "Did you mean `result`?"),
        ("title: x", "{{ tasks.part.result }}", "tasks.yaml:9:8", "tasks['part[*]']"),
        ("title: x", "{{ tasks['part[q9]'].result }}", "tasks.yaml:9:8", "No task `part[q9]` is declared."),
        ("title: x", "{{ tasks }}", "tasks.yaml:9:8", "`tasks` alone names no result."),
        ("title: '{{ tasks.extract.result }}'", "x", "tasks.yaml:10:14", "`title` cannot depend on the result"),
        ("llm: {name: '{{ tasks.extract.result }}'}", "x", "tasks.yaml:10:19", "`llm` cannot depend on the result"),
        ("dependsOn: [extrcat]", "x", "tasks.yaml:10:15", "Did you mean `extract`?"),
        ("dependsOn: [report]", "x", "tasks.yaml:10:15", "cannot wait for itself"),
        ("dependsOn: ['a b']", "x", "tasks.yaml:10:15", "`a b` is no address."),
        ("files: [{task: none}]", "x", "tasks.yaml:10:18", "`none` is not the address of one task."),
        ("files: [{task: part}]", "x", "tasks.yaml:10:18", "`part` has, for example, `part[q1]`."),
    ],
)
def test_what_is_wrong_with_a_dependency_is_told_at_its_place(
    workshop: Any, fields: str, prompt: str, where: str, words: str
) -> None:
    found = resolved(workshop, EXTRACT, report(fields, prompt), CELLS)
    (wrong,) = found.diagnostics
    assert (str(wrong.position), words in found.words) == (where, True), found.words


def test_the_json_of_a_text_is_refused_before_anything_runs(workshop: Any) -> None:
    found = resolved(workshop, CELLS, report("title: x", "{{ tasks['part[q1]'].json.total }}"))
    assert "`part[q1]` asks for text" in found.words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "The result of `extract` is not JSON: line 1"),
        ("{}", "The map has no key `total`."),
    ],
)
def test_a_result_that_does_not_fit_is_told_at_the_template(workshop: Any, text: str, words: str) -> None:
    task = deferred(workshop, EXTRACT, report("title: x", "{{ tasks.extract.json.total }}"))
    for _ in range(2):  # each time anew
        with pytest.raises(ManifestError) as refused:
            task.finish({Address("extract"): text})
        (wrong,) = refused.value.diagnostics
        assert words in wrong.detail
        assert (wrong.position.file, wrong.position.line) == ("tasks.yaml", 9)


def test_a_circle_is_told_in_full(workshop: Any) -> None:
    tasks = [
        f"metadata: {{name: {one}}}\nspec: {{agent: a, prompt: '{{{{ tasks.{other}.result }}}}'}}\n"
        for one, other in ("ab", "bc", "ca")
    ]
    found = resolved(workshop, *tasks)
    (wrong,) = found.diagnostics
    assert wrong.detail == "Each of these tasks waits for the next: a → b → c → a. Here, `a` waits for `b`."
    assert str(wrong.position) == "tasks.yaml:2:30"


def test_an_error_in_a_matrix_makes_none_in_those_that_use_it(workshop: Any) -> None:
    broken = CELLS.replace("[q1, q2]", "[q1, q1]")
    found = resolved(workshop, broken, report("dependsOn: ['part[*]']", "{{ tasks['part[q1]'].result }}"))
    assert [d.summary for d in found.diagnostics] == ["Wrong cells"]


@given(st.dictionaries(st.integers(0, 20), st.sets(st.integers(0, 20)), max_size=20))
def test_everything_stands_behind_what_it_waits_for(graph: dict[int, set[int]]) -> None:
    upstream = {Address(f"t{key}"): {Address(f"t{value}") for value in values} for key, values in graph.items()}
    order, circles = ordered(upstream)
    assert sorted(order) == sorted(upstream)
    if not circles:
        place = {address: index for index, address in enumerate(order)}
        assert all(place[other] < place[a] for a in order for other in upstream[a] & upstream.keys())
    for circle in circles:
        pairs = zip(circle, [*circle[1:], circle[0]], strict=True)
        assert all(following in upstream[one] for one, following in pairs)


def test_a_chain_of_many_thousands_is_ordered() -> None:
    upstream = {Address(f"t{n}"): [Address(f"t{n + 1}")] for n in range(20_000)}
    order, circles = ordered(upstream)
    assert (order[0], len(order), circles) == ("t19999", 20_000, [])


def test_a_mistake_in_many_cells_is_not_compared_with_everything_each_time(
    workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(depending, "nearest", lambda name, _: asked.append(name) or "")
    axis = ", ".join(f"v{number}" for number in range(60))
    fields = f"matrix: {{a: [{axis}], b: [x, y]}}\n  dependsOn: ['extarct[{{{{ matrix.a }}}}]']"
    assert len(resolved(workshop, EXTRACT, report(fields)).diagnostics) == 60
    assert len(asked) == depending.MOST_COMPARED
