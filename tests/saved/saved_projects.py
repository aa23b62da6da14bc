"""Projects, their past, and the plans that are saved of them, drawn by a seed: all that a plan may hold."""

import json
from dataclasses import dataclass, field
from random import Random

from saved_remote import PlayedRemote
from saved_worlds import EMBEDDED, HOSTED, World
from scripted_remote import Clock

from taskspec.errors import TaskspecError
from taskspec.runner.model import Refresh

FILES = {
    "notes/big.md": "It is big.\n",
    "notes/small.md": "It is {{ vars.tone }}.\n",
    "macros/style.md": "{% macro styled(what) %}Report on {{ what }}.{% endmacro %}",
    "data/rows.csv": "id,name\nada,Ada\nbob,Bob\n",
    "data/a.txt": "What goes with it.\n",
    "data/b.txt": "What else goes with it.\n",
}
PROJECT = {
    "remote": {"type": "xpander"},
    "env": {"allow": ["CRM", "COMMIT", "HOOK"]},
    "variables": {
        "token": {"type": "string", "sensitive": True},
        "tone": {"type": "string", "default": "plain"},
        "people": {"type": "list", "default": ["eve", "kim"]},
    },
}
STATUSES = ["error", "failed", "rejected", "stopped"]


@dataclass
class Drawn:
    """A world with a saved plan in it, and what it was drawn from."""

    seed: int
    world: World
    tasks: dict
    project: dict
    wish: dict
    """How the plan was asked for: the selection, what is made anew, how much is looked at."""
    options: dict = field(default_factory=dict)

    @property
    def document(self):
        """Return the saved plan as anybody reads it."""
        return json.loads(self.world.plan.read_text())


def drawn(seed, folder):
    """Draw a project, its past, and a plan that is saved."""
    for number in range(20):
        random = Random(f"{seed}.{number}")
        made = _project(seed, random, folder / f"p{seed}-{number}")
        try:
            _live(made, random)
            _plan(made, random)
        except TaskspecError as error:
            last = error
            continue
        return made
    raise AssertionError(f"no plan can be drawn from {seed}: {last.message}")


def _project(seed, random, folder):
    folder.mkdir()
    remote = PlayedRemote(clock=Clock(), seed=seed, honours_keys=random.random() < 0.3)
    world = World(folder=folder, remote=remote, takes_files=random.random() < 0.7)
    world.identity = random.choice([HOSTED, EMBEDDED])
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    project = json.loads(json.dumps(PROJECT))
    if random.random() < 0.3:
        project["limits"] = {"maxCreate": random.choice([1, 50]), "maxStop": 50}
    if random.random() < 0.3:
        project["budget"] = {"maxRuns": random.choice([3, 100])}
    if random.random() < 0.3:
        deny = random.choice(["change.agent == 'nobody'", "'secret_exposed' in change.risks"])
        project["policies"] = [{"name": "no-way", "deny": deny}]
    made = Drawn(seed=seed, world=world, tasks={}, project=project, wish={})
    for number in range(random.choice([1, 2, 3, 4, 6])):
        made.tasks[f"t{number}"] = _task(f"t{number}", made, random)
    write(made)
    return made


def write(made):
    """Write the documents; each task in a file of its own."""
    folder = made.world.folder / "tasks"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    document = {"apiVersion": "taskspec/v1", "kind": "Project", "metadata": {"name": "sales"}, "spec": made.project}
    (made.world.folder / "taskspec.yaml").write_text(json.dumps(document, indent=1))
    for name, spec in made.tasks.items():
        metadata = {"name": name, "labels": {"team": name[-1]}}
        document = {"apiVersion": "taskspec/v1", "kind": "Task", "metadata": metadata, "spec": spec}
        (folder / f"{name}.yaml").write_text(json.dumps(document, indent=1))


