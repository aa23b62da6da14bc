"""Templates: values are rendered, never YAML text; names are strict; a fault has its exact place; work is bounded."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import little_work

from taskspec.desired.dotted import NOTHING, fill, split
from taskspec.desired.metering import MAX_TEXT
from taskspec.desired.rendering import Renderer
from taskspec.desired.scope import Names, WrongTemplateError

NAMES: dict[str, Any] = {
    "vars": Names(
        {"region": "emea", "n": 3, "f": 0.5, "yes": True, "none": None, "l": ["b", "a"], "m": {"k": {"d": "é\n"}}},
        path="vars",
    ),
    "project": Names({"name": "sales-ops"}, path="project"),
    "environment": "default",
}


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ vars.n }}", 3),
        ("{{- vars.l -}}", ["b", "a"]),
        ("{{ vars.yes }}", True),
        ("{{ vars.none }}", None),
        ("{{ vars.n + 1 }}", 4),
        ("{{ vars.l | sort | map('upper') }}", ["A", "B"]),
        ("{{ vars.m.items() }}", [["k", {"d": "é\n"}]]),
        ("{{ '}}' }}", "}}"),
        ("{{ '1e5' }}", "1e5"),
        ("{{ 'a' if vars.n == 4 }}", None),
        (" {{ vars.n }}", " 3"),
        ("{{ vars.n }}\n", "3\n"),
        ("{{ vars.n }}{{ vars.n }}", "33"),
        ("a{{ 'b' if vars.n == 4 }}c", "ac"),
        ("<{{ vars.m | tojson }}>", '<{"k": {"d": "é\\n"}}>'),
        ("<{{ {'b': '<', 'a': 1} | tojson }}>", '<{"a": 1, "b": "<"}>'),
        ("{% for x in vars.l %}{{ loop.index }}{{ x }}{% endfor %}", "1b2a"),
        ("{% set x = vars.n * 2 %}{{ x }}", "6"),
        ("{# nothing #}x", "x"),
        ("{{ environment }} {{ project.name }}", "default sales-ops"),
        ("{{ vars.region.replace('e', '3') }}!", "3m3a!"),
        ("{{ ', '.join(vars.l) }}!", "b, a!"),
    ],
)
def test_a_single_expression_keeps_its_type_and_everything_else_is_text(
    renderer: Renderer, text: str, value: Any
) -> None:
    found = renderer.render(text, NAMES)
    assert found == value
    assert type(found) is type(value)


LITERAL = st.text(alphabet="ab {}%#\n.é-", max_size=8)
VARIABLES = ["region", "n", "f", "yes", "none", "l", "m.k.d", "m", "not", "regoin", "region.upper", "m.items"]
OTHERS = ["vars", "environment", "project.name", "true", "nothing"]
DOTTED = st.sampled_from([*OTHERS, *(f"vars.{name}" for name in VARIABLES)])
PART = st.one_of(LITERAL, DOTTED.map("{{{{ {} }}}}".format), DOTTED.map("{{{{{}}}}}".format))


@given(st.lists(PART, max_size=6).map("".join))
def test_the_short_way_renders_byte_for_byte_what_the_engine_renders(text: str) -> None:
    parts = split(text)
    short = NOTHING if parts is None else fill(parts, NAMES)
    if short is not NOTHING:
        assert Renderer(None).render(text, NAMES) == short if "{{" in text else short == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ vars.regoin }}", "`vars.regoin` is not declared. Did you mean `region`?"),
        ("{{ vars['regoin'] }}", "`vars.regoin` is not declared. Did you mean `region`?"),
        ("{{ vars.regoin | default('x') }}", "`vars.regoin` is not declared."),
        ("{{ region }}", "Write `vars.region`."),
        ("{{ project.nam }}", "`project.nam` is not declared. Did you mean `name`?"),
        ("{{ enviroment }}", "Did you mean `environment`?"),
        ("{{ vars.m.kk }}", "The map has no key `kk`."),
        ("{{ [vars.m.kk] }}", "The map has no key `kk`."),
        ("{{ vars.l[7] }}", "The list has no item 7: it has 2."),
        ("{{ tasks.extract.json.total }}", "The result of another task cannot be used here"),
        ("{{ matrix.quarter }}", "This task has no `matrix`"),
        ("{{ each.key }}", "This task has no `forEach`"),
        ("{{ env.HOME }}", "`env` is not known here."),
        ("{{ file('x.md') }}", "There are no files to read here."),
        ("{% macro m() %}{% endmacro %}{{ m }}", "`m` is a macro. Call it: `m(…)`."),
        ("{{ file }}", "`file` is a function. Call it: `file(…)`."),
        ("{{ range(3) }}", "`range` is not known here."),
        ("{{ vars.region | uper }}", "There is no filter `uper`. Did you mean `upper`?"),
        ("{{ vars.region is strin }}", "There is no test `strin`. Did you mean `string`?"),
        ("{{ vars.region.upper }}", "`upper` is a method. Call it: `upper()`."),
        ("a {{ vars.region.upper ~ 'x' }}", "`upper` is a method."),
        ("{% if vars.region.upper %}{% endif %}", "`upper` is a method."),
        ("{{ vars.n / 0 }}", "The template divides by zero."),
        ("{{ vars.n + vars.region }}", "`+` does not go with a number and a text."),
        ("{{ vars.n vars.n }}", "`vars` cannot follow what stands before it."),
        ("{% if vars.n %}", "This `if` is not closed. Write `{% endif %}` where it ends."),
        ("{{ vars.", "A name is missing after the dot."),
        ("{% block x %}{% endblock %}", "`{% block %}` is not supported in manifests."),
        ("{% extends 'x' %}", "`{% extends %}` is not supported in manifests."),
        ("{% autoescape true %}{% endautoescape %}", "`{% autoescape %}` is not supported in manifests."),
        ("{% include 'x' %}", "There are no files to read here."),
        ("{% include 'x' ignore missing %}", "`{% include … %}` ignore missing is not supported"),
        ("{% include 'x' without context %}", "`{% include … %}` without context is not supported"),
        ("{% include ['x', 'y'] %}", "`{% include … %}` with a list is not supported"),
        ("{% for x in vars.l recursive %}{% endfor %}", "A recursive loop is not supported"),
    ],
)
def test_a_wrong_template_is_explained(renderer: Renderer, text: str, words: str) -> None:
    with pytest.raises(WrongTemplateError) as caught:
        renderer.render(text, NAMES)
    assert words in f"{caught.value.detail} {caught.value.hint}"


@pytest.mark.parametrize(
    "text",
    [
        "{{ vars.__class__ }}",
        "{{ vars['__class__'] }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ vars.region.format.__globals__ }}",
        "{{ vars.region.format(1) }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ vars.l.append(1) }}",
        "{{ vars.m.update({}) }}",
        "{{ vars.region | attr('__class__') }}",
        "{{ vars.l | map(attribute='__class__') | list }}",
        "{{ self._TemplateReference__context }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ (1).__class__ }}",
        "{% for x in vars.l %}{{ loop.__class__ }}{% endfor %}",
        "{% for x in vars.l %}{{ loop }}{% endfor %}",
    ],
)
def test_no_template_reaches_the_inside_of_python(renderer: Renderer, text: str) -> None:
    with pytest.raises(WrongTemplateError):
        renderer.render(text, NAMES)


def test_a_template_cannot_change_a_value(renderer: Renderer) -> None:
    renderer.render("{% set x = vars.l %}{{ x | sort }}", NAMES)
    assert NAMES["vars"]["l"] == ["b", "a"]


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'x' * 10**8 }}",
        "{{ 10**8 * 'x' }}",
        "{{ [1] * 10**8 }}",
        "{{ 10 ** (10 ** 10) }}",
        "{{ (2 ** (4000)) * (2 ** 4000) }}",
        "{{ 'x' | center(10**9) }}",
        "{{ 'x'.center(10**9) }}",
        "{{ 'x'.ljust(10**9) }}",
        "{{ '%1000000000d' % 5 }}",
        "{{ 'x' | indent(10**9, true) }}",
        "{{ 1.5 | round(10**9) }}",
        "{{ {} | tojson(10**9) }}",
        "{% set a = 'x' * 1000 %}{% set a = a.replace('x', a) %}{{ a.replace('x', a) }}",
        "{% set a = 'x' * 1000 %}{% set a = a | replace('x', a) %}{{ a | replace('', a) }}",
        "{% set a = 'x' * 1000000 %}{{ a | join(a) }}",
        "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
        "{% set a = [1, 1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a }}",
        "{% set a = [1, 1] %}" + "{% set a = a + a %}" * 60 + "{{ a }}",
        "{% set s = 'x' * 1000 %}{% for a in s %}{% for b in s %}{% for c in s %}{% endfor %}{% endfor %}{% endfor %}",
        "{% set s = 'x' * 100000 %}{% for a in s %}{{ s }}{% endfor %}",
        "{% for a in 'x' * 90000 %}" + "x" * 1000 + "{% endfor %}",
    ],
)
def test_a_bomb_is_refused_at_once(renderer: Renderer, text: str) -> None:
    with little_work(), pytest.raises(WrongTemplateError):
        renderer.render(text, NAMES)


def test_a_text_of_the_greatest_length_is_rendered_and_one_more_character_is_not(renderer: Renderer) -> None:
    names = {"vars": Names({"x": "x" * (MAX_TEXT - 1)}, path="vars")}
    assert len(renderer.render("a{{ vars.x | trim }}", names)) == MAX_TEXT
    with pytest.raises(WrongTemplateError, match="longer than"):
        renderer.render("ab{{ vars.x | trim }}", names)


def test_a_deeply_nested_expression_is_refused_without_a_crash(renderer: Renderer) -> None:
    with pytest.raises(WrongTemplateError):
        renderer.render("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", NAMES)


def test_a_fault_names_the_line_of_its_expression(renderer: Renderer) -> None:
    with pytest.raises(WrongTemplateError) as caught:
        renderer.render("a\n{% if vars.n == 3 %}\n\n{{ vars.l | join(vars.regoin) }}\n{% endif %}", NAMES)
    assert caught.value.line == 4


def cached(folder: Path, text: str = "{{ vars.region | upper }}!") -> Any:
    renderer = Renderer(folder)
    found = renderer.render(text, NAMES)
    renderer.close()
    return found


def compilations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    from taskspec.desired.sandbox import Sandbox

    seen: list[Any] = []
    compile_really = Sandbox.compile
    monkeypatch.setattr(
        Sandbox, "compile", lambda self, *a, **k: seen.append(a) or compile_really(self, *a, **k), raising=True
    )
    return seen


def test_a_template_is_compiled_once_for_all_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = compilations(monkeypatch)
    assert [cached(tmp_path), cached(tmp_path)] == ["EMEA!", "EMEA!"]
    assert len(seen) == 1


def test_the_cache_is_readable_by_its_user_only(tmp_path: Path) -> None:
    cached(tmp_path)
    (file,) = (tmp_path / "templates").iterdir()
    assert (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_cache_that_others_can_write_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached(tmp_path)
    (tmp_path / "templates").chmod(0o777)
    seen = compilations(monkeypatch)
    assert cached(tmp_path) == "EMEA!"
    assert len(seen) == 1


def test_a_cache_file_that_is_no_database_means_no_cache(tmp_path: Path) -> None:
    cached(tmp_path)
    (file,) = (tmp_path / "templates").iterdir()
    file.write_bytes(b"not a database" * 100)
    assert cached(tmp_path) == "EMEA!"


def test_a_changed_entry_of_the_cache_is_not_run(tmp_path: Path) -> None:
    import sqlite3

    cached(tmp_path)
    (file,) = (tmp_path / "templates").iterdir()
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("UPDATE compiled SET content = substr(content, 1, 200) || X'00'")
    connection.close()
    assert cached(tmp_path) == "EMEA!"


def test_a_cache_folder_that_cannot_be_made_means_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert cached(tmp_path / "file" / "cache") == "EMEA!"


def test_a_locked_cache_means_no_cache(tmp_path: Path) -> None:
    import sqlite3

    cached(tmp_path)
    (file,) = (tmp_path / "templates").iterdir()
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    assert cached(tmp_path, "{{ vars.n + 1 }}") == 4
    connection.close()


def test_a_value_that_does_not_fit_names_its_line(renderer: Renderer) -> None:
    with pytest.raises(WrongTemplateError) as caught:
        renderer.render("\n\n{{ vars.n + vars.region }}", NAMES)
    assert caught.value.line == 3


def test_plain_and_dotted_projects_do_not_load_the_engine(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "taskspec.desired.rendering", None)
    workshop.declare("region", default="emea")
    assert workshop.spec("prompt: Hello {{ vars.region }}").task.spec["prompt"] == "Hello emea"


@pytest.mark.parametrize("text", ["{{ '\\ud800' }}", "a {{ '\\ud800' }} b", "{{ ['a', '\\udfff'] }}"])
def test_half_of_a_character_is_no_result(renderer: Renderer, text: str) -> None:
    with pytest.raises(WrongTemplateError, match="half of a character"):
        renderer.render(text, NAMES)


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_cache_in_a_folder_that_others_can_write_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    cached(tmp_path)
    tmp_path.chmod(mode)
    seen = compilations(monkeypatch)
    assert cached(tmp_path) == "EMEA!"
    assert len(seen) == 1


def test_a_cache_of_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    cached(tmp_path)
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    seen = compilations(monkeypatch)
    assert cached(tmp_path) == "EMEA!"
    assert len(seen) == 1


def test_a_cache_whose_folder_others_could_replace_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    cached(shared / "cache")
    assert (shared / "cache").stat().st_mode & 0o777 == 0o700
    shared.chmod(0o777)
    seen = compilations(monkeypatch)
    assert cached(shared / "cache") == "EMEA!"
    assert len(seen) == 1
    shared.chmod(0o1777)
    assert cached(shared / "cache") == "EMEA!"
    assert len(seen) == 1


@pytest.mark.parametrize("text", ["{{ [[1] * 100000] * 100000 }}", "{{ {'a': [[1] * 100000] * 1000} }}"])
def test_a_value_that_repeats_itself_without_end_is_refused_quickly(text: str) -> None:
    with pytest.raises(WrongTemplateError, match=r"too much work|more than"):
        Renderer(None).render(text, {})


def test_a_length_that_a_filter_cannot_take_is_the_authors_mistake() -> None:
    with pytest.raises(WrongTemplateError):
        Renderer(None).render("{{ 'abc' | truncate(-5) }}", {})


def test_a_rendering_is_the_same_in_every_process() -> None:
    program = """
from taskspec.desired.rendering import Renderer
text = "{{ ({'b': 1, 'a': [2, {'d': 'e', 'c': none}]}) | toyaml }}{{ ['b', 'a', 'b'] | unique | join }}"
text += "{{ {'z': 1, 'y': 2} }}{{ {'z': 1, 'y': 2} | tojson }}"
text += "{% for k, v in {'q': 1, 'p': 2}.items() %}{{ k }}{% endfor %}"
text += "{{ '2026-01-31T10:00:00' | add_days(1) | date('%A %d %B %H:%M') }}{{ 'x' | sha256 }}"
print(Renderer(None).render(text, {}))
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in [("1", "UTC"), ("2", "Asia/Tokyo")]
    }
    assert len(outputs) == 1
