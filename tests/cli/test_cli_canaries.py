"""Secrets in every place where one can be given, and a search for them in all that any command writes or keeps."""

import base64
import hashlib
import json
import subprocess
import urllib.parse

import pytest
import yaml
from canary_values import Search, canary, plain
from commanded_remote import Checkout, CommandedRemote
from fault_server import http

GIVEN = {
    "by_default": canary("by_default"),
    "by_environment": canary("by_environment"),
    "by_option": canary("by_option"),
    "by_process": canary("by_process"),
    "by_yaml": canary("by_yaml"),
    "by_json": canary("by_json"),
    "by_dotenv": plain("by_dotenv"),
    "pin": "4711",
}
"""Sensitive variables, each by its name given in another way."""
NESTED = {"by_map": {"key": canary("by_map")}, "by_list": [canary("by_list")]}
OTHERS = {
    name: plain(name)
    for name in (
        *("key", "token", "oidc", "header", "env", "env_vars", "envVars", "api_key", "apiKey", "client"),
        *("file", "part", "row", "given"),
    )
}
"""The key of the remote, and what is secret by the field in which it is written out, or for which it is read."""
AROUND = {name: plain(name) for name in ("crm", "unused", "job", "origin", "proxy")}
"""What the process environment and the repository hold beside that."""


def body_text(run):
    return run.body["input"]["text"]


class EchoingRemote(CommandedRemote):
    """A remote that repeats the whole request in its words, and says only `done` where it takes it."""

    def __init__(self, **script):
        super().__init__(**script)
        self.bodies = []

    async def _create(self, agent, request, writer):
        said = request.body.decode()
        self.bodies.append(request.body)
        everything = f"{request.method} {request.target} {request.headers} {said}"
        body = json.loads(said)
        match agent:
            case "says":
                writer.write(http(400, {"detail": everything}))
            case "repeats":
                writer.write(http(422, {"error": "wrong", "request": body, "headers": dict(request.headers)}))
            case "lists":
                wrong = [{"loc": ["body"], "msg": f"wrong: {body}", "input": body}, body["user_tokens"], said]
                writer.write(http(422, {"detail": wrong}))
            case "codes":
                writer.write(http(400, base64.b64encode(everything.encode()), content_type="text/plain"))
            case "quotes":
                writer.write(http(400, urllib.parse.quote_plus(everything).encode(), content_type="text/plain"))
            case "breaks":
                writer.write(http(500, f"<pre>{body['mcp_servers']}</pre>".encode(), content_type="text/html"))
            case _:
                await super()._create(agent, request, writer)

    def _apply(self, agent, request, key, after):
        run = super()._apply(agent, request, key, after)
        if agent == "writer":
            shaped = "Answer" in body_text(run)
            run.steps = [{"status": "completed", "result": '{"a": 1}' if shaped else "done"}]
        if agent == "slow":
            run.steps = ["executing"]
        if agent == "fails":
            run.steps = [{"status": "failed", "result": f"cannot work with {run.body}"}]
        return run


@pytest.fixture
def remote():
    with EchoingRemote() as made:
        made.agents = ["writer", "slow", "fails", *ECHOES]
        yield made


USED = " ".join(
    f"{{{{ vars.{name} }}}} {{{{ ('me:' ~ vars.{name}) | b64encode }}}} {{{{ [vars.{name}] | tojson }}}}"
    for name in GIVEN
    if name != "pin"
)
NESTED_USED = "{{ vars.by_map.key | indent(2) }} {{ vars.by_map | tojson }} {{ vars.by_list | join(',') }}"
ECHOES = ("says", "repeats", "lists", "codes", "quotes", "breaks")
"""Agents of the remote whose creates it refuses, each in other words that repeat the request."""
LEAKY = {
    "prompt": "Write with {{ vars.by_option }} and {{ vars.by_dotenv | b64encode }}.",
    "userTokens": {"crm": "{{ env.CRM_TOKEN }}", "other": "{{ vars.by_yaml }}"},
    "userOidcToken": "{{ vars.by_process }}",
    "mcpServers": [{"name": "m", "url": "https://m.test/", "headers": {"a": "Bearer {{ vars.by_dotenv }}"}}],
}


