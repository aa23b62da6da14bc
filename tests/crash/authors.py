"""The people who write the tasks, drawn from a seed: what they declare, and how they change it. Applies nothing."""

from random import Random

from apply_stages import deferred, task
from remote_runs import Life
from worlds import World

ENDS = ("completed",) * 12 + ("failed", "error", "stopped", "paused")
REMOVALS = ("stop", "stop", "forget", "hold")


class Authors:
    """The people who write the tasks: they edit, remove, bring back."""

    def __init__(self, random: Random, world: World) -> None:
        self._random = random
        self._world = world
        self._versions = dict.fromkeys("abc"[: random.choice((1, 1, 2, 3))], 1)
        self._removed: set[str] = set()
        self._titles = dict.fromkeys("abc", 1)
        self._needs = random.choice((None, None, "order", "result"))
        self._policies = {name: self._drawn() for name in "abc"}

    def edit(self):
        name = self._random.choice(list(self._versions))
        match self._random.choice(("prompt", "prompt", "back", "remove", "title")):
            case "prompt":
                self._versions[name] += 1
            case "back":
                self._versions[name] = 1
            case "remove":
                self._removed ^= {name}
            case "title":
                self._titles[name] += 1

    def tasks(self):
        made, before = [], None
        for name, version in self._versions.items():
            if name in self._removed:
                continue
            prompt = f"Write {name}{version}."
            if prompt not in self._world.lives:
                self._world.lives[prompt] = [self._life() for _ in range(3)]
            said = {"title": f"Title {self._titles[name]}", "policies": self._policies[name], **self._more(name)}
            address = self._name(name)
            match self._needs if before else None:
                case "order":
                    made.append(task(address, prompt, upstream=(before,), **said))
                case "result":
                    made.append(deferred(address, prompt, uses=(before,), **said))
                case _:
                    made.append(task(address, prompt, **said))
            before = address
        return made

    def _name(self, family):
        return family

    def _more(self, family):
        """Return what else a task asks for."""
        return {}

    def _drawn(self):
        random, policies = self._random, {"on_remove": self._random.choice(REMOVALS)}
        if random.random() < 0.4:
            policies["retry"] = {"max_attempts": 3, "statuses": ("error", "failed", "stopped"), "backoff": 2.0}
        if random.random() < 0.15:
            policies["timeout"] = 8.0
        policies["on_change_active"] = random.choice(("replace", "replace", "queue", "hold"))
        policies["protect"] = random.random() < 0.15
        return policies

    def _life(self):
        random = self._random
        works = random.choice((0.0, 3.0, 12.0, 40.0))
        return Life(random.choice((0.0, 2.0)), works, random.choice(ENDS), empty=random.random() < 0.05)


RERUNS = (
    {},
    {},
    {"when": "always"},
    {"after": 100.0},
    {"when": "always", "after": 100.0},
    {"when": "never"},
    {"ignore": frozenset({"additionalContext"})},
)


class Renamers(Authors):
    """People who also give tasks other names, with `moved` or without, change policies and what is ignored."""

    def __init__(self, random: Random, world: World) -> None:
        super().__init__(random, world)
        self._names = {name: name for name in self._versions}
        self._contexts = dict.fromkeys(self._versions, 1)
        self.former: dict[str, str] = {}

    def edit(self):
        name = self._random.choice(list(self._versions))
        match self._random.choice(("text", "text", "rename", "rename", "policies", "context")):
            case "text":
                super().edit()
            case "rename":
                before = self._names[name]
                self._names[name] = name + self._random.choice(("", "x", "y"))
                self.former = {new: old for new, old in self.former.items() if new != self._names[name]}
                if self._random.random() < 0.5 and self._names[name] != before:
                    self.former = {new: old for new, old in self.former.items() if old != before}
                    self.former[self._names[name]] = before
            case "policies":
                self._policies[name] = self._drawn()
            case "context":
                self._contexts[name] += 1

    def _life(self):
        life = super()._life()
        if life.ends == "error" and self._random.random() < 0.5:
            life.passes = self._random.choice((1.0, 40.0))
        return life

    def _name(self, family):
        return self._names[family]

    def _more(self, family):
        return {"additionalContext": f"context {self._contexts[family]}"}

    def _drawn(self):
        return super()._drawn() | {"rerun": self._random.choice(RERUNS)}