def _task(name, made, random):
    spec = {"agent": random.choice(["writer", "editor"])} | _prompt(name, made, random)
    if random.random() < 0.3:
        spec["title"] = f"Title of {name}"
    if random.random() < 0.2:
        spec["userTokens"] = {"crm": "{{ env.CRM }}"}
    if random.random() < 0.15:
        spec["mcpServers"] = [{"name": "m", "url": "https://mcp.test", "headers": {"auth": "{{ env.HOOK }}"}}]
    if random.random() < 0.15:
        spec["additionalContext"] = "At {{ env.COMMIT }}, {{ vars.tone }}."
    if made.world.takes_files and random.random() < 0.25:
        spec["files"] = random.sample(["data/a.txt", "data/b.txt"], random.choice([1, 2]))
    return spec | _policies(random)


def _prompt(name, made, random):
    before = list(made.tasks)
    kinds = ["plain", "plain", "matrix", "items", "rows", "include", "macro", "secret", "json"]
    kind = random.choice(kinds + ["uses"] * 4 if before else kinds)
    match kind:
        case "matrix":
            return {"matrix": {"q": ["q1", "q2"]}, "prompt": f"{name}: {{{{ matrix.q }}}} {{{{ vars.tone }}}}"}
        case "items":
            return {"forEach": "{{ vars.people }}", "prompt": f"{name}: to {{{{ each.key }}}}"}
        case "rows":
            rows = {"file": "data/rows.csv", "key": "id"}
            return {"forEach": rows, "prompt": f"{name}: to {{{{ each.value.name }}}}"}
        case "include":
            return {"prompt": f"{name}: {{% include 'notes/small.md' %}} {{{{ file('notes/big.md') }}}}"}
        case "macro":
            return {"prompt": f"{name}: {{% from 'style.md' import styled -%}}{{{{ styled('{name}') }}}}"}
        case "secret":
            return {"prompt": f"{name}: with {{{{ vars.token }}}}, {{{{ vars.token | b64encode }}}}"}
        case "json":
            schema = {"type": "object", "required": ["zeta"], "properties": {"zeta": {"type": "number"}}}
            return {"prompt": f"{name}: JSON", "outputSchema": schema}
        case "uses":
            return _uses(name, random.choice(before), made, random)
        case _:
            return {"prompt": f"{name}: write."}


def _uses(name, other, made, random):
    spec = made.tasks[other]
    if "matrix" in spec or "forEach" in spec:
        return {"dependsOn": [f"{other}[*]"], "prompt": f"{name}: when they are done."}
    if "outputSchema" in spec:
        shown = f"{{{{ tasks.{other}.json.zeta }}}}{{% if tasks.{other}.json.zeta > 1 %}}"
        text = f"{name}: {shown}{{% include 'notes/small.md' %}}{{% endif %}}"
    else:
        text = f"{name}: of {{{{ tasks.{other}.result }}}}, {{{{ vars.tone }}}}"
    if random.random() < 0.2:
        text += " with {{ vars.token }}"
    return {"prompt": text} | ({"dependsOn": [other]} if random.random() < 0.5 else {})


def _policies(random):
    said = {}
    if random.random() < 0.35:
        statuses = random.sample(STATUSES, random.choice([1, 2, 4]))
        said["retry"] = {"maxAttempts": random.choice([2, 3]), "statuses": statuses, "backoff": "1s"}
    if random.random() < 0.2:
        said["rerun"] = random.choice(["always", "never", {"after": "1h"}, {"when": "always", "after": "1h"}])
    for name, values in {
        "onRemove": ["stop", "forget", "hold"],
        "onChangeActive": ["replace", "queue", "hold"],
        "protect": [True],
        "sideEffects": [True],
        "timeout": ["30m"],
        "assertions": [[{"minLength": 1}], [{"regex": "nosuch"}], [{"regex": "answer"}]],
    }.items():
        if random.random() < 0.15:
            said[name] = random.choice(values)
    if said.get("sideEffects"):
        said.pop("retry", None)
    return said