class Project(Checkout):
    """A checkout whose project is full of secrets."""

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def declare(self, **more):
        variables = {name: {"sensitive": True} for name in GIVEN}
        variables["by_default"]["default"] = GIVEN["by_default"]
        variables["by_map"] = {"sensitive": True, "type": "map", "default": NESTED["by_map"]}
        variables["by_list"] = {"sensitive": True, "type": "list", "default": NESTED["by_list"]}
        spec = {
            "remote": {"type": "xpander", "baseUrl": self.remote.root, "organization": "o"},
            "env": {"allow": ["CRM_TOKEN"]},
            "variables": variables,
            "environments": {"prod": {"variables": {"by_environment": GIVEN["by_environment"]}}},
            **more,
        }
        spec["remote"]["apiKey"] = {"env": "SALES_KEY"}
        self._document("taskspec.yaml", "Project", "sales", spec)

    def add(self, name, labels=None, **spec):
        said = {"agent": "writer", "prompt": f"Write {name}."} | spec
        self._document(f"{name}.yaml", "Task", name, said, labels=labels or {})

    def _document(self, file, kind, name, spec, **metadata):
        head = {"apiVersion": "taskspec/v1", "kind": kind, "metadata": {"name": name, **metadata}}
        document = {**head, "spec": spec}
        self.write(file, yaml.safe_dump(document, sort_keys=False))

    def give(self, monkeypatch):
        """Give the variables their values; return the words of the command line that are needed for that."""
        monkeypatch.setenv("TASKSPEC_VAR_by_process", GIVEN["by_process"])
        monkeypatch.setenv("TASKSPEC_VAR_pin", GIVEN["pin"])
        self.write("given/one.yaml", yaml.safe_dump({"by_yaml": GIVEN["by_yaml"]}))
        self.write("given/two.json", json.dumps({"by_json": GIVEN["by_json"]}, ensure_ascii=False))
        self.write("given/three.env", f"by_dotenv='{GIVEN['by_dotenv']}'\n")
        files = [word for name in ("one.yaml", "two.json", "three.env") for word in ("--var-file", f"given/{name}")]
        return ["--env", "prod", "--var", f"by_option={GIVEN['by_option']}", *files]


def declare_everything(project):
    """Declare tasks that use each secret, in each field that may hold one."""
    server = {
        "name": "m",
        "url": "https://m.test/{{ vars.by_dotenv }}",
        "headers": {"a": "Bearer {{ vars.by_option }}"},
    }
    project.add(
        "letter",
        prompt=f"{USED} {NESTED_USED} {{% include 'house.md' %}} {{{{ vars.pin | sha256 }}}}",
        additionalContext="{% from 'words.md' import greet %}{{ greet(vars.by_process, vars.by_json) }}",
        expectedOutput="{{ vars.by_environment }}",
        instructionsOverride="{{ vars.by_environment | trim }}",
        payloadExtension={"headers": {"a": "{{ vars.by_option }}"}, "list": ["{{ vars.by_list[0] }}"]},
        user={
            "email": "ann@x.test",
            "firstName": "{{ vars.by_map.key }}",
            "additionalAttributes": {"a": "{{ vars.pin }}"},
        },
        llm={"name": "{{ vars.by_dotenv }}"},
        agentVersion="{{ vars.by_dotenv }}",
        userTokens={"crm": "{{ env.CRM_TOKEN }}", "pin": "{{ vars.pin }}"},
        userOidcToken="{{ vars.by_yaml }}",
        mcpServers=[server],
    )
    shape = {
        "type": "object",
        "required": ["{{ vars.by_option }}"],
        "properties": {"a": {"const": "{{ vars.by_json }}"}},
    }
    project.add("shaped", prompt="Answer in a shape.", outputSchema=shape)
    project.add("rejected", prompt="Answer otherwise.", outputSchema=shape, assertions=[{"minLength": 1000}])
    project.add(
        "summary",
        prompt="Sum up {{ tasks.letter.result }} with {{ vars.by_option }}.",
        userOidcToken="{{ vars.by_option }}",
    )
    project.add("cells", matrix={"q": ["a", "b"]}, prompt="{{ matrix.q }} {{ vars.by_process }}")
    project.add("slow", agent="slow", prompt="Slowly {{ vars.by_process }}", userTokens={"a": "{{ vars.by_yaml }}"})
    for agent in ("fails", *ECHOES):
        project.add(f"x-{agent}", agent=agent, **LEAKY)


