"""No template reaches the inside of Python or ties up the machine: not in a manifest, an included file or a macro."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import little_work

from taskspec.desired.callables import BOUNDED, METHODS, TAKEN, TESTS
from taskspec.desired.including import ProjectTexts
from taskspec.desired.later import Later
from taskspec.desired.references import ReferenceFinder
from taskspec.desired.rendering import Renderer
from taskspec.desired.scope import Names, WrongTemplateError, mask, placeholders

NAMES: dict[str, Any] = {
    "vars": Names({"region": "emea", "l": ["b", "a"], "m": {"k": 1}, "n": 3}, path="vars"),
    "project": Names({"name": "sales-ops"}, path="project"),
    "environment": "default",
}
EXPRESSIONS = """
vars.__class__
vars['__class__']
vars['__cl' ~ 'ass__']
vars.region.__class__
''.__class__.__mro__[1].__subclasses__()
''['__class__']
().__class__.__bases__[0]
[].__class__
{}.__class__
(1).__class__
1.5.__class__
true.__class__
none.__class__
vars.region.__init__.__globals__
vars.region.format
vars.region.format.__globals__
vars.region.format(1)
vars.region.format_map({})
'{0.__class__}'.format(1)
'{0.__class__}'.format_map({'0': 1})
'%s' % vars
vars.region | attr('__class__')
vars.region | attr('upper')
vars.l | map('attr', '__class__') | list
vars.l | map(attribute='__class__') | list
vars.l | map('attr', '__class__')
vars.l | selectattr('__class__') | list
vars.l | rejectattr('__class__') | list
vars.l | groupby('__class__')
vars.l | sort(attribute='__class__')
vars.l | sum(attribute='__class__')
vars.l | unique(attribute='__class__') | list
vars.l | max(attribute='__class__')
vars.l | select('callable') | list
vars.region is callable
vars.region is sameas vars.region
vars.region | format(1)
vars.region | xmlattr
vars.region | pprint
vars.region | forceescape
vars.region | safe
vars.l | random
vars.region | urlize
vars.region | filesizeformat
vars.l | batch(2) | list
lipsum.__globals__
lipsum(1)
cycler.__init__.__globals__
cycler('a').next()
joiner.__init__.__globals__
namespace.__init__.__globals__
namespace(a=1)
range(3)
dict(a=1)
self
self.__init__.__globals__
self._TemplateReference__context
self.x()
request.application.__globals__
config.items()
get_flashed_messages.__globals__
url_for.__globals__
open('/etc/passwd')
__import__('os')
__builtins__
environment.__class__
context
context.vars
caller
caller()
varargs.__class__
kwargs.__class__
loop
loop.__class__
_taskspec_value
__jinja_template__
template
resolve
undefined
missing
file
file.__class__
file.__call__('/etc/passwd')
file._call
file.func_globals
file('/etc/passwd')
file('../../etc/passwd')
file('a/../../../etc/passwd')
file('link')
file('folder')
file('pipe')
file('/proc/self/environ')
file('\\0')
file(vars)
file(['a'])
file()
file('a', 'b')
vars.m.update({})
vars.m.pop('k')
vars.m.clear()
vars.m.setdefault('x', 1)
vars.l.append(1)
vars.l.extend([1])
vars.l.insert(0, 1)
vars.l.sort()
vars.region.encode()
vars.region.translate({})
vars.region.maketrans('a')
vars.region.center(9)
vars.region.zfill(9)
vars.region.expandtabs(9)
vars.region.upper.__self__
vars.region.upper.__func__
vars.region.upper._owner
vars.region.upper._meter
(vars.region.upper).__call__
vars()
vars.region()
1()
""".strip().splitlines()
STATEMENTS = [
    "{% for x in vars.l %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in vars.l %}{{ loop }}{% endfor %}",
    "{% for x in vars.l %}{{ loop._iterable }}{% endfor %}",
    "{% for x in vars.l %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{% for x in vars.l %}{{ loop(x) }}{% endfor %}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
    "{% if ''.__class__ %}{% endif %}",
    "{% set x = ''.__class__ %}{{ x }}",
    "{% set vars.region = 1 %}",
    "{% macro x() %}{% endmacro %}{{ x.__globals__ }}",
    "{% macro x() %}{% endmacro %}{{ x.__init__.__globals__ }}",
    "{% macro x() %}{% endmacro %}{{ x._func }}",
    "{% macro x() %}{% endmacro %}{{ x._environment }}",
    "{% macro x() %}{% endmacro %}{{ x.name }}",
    "{% macro x() %}{% endmacro %}{{ x }}",
    "{% macro x() %}{{ caller.__class__ }}{% endmacro %}{% call x() %}{% endcall %}",
    "{% macro x() %}{{ varargs.__class__ }}{% endmacro %}{{ x(1) }}",
    "{% macro x() %}{{ kwargs.__class__ }}{% endmacro %}{{ x(a=1) }}",
    "{% import 'empty.md' as m %}{{ m }}",
    "{% import 'empty.md' as m %}{{ m.__class__ }}",
    "{% import 'empty.md' as m %}{{ m.__dict__ }}",
    "{% import 'empty.md' as m %}{{ m._body_stream }}",
    "{% import 'empty.md' as m %}{{ m['__class__'] }}",
    "{% import 'empty.md' as m %}{{ m.__name__ }}",
    "{% from 'empty.md' import __class__ %}",
    "{% from 'empty.md' import _body_stream %}",
    "{% from '../empty.md' import x %}",
    "{% from '/etc/passwd' import x %}",
    "{% import '../../etc/passwd' as x %}",
    "{% include '/etc/passwd' %}",
    "{% include '../x' %}",
    "{% include 'link' %}",
    "{% include 'folder' %}",
    "{% include 'pipe' %}",
    "{% include vars %}",
    "{% include ['empty.md'] %}",
    "{% include 'empty.md' ignore missing %}",
    "{% extends 'empty.md' %}",
    "{% block x %}{% endblock %}",
    "{% filter attr('__class__') %}x{% endfilter %}",
    "{% autoescape false %}{% endautoescape %}",
    "{% do vars.l.append(1) %}",
    "{% debug %}",
    "{% trans %}x{% endtrans %}",
    "{% for x in vars.l recursive %}{{ loop(vars.l) }}{% endfor %}",
]
PAYLOADS = ["a {{ " + expression + " }}" for expression in EXPRESSIONS] + STATEMENTS
BOMBS = [
    "{{ 'x' * 10**9 }}",
    "{{ [[1] * 100000] * 100000 }}",
    "{{ 9 ** (9 ** 9) }}",
    "{{ '%0999999999d' % 1 }}",
    "{{ 'x' | indent(10**9) }}",
    "{{ ['x' * 1000] * 1000 | join('y' * 100000) }}",
    "{{ ([[1] * 300] * 300) | tojson(15) }}",
    "{% set a = [1] * 1000 %}{% for i in a %}{% set a = [a, a] %}{{ a | toyaml }}{% endfor %}",
    "{% set s = 'x' * 1000 %}{% for a in s %}{% for b in s %}{% for c in s %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in 'x' * 90000 %}" + "x" * 1000 + "{% endfor %}",
    "{% set x %}{% for a in 'x' * 90000 %}" + "x" * 1000 + "{% endfor %}{% endset %}{{ x | length }}",
    "{% filter length %}{% for a in 'x' * 90000 %}" + "x" * 1000 + "{% endfor %}{% endfilter %}",
    "{% macro m() %}{% for a in 'x' * 90000 %}{{ '" + "x" * 1000 + "' }}{% endfor %}{% endmacro %}{{ m() | length }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(29) }}",
    "{% macro m(n) %}{% if n %}{{ m(n-1) ~ m(n-1) }}{% else %}" + "x" * 1000 + "{% endif %}{% endmacro %}{{ m(29) }}",
    "{% macro a(n) %}{{ b(n) }}{% endmacro %}{% macro b(n) %}{{ a(n) }}{% endmacro %}{{ a(1) }}",
    "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{% call m() %}{% endcall %}",
    "{% macro m(a=(1,)*1000000) %}{% endmacro %}{% for i in 'x' * 90000 %}{{ m(*('x' * 1000)) }}{% endfor %}",
    "{% for i in 'x' * 90000 %}{% include 'kilo.md' %}{% endfor %}",
    "{% set x %}{% for i in 'x' * 90000 %}{% include 'kilo.md' %}{% endfor %}{% endset %}",
    "{% for i in 'x' * 90000 %}{% import 'kilo.md' as m %}{% endfor %}",
    "{% for i in 'x' * 90000 %}{% set y = file('mega.md') %}{% endfor %}",
    "{% include 'circle.md' %}",
    "{% include 'round.md' %}",
    "{% import 'circle.md' as m %}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ 1" + " + 1" * 20000 + " }}",
    "{{ " + "not " * 20000 + "1 }}",
    "{{ '" + "[" * 100000 + "' | fromjson }}",
    "{{ '" + "9" * 100000 + "' | fromjson }}",
    "{{ vars.region" + ".a" * 50000 + " }}",
    "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
    "{% macro m() %}" * 300 + "{% endmacro %}" * 300,
    "{{ 'x' * 1000000 | b64encode | b64encode | b64encode }}",
    "{{ '2026-01-31' | add_days(10 ** 12) }}",
    "{{ '2026-01-31' | date('%Y' * 100000) }}",
]


@pytest.fixture
def renderer(workshop: Any, written: Any, tmp_path: Path) -> Renderer:
    import os

    written("kilo.md", b"x" * 1000)
    written("mega.md", b"x" * 1000000)
    written("empty.md", b"x")
    written("macros/empty.md", b"{% macro y() %}{% endmacro %}")
    written("macros/kilo.md", b"x" * 1000)
    written("macros/circle.md", b"{% import 'circle.md' as m %}")
    written("circle.md", b"{% include 'circle.md' %}")
    written("round.md", b"{% include 'a/b.md' %}")
    written("a/b.md", b"{% include 'a/../round.md' %}")
    written("folder/x.md", b"x")
    (tmp_path / "outside.md").write_text("OUTSIDE")
    (workshop.folder / "link").symlink_to(tmp_path / "outside.md")
    os.mkfifo(workshop.folder / "pipe")
    return Renderer(None, ProjectTexts(workshop.folder))


def placed(where: str, payload: str, written: Any) -> str:
    if where == "included":
        written("payload.md", payload.encode())
        return "{% include 'payload.md' %}"
    if where == "macro":
        written("macros/payload.md", ("{% macro run(vars) %}" + payload + "{% endmacro %}").encode())
        return "{% from 'payload.md' import run with context %}{{ run(vars) }}"
    return payload


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 60


@pytest.mark.parametrize("where", ["manifest", "included", "macro"])
@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_template_reaches_the_inside_of_python(renderer: Renderer, written: Any, where: str, payload: str) -> None:
    text = placed(where, payload, written)
    with pytest.raises(WrongTemplateError) as caught:
        pytest.fail(f"it gives {renderer.render(text, NAMES)!r}")
    said = f"{caught.value.detail} {caught.value.hint}"
    assert "OUTSIDE" not in said
    assert "root:" not in said
    assert "object at 0x" not in said
    assert "taskspec.desired" not in said


@pytest.mark.parametrize("where", ["manifest", "included", "macro"])
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_with_little_work(renderer: Renderer, written: Any, where: str, bomb: str) -> None:
    text = placed(where, bomb, written)
    with little_work(), pytest.raises(WrongTemplateError):
        renderer.render(text, NAMES)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is read from /proc")
def test_all_bombs_together_take_little_memory(renderer: Renderer, workshop: Any) -> None:
    program = r"""