def _live(made, random):
    """Let the project have a past: applies, edits, what was done by hand."""
    world = made.world
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        if random.random() < 0.2:
            world.remote.sends = [random.choice(["drop", "late", "lose", "answer"]) for _ in range(2)]
            world.remote.lateness = 90.0
        wait = random.random() < 0.4
        world.apply(_overriding(made), wait=wait, wait_timeout=random.choice([30.0, 900.0]), hold_unknown=True)
        world.remote.sends = []
        world.now += random.choice([1.0, 60.0, 7200.0])
        _advance(world, random)
        for _ in range(random.choice([0, 1, 2, 3])):
            edit(made, random)
        if random.random() < 0.15 and made.tasks:
            world.accept(random.choice(list(made.tasks)))
    if random.random() < 0.1 and world.records:
        world.stop(random.choice(list(world.records)))


def _overriding(made):
    return made.world.invocation(overridden=guards(made))


def guards(made):
    """Return the limits and policies that a plan of the project may go beyond."""
    names = {*made.project.get("limits", ()), *made.project.get("budget", ())}
    return frozenset(names | {policy["name"] for policy in made.project.get("policies", ())})


def _advance(world, random):
    """Let some runs go on by themselves."""
    for run in world.remote.runs.values():
        if run.steps[0] in ("pending", "executing") and random.random() < 0.3:
            run.steps = [random.choice(["executing", "completed", "failed", "error", "stopped"])]


def edit(made, random):
    """Change what the documents say of one task, or of one more."""
    name = random.choice(list(made.tasks) or ["t0"])
    used = {word for spec in made.tasks.values() for word in spec["prompt"].split() if word.startswith("tasks.")}
    is_used = any(f"tasks.{name}." in spec["prompt"] or _needs(spec, name) for spec in made.tasks.values())
    match random.choice(["text", "text", "title", "policies", "remove", "add", "remove", "rename", "rename", "tone"]):
        case "text" if name in made.tasks:
            made.tasks[name]["prompt"] += f" Edited {len(used)}{random.randrange(100)}."
        case "title" if name in made.tasks:
            made.tasks[name]["title"] = f"Another title {random.randrange(100)}"
        case "policies" if name in made.tasks:
            made.tasks[name] |= _policies(random)
            if made.tasks[name].get("sideEffects"):
                made.tasks[name].pop("retry", None)
        case "remove" if name in made.tasks and not is_used:
            del made.tasks[name]
        case "rename" if name in made.tasks and not is_used and "moved" not in made.tasks[name]:
            made.tasks[f"r{name}"] = made.tasks.pop(name) | {"moved": {"from": name}}
        case "tone":
            made.project["variables"]["tone"]["default"] = random.choice(["plain", "loud"])
        case _:
            added = f"n{len(made.tasks)}{random.randrange(10)}"
            made.tasks[added] = _task(added, made, random)
    write(made)


def _needs(spec, name):
    return any(one in {name, f"{name}[*]"} for one in spec.get("dependsOn", ()))


def _plan(made, random):
    world = made.world
    words, targets, rerun = (), (), ()
    chance = random.random()
    if made.tasks and chance < 0.12:
        words = (random.choice(list(made.tasks)),)
    elif made.tasks and chance < 0.25:
        targets = (random.choice(list(made.tasks)),)
    elif made.tasks and chance < 0.4:
        rerun = tuple(name for name in made.tasks if name in world.records and random.random() < 0.6)
    refresh = random.choice([Refresh.ACTIVE, Refresh.ACTIVE, Refresh.FULL, Refresh.NONE])
    overridden = guards(made) if random.random() < 0.9 else frozenset()
    made.wish = {"words": words, "targets": targets, "rerun": rerun, "refresh": refresh, "overridden": overridden}
    world.save(asked(made))
    world.remote.sent = []


def asked(made, world=None):
    """Return the invocation with which a plan was asked for."""
    wish = dict(made.wish)
    return (world or made.world).invocation(*wish.pop("words"), **wish)