BEFORE = [
    *("validate", "validate --json", "validate --format github", "render", "render --json", "graph", "graph --json"),
    *("plan", "plan --json", "why letter", "why letter --json", "explain letter", "explain letter --json"),
    *("doctor", "doctor --json", "doctor --offline", "orphans", "plan --out plan.json"),
]
WHILE = [
    "apply plan.json --yes --json --on-unknown hold --no-wait",
    "apply --yes --json --on-unknown hold --no-wait",
    *(
        "plan",
        "plan --json",
        "plan --detailed-exitcode",
        "why letter",
        "why x-says --json",
        "logs letter",
        "logs slow --json",
    ),
    *("apply --yes --on-unknown hold --no-wait", "retry x-lists --yes --on-unknown hold --no-wait"),
    *("status", "status --json", "results", "results --json", "results letter", "orphans", "orphans --json", "doctor"),
]
AFTER = [
    *("stop slow --yes", "stop slow --yes --json", "apply --yes letter --rerun letter --json", "why slow"),
    *(
        "explain rows[a]",
        "explain rows[a] --json",
        "explain defaulted",
        "explain written",
        "explain written --json",
        "render --json",
        "why rows[a] --json",
    ),
    *("accept letter@g1 --yes", "forget cells[a] --yes", "adopt cells[a] run-1 --foreign --yes --json"),
]
OF_THE_STATE = [
    *("show plan.json", "show plan.json --json", "history", "history --json", "history letter", "history verify"),
    *("state list", "state list --json", "state show letter", "state show letter --json", "state show x-says"),
    *(
        "state show x-codes --json",
        "state show written --json",
        "state show rows[a] --json",
        "state mv cells[b] cells[c] --yes",
        "state pull",
    ),
    *("cancel", "agents list", "agents list --json"),
]


@pytest.fixture
def project(checkout, monkeypatch):
    checkout.__class__ = Project
    monkeypatch.setenv("SALES_KEY", OTHERS["key"])
    monkeypatch.setenv("CRM_TOKEN", AROUND["crm"])
    monkeypatch.setenv("UNUSED_TOKEN", AROUND["unused"])
    monkeypatch.setenv("BUILD_URL", f"https://ci.test/job/1?token={AROUND['job']}")
    monkeypatch.setenv("HTTPS_PROXY", f"http://ann:{AROUND['proxy']}@127.0.0.1:9")
    checkout.declare()
    checkout.given = checkout.give(monkeypatch)
    checkout.write("house.md", "We write {{ vars.by_default }} here.\n")
    checkout.write("macros/words.md", "{% macro greet(x, y) %}Dear {{ x }} {{ y | b64encode }}{% endmacro %}\n")
    return checkout


SAFE = {
    "taskspec.yaml": "the defaults of variables are written there by their author",
    "given/one.yaml": "a --var-file",
    "given/two.json": "a --var-file",
    "given/three.env": "a --var-file",
    "written.yaml": "the author has written secrets out in it",
    "token.txt": "a file of the author",
    "part.txt": "the same",
    "rows.json": "the same",
    ".git/config": "git keeps the address of its remote",
}
"""The files in which secrets stand by right."""


class Sinks:
    """Everything that commands say, with the secrets that it shows."""

    def __init__(self, project, search):
        self._project, self._search = project, search
        self.leaks, self.codes = {}, {}

    def run(self, *words, given=True):
        named = self._project.given if given else ["--env", "prod"]
        done = self._project.taskspec(*words, *named)
        name = " ".join(words)
        self.codes[name] = int(done.code)
        if found := self._search.leaks(done.out) + self._search.leaks(done.err):
            self.leaks[name] = found
        return done


