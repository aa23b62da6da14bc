"""No template of a project reaches the inside of Python, wherever it stands; what other agents say is no template."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "desired"))

from hostile_projects import HEAD
from test_desired_injection import EXPRESSIONS

# What was published about the engine's sandbox: indirect calls of `format`, `attr`, names of templates, `xmlattr` …
PUBLISHED = """
'{0.__class__}' | attr('format')
('{0.__class__.__init__.__globals__}' | attr('format'))(vars)
['{0.__class__}'.format] | map('string') | list
'{0.__class__.__mro__}'.format_map(vars)
['{0}'] | map('format', vars) | list
[''] | map('attr', '__class__') | list
[''] | map(attribute='__class__.__mro__') | list
vars | attr('get') | attr('__globals__')
{'a b': 1} | xmlattr
vars | xmlattr
self._TemplateReference__context.vars
self.__init__.__globals__.__builtins__
lipsum.__globals__['os'].popen('id').read()
cycler.__init__.__globals__.os.popen('id').read()
joiner.__init__.__globals__.os
namespace.__init__.__globals__.os
url_for.__globals__['os']
get_flashed_messages.__globals__
request['application']['__globals__']
''['\\x5f\\x5fclass\\x5f\\x5f']
''['__cla' + 'ss__']
''|attr('__cla' ~ 'ss__')
''|attr(['__','class','__']|join)
().__class__.__bases__[0].__subclasses__()[40]('/etc/passwd').read()
[].__class__.__base__.__subclasses__()
{}.__class__.__mro__[1]
(1).__class__.__init__.__globals__
vars.items.__func__.__globals__
vars.get.__self__
project.name.join.__class__
file.__init__.__globals__
file.__class__.__mro__
(file | string).__class__
dict.mro()
range.__class__
config.__class__.__init__.__globals__
x.__init__.__builtins__
_.__class__
__loader__
__spec__
exec('x')
eval('1')
globals()
locals()
vars.__getattribute__('x')
vars.__reduce__()
vars.__reduce_ex__(2)
vars.__init_subclass__
vars.__dir__()
environment.__class__.__mro__
environment.globals
environment.loader
self.environment
loop.__init__
caller.__closure__
varargs.append
kwargs.pop
undefined.__class__
nope.__class__
""".strip().splitlines()
PAYLOADS = list(dict.fromkeys([*EXPRESSIONS, *PUBLISHED]))
ACTIVE = ("root:", "object at 0x", "<class", "<function", "built-in", "taskspec.desired", "uid=")


def test_there_are_enough_payloads():
    assert len(PAYLOADS) >= 150


def tasks(hostile, specs):
    documents = [
        json.dumps(
            {
                "apiVersion": "taskspec/v1",
                "kind": "Task",
                "metadata": {"name": f"p{number}"},
                "spec": {"agent": "a", "prompt": "x", **spec},
            }
        )
        for number, spec in enumerate(specs)
    ]
    hostile.write("all.yaml", "\n---\n".join(documents))


PLACES = {
    "prompt": lambda text: {"prompt": f"a {text}"},
    "matrix": lambda text: {"matrix": {"a": text}},
    "value of a matrix": lambda text: {"matrix": {"a": [text]}},
    "left out": lambda text: {"matrix": {"a": ["x"], "exclude": text}},
    "forEach": lambda text: {"forEach": text},
    "items": lambda text: {"forEach": {"items": text, "key": "id"}},
    "file of items": lambda text: {"forEach": {"file": text}},
    "dependsOn": lambda text: {"dependsOn": [text]},
    "files": lambda text: {"files": [text]},
    "agent": lambda text: {"agent": text},
    "payload": lambda text: {"payloadExtension": {"a": [{"b": text}]}},
    "token": lambda text: {"userTokens": {"a": text}},
    "schema": lambda text: {"outputSchema": {"const": text}},
    "file": lambda text: {"prompt": "{{ file(" + text[2:-2] + ") }}"},
    "key": lambda text: {"payloadExtension": {text: 1}},
}


@pytest.mark.parametrize("place", PLACES)
def test_no_payload_is_computed_wherever_it_stands(hostile, place):
    hostile.project()
    tasks(hostile, [PLACES[place]("{{ " + payload + " }}") for payload in PAYLOADS])
    done = hostile.refused("validate")
    wrong = {line.split(":")[1] for line in done.err.splitlines() if line.startswith("all.yaml:")}
    assert len(wrong) == len(PAYLOADS)
    words = "\n".join(line for line in done.err.splitlines() if " | " not in line)  # but not the lines themselves
    assert not [sign for sign in ACTIVE if sign in words.replace("uid=1", "")]


def test_no_payload_of_the_defaults_is_computed(hostile):
    for number, payload in enumerate(PAYLOADS[::10]):
        text = json.dumps("{{ " + payload + " }}")
        hostile.project(f"defaults: [{{spec: {{additionalContext: {text}}}}}]")
        hostile.task(name=f"t{number}", file="t.yaml")
        done = hostile.refused("validate")
        assert "Wrong template" in done.err


RESULTS = [
    "{{ vars.secret }}",
    "{% include 'secret.md' %}{{ ''.__class__ }}",
    "{{ 7 * 7 }}{# x #}",
    "\x1b]0;pwned\x07\x1b[2J::error::x",
    "null\x00byte",
]


@pytest.mark.parametrize("result", RESULTS)
def test_what_another_agent_says_is_data(hostile, result):
    hostile.write("says.txt", result)
    hostile.write("secret.md", "SECRET-OF-A-FILE")
    agents = "agents: {first: {command: [cat, says.txt]}, second: {command: [cat]}}"
    declared = "variables: {secret: {type: string, sensitive: true, default: SECRET-OF-A-VARIABLE}}"
    hostile.write("taskspec.yaml", f"{HEAD}kind: Project\nmetadata: {{name: p}}\nspec:\n  {agents}\n  {declared}\n")
    hostile.task(name="one", file="one.yaml", agent="first")
    hostile.task(name="two", file="two.yaml", agent="second", prompt="<{{ tasks.one.result }}>{% if 1 %}!{% endif %}")
    said = ""
    for command in (["apply", "--yes"], ["status"], ["plan"], ["results"]):
        done = hostile.run(*command, megabytes=800)
        said += done.said
    assert "\x1b" not in said
    assert "\x00" not in said
    written = "".join(path.read_text() for path in (hostile.folder / "results").glob("*") if path.is_file())
    assert "SECRET-OF" not in said + written
    assert "49" not in (hostile.folder / "results/two.txt").read_text() if "7 * 7" in result else True
