"""Which results a text uses is found before rendering, and never guessed; what is not known yet is only shown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.desired.dotted import NOTHING, fill, split
from taskspec.desired.including import ProjectTexts
from taskspec.desired.later import Later, LaterError
from taskspec.desired.references import Reference, ReferenceFinder, may_refer
from taskspec.desired.rendering import Renderer
from taskspec.desired.scope import Names, WrongTemplateError

NAMES: dict[str, Any] = {
    "vars": Names({"quarters": ["q1", "q2"], "part": "tone.md"}, path="vars"),
    "matrix": {"region": "emea"},
}
LATER: dict[str, Any] = {**NAMES, "tasks": {"extract": {"result": Later("(known after extract)")}}}


@pytest.fixture
def renderer(workshop: Any) -> Renderer:
    return Renderer(None, ProjectTexts(workshop.folder))


@pytest.fixture
def found(renderer: Renderer) -> Callable[[str], tuple[Reference, ...]]:
    finder = ReferenceFinder(lambda: renderer)
    return lambda text: finder.references(text, NAMES)


@pytest.mark.parametrize(
    ("text", "strange"),
    [
        ("{{ t.result }}{{ t.matrix.region }}{{ t.items() | list | length }}{{ loop.index }}", []),
        ("{{ t.resut }}", ["resut"]),
        ("{% if t.jsn.total > 1 %}{{ t['adress'] }}{% endif %}", ["jsn", "adress"]),
        ("{% set t = t.json %}{{ t.total }}", []),
        ("{% with t = t.json %}{{ t.total }}{% endwith %}", []),
        ("{% macro m(t) %}{{ t.total }}{% endmacro %}{{ m(t.json) }}", []),
        ("{% for t in t.json.rows %}{{ t.total }}{% endfor %}", []),
    ],
)
def test_what_no_task_of_a_loop_has_is_found(found, text, strange):
    whole = (
        f"{{% for t in tasks['report[*]'] %}}{text}{{% endfor %}}{{% for t in [{{}}] %}}{{{{ t.own }}}}{{% endfor %}}"
    )
    assert [use.path for use in found(whole)] == [(), *((0, member) for member in strange)]


@pytest.mark.parametrize(
    ("text", "address", "path"),
    [
        ("{{ tasks.extract.result }}", "extract", ("result",)),
        ("{{ tasks['extract']['result'] }}", "extract", ("result",)),
        ("{{ tasks.extract | tojson }}", "extract", ()),
        ("{{ tasks.extract.json.rows[0].total | upper }}", "extract", ("json", "rows", 0, "total")),
        ("{{ tasks.extract.json.rows[vars.n].total }}", "extract", ("json", "rows")),
        ("{{ tasks.extract.result.upper() }}", "extract", ("result",)),
        ("{{ tasks['report[emea]'].json.total }}", "report[emea]", ("json", "total")),
        ("{% for t in tasks['report[*]'] %}{{ t.json }}{% endfor %}", "report[*]", ()),
        ("{{ tasks['report[' ~ matrix.region ~ ']'].result }}", "report[emea]", ("result",)),
        ("{% if tasks.extract.json.ok %}x{% endif %}", "extract", ("json", "ok")),
        ("{% set x = tasks.extract.result %}{{ x }}", "extract", ("result",)),
        ("{% macro m(x) %}{{ x }}{{ tasks.extract.result }}{% endmacro %}", "extract", ("result",)),
        ("{{ {'a': [tasks.extract.result]} | tojson }}", "extract", ("result",)),
    ],
)
def test_a_use_of_a_result_is_found(found: Any, text: str, address: str, path: tuple[str | int, ...]) -> None:
    assert found(text) == (Reference(address=address, path=path),)


@pytest.mark.parametrize(
    ("text", "is_printed"),
    [
        ("{{ tasks.a }}", True),
        ("{{ tasks['a'] }}", True),
        ("x {{ tasks['a[*]'] }}", True),
        ("{% set x = 1 %}{{ tasks.a }}", True),
        ("{{ tasks.a.result }}", False),
        ("{{ tasks.a.json }}", False),
        ("{{ tasks.a | tojson }}", False),
        ("{% set x = tasks.a %}{{ x.result }}", False),
        ("{% for one in tasks['a[*]'] %}{{ one.result }}{% endfor %}", False),
    ],
)
def test_a_use_that_writes_out_a_whole_task_is_known(found: Any, text: str, is_printed: bool) -> None:
    assert [use.is_printed for use in found(text)] == [is_printed]


def test_a_reference_says_how_it_is_written_and_what_it_uses() -> None:
    one = Reference(address="report[emea]", path=("json", 0, "a b"))
    assert (one.expression, one.member, one.is_pattern) == ("tasks['report[emea]'].json[0]['a b']", "json", False)
    all_of = Reference(address="report[*]")
    assert (all_of.expression, all_of.member, all_of.is_pattern) == ("tasks['report[*]']", None, True)
    assert Reference(address="a", path=("result",)).expression == "tasks.a.result"


def test_each_use_is_found_once_with_its_line(found: Any) -> None:
    uses = found("\n{{ tasks.b.result }} {{ tasks.b.result }}\n{{ tasks.a.result }}")
    assert [(use.address, use.line) for use in uses] == [("b", 2), ("a", 3)]


def test_what_is_wrong_with_a_use_is_told_at_its_place(found: Any, written: Any) -> None:
    written("tone.md", b"\n{{ tasks.a.result }}")
    one, other = found("x\n{{ tasks['r[*]'] }}{% include 'tone.md' %}")
    faults = [use.fault("There is no such task.", hint="Take another.") for use in (one, other)]
    assert [(fault.file, fault.line, fault.entry_line, fault.name) for fault in faults] == [
        ("", 2, 2, "tasks['r[*]']"),
        ("tone.md", 2, 2, "tasks.a"),
    ]
    assert (faults[0].detail, faults[0].hint) == ("There is no such task.", "Take another.")


@pytest.mark.parametrize("text", ["{{ 'tasks.x' }}", "tasks.x", "{# tasks.x #}", "{% raw %}{{ tasks.x }}{% endraw %}"])
def test_what_only_looks_like_a_use_is_none(found: Any, text: str) -> None:
    assert found(text) == ()


@pytest.mark.parametrize("text", ["tasks include import", "{{ vars.region }}", "{% if x %}{% endif %}", "{# note #}"])
def test_a_text_that_uses_nothing_does_not_load_the_engine(text: str) -> None:
    assert not may_refer(text)
    assert ReferenceFinder(lambda: pytest.fail("the engine was asked for")).references(text, NAMES) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\n{{ tasks }}", "`tasks` alone names no result. Write `tasks.NAME.result`"),
        ("\n{% for t in tasks %}{% endfor %}", "`tasks` alone"),
        ("\n{{ m(tasks) }}", "`tasks` alone"),
        ("\n{{ tasks | tojson }}", "`tasks` alone"),
        ("\n{{ tasks.items() }}", "nothing that can be called"),
        ("\n{{ tasks.get('a').result }}", "nothing that can be called"),
        ("\n{{ tasks.my-task.result }}", "Write a name with `-` in brackets: `tasks['my-…']`."),
        ("\n{% set tasks = 1 %}", "cannot be given another value"),
        ("\n{% for tasks in vars.quarters %}{% endfor %}", "cannot be given another value"),
        ("\n{% macro m(tasks) %}{% endmacro %}", "cannot be given another value"),
        ("\n{% macro tasks() %}{% endmacro %}", "cannot be given another value"),
        ("\n{% import 'x' as tasks %}", "cannot be given another value"),
        ("\n{% from 'x' import y as tasks %}", "cannot be given another value"),
        ("\n{% for q in vars.quarters %}{{ tasks['r[' ~ q ~ ']'].result }}{% endfor %}", "depends on `q`, which"),
        ("\n{{ tasks[tasks.a.result].result }}", "depends on the result of another task"),
        ("\n{{ tasks[vars.regoin].result }}", "`vars.regoin` is not declared."),
        ("\n{{ tasks['A B'].result }}", "`A B` is not the address of a task."),
        ("\n{{ tasks[1].result }}", "`1` is not the address of a task."),
        ("\n{{ tasks. }}", "A name is missing after the dot"),
        ("\n{% include tasks.a.result %}", "depends on the result of another task"),
        ("\n{% for q in vars.quarters %}{% include q %}{% endfor %}", "depends on `q`, which"),
        ("\n{% include 'none.md' %}", "There is no file `none.md`."),
    ],
)
def test_a_use_that_cannot_be_told_is_refused_at_its_line(found: Any, text: str, words: str) -> None:
    with pytest.raises(WrongTemplateError) as caught:
        found(text)
    assert words in f"{caught.value.detail} {caught.value.hint}"
    assert (caught.value.file, caught.value.line, caught.value.entry_line) == ("", 2, 2)


def test_uses_in_included_files_and_macros_are_found(found: Any, written: Any) -> None:
    written("tone.md", b"\n{% include 'deep.md' %}")
    written("deep.md", b"{{ tasks['r[' ~ matrix.region ~ ']'].result }}")
    written("macros/m.md", b"\n\n{% macro m() %}{{ tasks.sum.json }}{% endmacro %}")
    uses = found("{% from 'm.md' import m %}\n{% include vars.part %}{% include 'tone.md' %}")
    assert [(use.address, use.file, use.line, use.entry_line) for use in uses] == [
        ("sum", "macros/m.md", 3, 1),
        ("r[emea]", "deep.md", 1, 2),
    ]


def test_a_mistake_in_an_included_file_has_its_place_there(found: Any, written: Any) -> None:
    written("tone.md", b"\n\n{{ tasks }}")
    with pytest.raises(WrongTemplateError) as caught:
        found("\n{% include 'tone.md' %}")
    assert (caught.value.file, caught.value.line, caught.value.entry_line) == ("tone.md", 3, 2)


def test_files_that_include_each_other_are_analysed_to_an_end(found: Any, written: Any) -> None:
    written("a.md", b"{% include 'b.md' %}{{ tasks.x.result }}")
    written("b.md", b"{% include 'a.md' %}")
    assert [use.address for use in found("{% include 'a.md' %}")] == ["x"]


def test_the_same_text_is_answered_for_each_cell(renderer: Renderer) -> None:
    finder = ReferenceFinder(lambda: renderer)
    text = "{{ tasks['r[' ~ matrix.region ~ ']'].result }}"
    asked = [finder.references(text, {"matrix": {"region": region}}) for region in ("emea", "apac")]
    assert [use.address for (use,) in asked] == ["r[emea]", "r[apac]"]


def test_a_deeply_nested_text_is_refused(found: Any) -> None:
    with pytest.raises(WrongTemplateError):
        found("{{ tasks.a.result" + " + 1" * 20000 + " }}{% include " + "(" * 3000 + " %}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ tasks.extract.result }}", "(known after extract)"),
        ("a {{ tasks.extract.result }}", "a (known after extract)"),
        ("a {{ tasks.extract.result.rows[0]['x'] }}{{ vars.part }}", "a (known after extract)tone.md"),
        ("{{ tasks.extract.result ~ '!' }}", "(known after extract)!"),
        ("{% set x = tasks.extract.result %}{{ x[:3] }}", "(known after extract)"),
        ("{{ [tasks.extract.result] }}", ["(known after extract)"]),
        ("{{ tasks.extract }}", {"result": "(known after extract)"}),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(tasks.extract.result) }}", "<(known after extract)>"),
    ],
)
def test_what_is_not_known_yet_is_shown_as_words(renderer: Renderer, text: str, shown: Any) -> None:
    assert renderer.render(text, LATER) == shown
    parts = split(text)
    if parts is not None and (short := fill(parts, LATER)) is not NOTHING:
        assert short == shown


@pytest.mark.parametrize(
    "expression",
    [
        "X | upper",
        "X | tojson",
        "X | default('a')",
        "[X] | join",
        "X.upper()",
        "X == 'a'",
        "X != 'a'",
        "'a' < X",
        "X in ['a']",
        "'a' in X",
        "X is defined",
        "X is none",
        "'a' if X",
        "not X",
        "X and 1",
        "X + 'a'",
        "'a' + X",
        "2 * X",
        "X / 2",
        "-X",
        "vars.quarters[X]",
        "vars.part.replace('a', X)",
        "{X: 1}",
        "'a' ~ [X]",
        "file(X)",
    ],
)
def test_nothing_is_computed_with_what_is_not_known_yet(renderer: Renderer, expression: str) -> None:
    with pytest.raises(LaterError, match=r"not known yet: \(known after extract\)"):
        renderer.render("{{ " + expression.replace("X", "tasks.extract.result") + " }}", LATER)


@pytest.mark.parametrize("tag", ["for x in X", "if X", "include X"])
def test_no_statement_looks_into_what_is_not_known_yet(renderer: Renderer, tag: str) -> None:
    end = "" if "include" in tag else "{% end" + tag.split(maxsplit=1)[0] + " %}"
    with pytest.raises(LaterError):
        renderer.render("{% " + tag.replace("X", "tasks.extract.result") + " %}" + end, LATER)


def test_a_result_is_data_and_never_rendered_again(renderer: Renderer, tmp_path: Path) -> None:
    names = {**NAMES, "tasks": {"extract": {"result": "{{ file('tone.md') }}{% include 'tone.md' %}"}}}
    assert renderer.render("{{ tasks.extract.result | trim }}", names) == names["tasks"]["extract"]["result"]


class Recorded(dict[str, Any]):
    """Results that note which of them were asked for."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.asked.add(key)
        return super().__getitem__(key)