def test_nothing_that_is_said_or_kept_of_a_project_shows_a_secret(project, tmp_path):
    declare_everything(project)
    subprocess.run(["git", "init", "-q"], cwd=project.folder, check=True)
    url = f"https://ann:{AROUND['origin']}@git.test/a.git"
    subprocess.run(["git", "remote", "add", "origin", url], cwd=project.folder, check=True)
    sinks = Sinks(project, Search(GIVEN | OTHERS | AROUND))
    for words in BEFORE:
        sinks.run(*words.split())
    assert sinks.codes["plan --out plan.json"] == 0
    written = {"header": OTHERS["header"], "env": OTHERS["env"], "env_vars": OTHERS["env_vars"]}
    project.add(
        "written",
        prompt="Write with {{ vars.by_option }}.",
        userTokens={"crm": OTHERS["token"]},
        userOidcToken=OTHERS["oidc"],
        mcpServers=[
            {"name": "a", "headers": {"a": written["header"]}, "env": {"a": written["env"]}},
            {"name": "b", "env_vars": {"a": written["env_vars"]}, "envVars": {"a": OTHERS["envVars"]}},
            {"name": "c", "api_key": OTHERS["api_key"], "apiKey": OTHERS["apiKey"], "client_secret": OTHERS["client"]},
        ],
    )
    project.write("token.txt", OTHERS["file"])
    project.write("part.txt", f"{OTHERS['part']}{{{{ vars.by_dotenv }}}}")
    project.write("rows.json", json.dumps([{"id": "a", "token": OTHERS["row"]}]))
    tokens = {"a": "{{ each.value.token }}", "b": "{{ file('token.txt') }}", "c": "{% include 'part.txt' %}"}
    project.add("rows", forEach={"file": "rows.json", "key": "id"}, userTokens=tokens)
    project.declare(defaults=[{"match": {"labels": {"a": "b"}}, "spec": {"userOidcToken": OTHERS["given"]}}])
    project.add("defaulted", labels={"a": "b"}, prompt="Write with {{ vars.pin }}.")
    for words in (*WHILE, *AFTER):
        sinks.run(*words.split())
    for words in OF_THE_STATE:
        sinks.run(*words.split(), given=False)
    assert {words: code for words, code in sinks.codes.items() if code in {64, 70}} == {}
    assert sinks.leaks == {}
    kept = Search(GIVEN | OTHERS | AROUND).kept(project.folder, tmp_path / "cache", but=SAFE)
    assert kept == {}


def test_no_digest_of_a_whole_request_is_kept_that_would_tell_a_short_secret(project):
    project.add("pinned", userTokens={"pin": "{{ vars.pin }}"}, prompt="Write {{ vars.pin }}.")
    assert project.taskspec("apply", "--yes", *project.given).code == 0
    (body,) = project.remote.bodies
    kept = b"".join(path.read_bytes() for path in project.folder.rglob("*") if path.is_file())
    assert b"bodyDigest" in kept
    assert hashlib.sha256(body).hexdigest().encode() not in kept