import json, re, sys
from pathlib import Path
from taskspec.desired.including import ProjectTexts
from taskspec.desired.rendering import Renderer
from taskspec.desired.scope import WrongTemplateError
for bomb in json.load(sys.stdin):
    try:
        Renderer(None, ProjectTexts(Path(sys.argv[1]))).render(bomb, {"vars": {"region": "emea"}})
    except WrongTemplateError:
        continue
    sys.exit(1)
status = Path("/proc/self/status")
print(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1])
"""
    command = [sys.executable, "-c", program, str(workshop.folder)]
    done = subprocess.run(command, input=json.dumps(BOMBS), capture_output=True, text=True, check=True)
    assert int(done.stdout) < 400_000  # kilobytes


def test_a_renderer_is_as_good_as_new_after_every_refusal(renderer: Renderer) -> None:
    for text in ["{% include 'circle.md' %}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{{ 'x' * 10**9 }}"]:
        with pytest.raises(WrongTemplateError):
            renderer.render(text, NAMES)
        assert renderer.render("{% include 'empty.md' %}{% macro m() %}y{% endmacro %}{{ m() }}", NAMES) == "xy"


ATOMS = """1 -1 2.5 none '' 'a%' '{"a":1}' [] {} vars vars.s vars.n vars.l vars.m vars.t
x loop m file self tasks.a.result nope"""
EXPRESSION = st.recursive(
    st.sampled_from(ATOMS.split()),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(sorted(TAKEN | BOUNDED.keys()))).map("({0[0]} | {0[1]})".format),
        st.tuples(inner, st.sampled_from(sorted(BOUNDED)), inner).map("({0[0]} | {0[1]}({0[2]}))".format),
        st.tuples(inner, st.sampled_from(sorted(TESTS - {"in"}))).map("({0[0]} is {0[1]})".format),
        st.tuples(inner, st.sampled_from(sorted(METHODS[str] | METHODS[dict]))).map("{0[0]}.{0[1]}()".format),
        st.tuples(
            inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in", "and"]), inner
        ).map("({0[0]} {0[1]} {0[2]})".format),
        st.tuples(inner, inner).map("{0[0]}[{0[1]}]".format),
        st.tuples(inner, inner).map("{0[0]}[:{0[1]}]".format),
        st.tuples(inner, inner).map("m({0[0]}, *{0[1]})".format),
    ),
    max_leaves=6,
)
TEMPLATE = st.recursive(
    EXPRESSION.map("{{{{ {} }}}}".format),
    lambda inner: st.one_of(
        st.tuples(EXPRESSION, inner).map("{{% for x in {0[0]} %}}{0[1]}{{% endfor %}}".format),
        st.tuples(EXPRESSION, inner).map("{{% set x = {0[0]} %}}{0[1]}".format),
        st.tuples(EXPRESSION, inner).map("{{% macro m(x) %}}{0[1]}{{% endmacro %}}{{{{ m({0[0]}) }}}}".format),
        st.tuples(EXPRESSION, inner).map("{{% call(x) m({0[0]}) %}}{0[1]}{{% endcall %}}".format),
        inner.map("{{% set x %}}{}{{% endset %}}{{{{ x }}}}".format),
    ),
    max_leaves=3,
)


@given(TEMPLATE)
def test_whatever_a_template_says_nothing_but_its_own_mistake_comes_out(text: str) -> None:
    real: dict[str, Any] = {"s": "té\n", "n": 3, "l": ["a", "b"], "m": {"k": {"d": 1}}, "t": "CANARY'1"}
    masked = {**real, "t": mask("CANARY'1", "vars.t")}
    results = {"a": {"result": Later("(known after a)")}}
    renderer = Renderer(None)
    for values, secrets in [(real, None), (masked, placeholders(real, masked))]:
        names = {"vars": Names(values, path="vars"), "tasks": results}
        try:
            found = renderer.render(text, names, secrets)
        except WrongTemplateError as fault:
            found = f"{fault.detail} {fault.hint}"
            assert " at 0x" not in found
        assert secrets is None or "CANARY" not in repr(found)
    with contextlib.suppress(WrongTemplateError):
        ReferenceFinder(lambda: renderer).references(text, {"vars": Names(real, path="vars")})