USE = st.sampled_from(
    [
        "tasks.a",
        "tasks.b.result",
        "tasks['c']",
        "tasks['a']['result'].upper()",
        "tasks['r[' ~ matrix.region ~ ']'].result",
        "tasks[vars.part].result",
        "(tasks.a if vars.part else tasks.b)",
        "[tasks.a, {'x': tasks.b}]",
        "vars.part",
    ]
)
AROUND = st.sampled_from(
    [
        "{{ X }}",
        "{% set x = X %}{{ x }}",
        "{% for y in [X] %}{{ y }}{{ loop.index }}{% endfor %}",
        "{% if X %}y{% endif %}",
        "{% macro m(x) %}{{ x }}{{ X }}{% endmacro %}{{ m(X) }}",
        "{% filter upper %}{{ X }}{% endfilter %}",
        "{% set z %}{{ X }}{% endset %}{{ z }}",
        "{% with w = X %}{{ w }}{% endwith %}",
        "{% macro c() %}{{ caller() }}{% endmacro %}{% call c() %}{{ X }}{% endcall %}",
        "{{ 'a' if X is defined }}",
        "{{ (X) | default('y') | string | trim(chars=X | string) }}",
    ]
)


@given(st.lists(st.tuples(AROUND, USE), min_size=1, max_size=4))
def test_no_result_is_used_that_was_not_found_before(pieces: list[tuple[str, str]]) -> None:
    text = "".join(around.replace("X", use) for around, use in pieces)
    tasks = Recorded({address: {"result": "text"} for address in ["a", "b", "c", "r[emea]"]})
    names = {"vars": Names({"part": "c"}, path="vars"), "matrix": {"region": "emea"}}
    renderer = Renderer(None)
    found = ReferenceFinder(lambda: renderer).references(text, names)
    renderer.render(text, {**names, "tasks": tasks})
    assert tasks.asked <= {use.address for use in found}


PIECE = st.sampled_from(
    ["a", "\n", " include ", "{{ tasks.a }}", "{{tasks.b.result}}", "{{ vars.part }}", "{{ tasks.c.json.x }}"]
)


@given(st.lists(PIECE, max_size=6).map("".join))
def test_the_short_way_finds_what_the_analysis_finds(text: str) -> None:
    renderer = Renderer(None)
    short = ReferenceFinder(lambda: pytest.fail("the engine was asked for")).references(text, NAMES)
    assert short == ReferenceFinder(lambda: renderer).references(text + "{# #}", NAMES)


@pytest.mark.parametrize("use", ["tasks", "tasks.Extract", "tasks.X.result"])
def test_the_short_way_refuses_what_the_analysis_refuses(use: str) -> None:
    renderer = Renderer(None)
    faults = []
    for text in [f"\n{{{{ {use} }}}}", f"\n{{{{ {use} }}}}{{# #}}"]:
        with pytest.raises(WrongTemplateError) as caught:
            ReferenceFinder(lambda: renderer).references(text, NAMES)
        faults.append(vars(caught.value))
    assert faults[0] == faults[1]