SHOWN = plain("mistaken")
MISTAKES = {
    "a value of another type": ("variables: {x: {type: integer, sensitive: true}}", ["--var", f"x={SHOWN}"]),
    "no value of the enum": ("variables: {x: {enum: [a, b], sensitive: true}}", ["--var", f"x={SHOWN}"]),
    "the enum of a secret": (f"variables: {{x: {{enum: ['{SHOWN}'], sensitive: true}}}}", ["--var", "x=a"]),
    "not of the pattern": ("variables: {x: {pattern: '^a$', sensitive: true}}", ["--var", f"x={SHOWN}"]),
    "no JSON": ("variables: {x: {type: map, sensitive: true}}", ["--var", f"x={{{SHOWN}"]),
    "a list with holes": ("variables: {x: {type: list, sensitive: true}}", ["--var", f"x={SHOWN},,{SHOWN}"]),
    "an undeclared variable": ("variables: {x: {sensitive: true, default: a}}", ["--var", f"y={SHOWN}"]),
    "a variable without its name": ("variables: {x: {sensitive: true}}", ["--var", SHOWN.replace("=", "")]),
    "a variable twice": ("variables: {x: {sensitive: true}}", ["--var", f"x={SHOWN}", "--var", f"x={SHOWN}"]),
    "a default of another type": (f"variables: {{x: {{type: integer, sensitive: true, default: '{SHOWN}'}}}}", []),
    "a default that does not fit": (f"variables: {{x: {{sensitive: true, pattern: '^a$', default: '{SHOWN}'}}}}", []),
    "an environment's value": (
        "\n  ".join(
            [
                "variables: {x: {type: integer, sensitive: true}}",
                f"environments: {{default: {{variables: {{x: '{SHOWN}'}}}}}}",
            ]
        ),
        [],
    ),
    "a misspelled sensitive": (f"variables: {{x: {{sensitve: true, default: '{SHOWN}'}}}}", []),
    "the key itself": (f"remote: {{type: xpander, apiKey: '{SHOWN}'}}", []),
    "a key in the wrong field": (f"remote: {{type: xpander, apiKey: {{value: '{SHOWN}'}}}}", []),
    "a password in the base URL": (f"remote: {{type: xpander, baseUrl: 'https://ann:{SHOWN}@x.test'}}", []),
    "a key in the base URL": (
        f"remote: {{type: xpander, baseUrl: 'https://x.test/?key={SHOWN}', apiKey: {{env: A}}}}",
        [],
    ),
}
IN_TASKS = {
    "a list of tokens": {"userTokens": [SHOWN]},
    "a token in a map": {"userTokens": {"crm": {"a": SHOWN}}},
    "a token with half a template": {"userTokens": {"crm": SHOWN + "{{ vars.x"}},
    "a token with a filter that is none": {"userTokens": {"crm": SHOWN + "{{ vars.x | nothing }}"}},
    "a token with an unknown name": {"userTokens": {"crm": SHOWN + "{{ vars.nothing }}"}},
    "a token that is computed with": {"userTokens": {"crm": "{{ '" + SHOWN + "' == vars.x }}"}},
    "an oidc token that is a list": {"userOidcToken": [SHOWN]},
    "servers that are none": {"mcpServers": [SHOWN]},
    "headers that are a list of maps": {"mcpServers": [{"name": "m", "headers": [{"a": SHOWN}, "{{ oh"]}]},
    "a file by a secret": {"files": ["{{ vars.x }}"]},
    "a file that is read by a secret": {"prompt": "{{ file(vars.x) }}"},
    "an include by a secret": {"prompt": "{% include vars.x %}"},
    "a title": {"title": "{{ vars.x }}"},
    "an agent": {"agent": "{{ vars.x }}"},
    "a source": {"source": "{{ vars.x }}"},
    "a trigger": {"rerun": {"triggers": {"a": "{{ vars.x }}"}}},
    "a matrix": {"matrix": {"q": ["{{ vars.x }}"]}},
    "a forEach": {"forEach": "{{ [vars.x] }}"},
    "a dependency": {"dependsOn": ["{{ vars.x }}"]},
    "a former name": {"moved": {"from": "{{ vars.x }}"}},
    "a number": {"toolCallLimit": "{{ vars.x }}"},
    "a choice": {"thinkMode": "{{ vars.x }}"},
    "a schema": {"outputSchema": {"type": "{{ vars.x }}"}},
    "a whole schema": {"outputSchema": "{{ vars.x }}"},
    "a user": {"user": {"email": "{{ vars.x }}", "timezone": 7}},
    "a key of a map": {"payloadExtension": {"{{ vars.x }}": 1}},
    "an index": {"prompt": "{{ vars.x.nothing }} {{ vars.x[0] }}"},
    "a number too large": {"prompt": "{{ vars.x * 100000000 }}"},
}
SAID = (
    "validate",
    "validate --json",
    "validate --format github",
    "plan",
    "doctor --offline --json",
    "status --json",
    "apply --yes",
)


@pytest.fixture
def mistaken(checkout, monkeypatch):
    def look(*given):
        sinks = Sinks(checkout, Search({"mistaken": SHOWN}))
        checkout.given = list(given)
        for words in SAID:
            sinks.run(*words.split())
        assert sinks.codes["validate"] in {1, 64}, sinks.codes
        return sinks.leaks

    checkout.__class__ = Project
    monkeypatch.setenv("A", "k" * 20)
    return look


@pytest.mark.parametrize("mistake", MISTAKES)
def test_no_mistake_in_a_project_shows_a_secret(checkout, mistaken, mistake):
    spec, given = MISTAKES[mistake]
    checkout.write(
        "taskspec.yaml", f"apiVersion: taskspec/v1\nkind: Project\nmetadata: {{name: sales}}\nspec:\n  {spec}\n"
    )
    checkout.add("one", prompt="Write {{ vars.x }}.")
    assert mistaken(*given) == {}


@pytest.mark.parametrize("mistake", IN_TASKS)
def test_no_mistake_in_a_task_shows_a_secret(checkout, mistaken, mistake):
    checkout.declare(variables={"x": {"sensitive": True}}, environments={})
    checkout.add("one", **IN_TASKS[mistake])
    assert mistaken("--var", f"x={SHOWN}") == {}
