"""What a saved plan promises, read from its document as anybody reads it; and what was sent, held against that.

Knows nothing of how a plan is carried out. What would go out for the manifests of then, from a copy of the world in
which nothing but the remote has changed, is the reference for the bodies.
"""

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field

from saved_mutations import recorded


class BrokenError(AssertionError):
    """A promise was broken."""


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What a plan says of each address, by the hash by which a run's title names it."""

    changes: dict
    attempts: dict
    """How many attempts a generation of each may have in all."""
    files: frozenset = frozenset()
    honours_keys: bool = False
    before: frozenset = frozenset()
    """The runs that were there when it was made."""
    intents: dict = field(default_factory=dict)
    """Whose each create is that was asked for before, by nonce: it may be asked for again, under the same key."""

    @classmethod
    def of(cls, document, made):
        changes = {owner(change["address"]): change for change in document["changes"]}
        tasks = {change["address"]: made.tasks.get(change["address"].split("[")[0]) for change in document["changes"]}
        attempts = {owner(a): (task or {}).get("retry", {}).get("maxAttempts", 1) for a, task in tasks.items()}
        kept = [path.read_bytes() for path in (made.world.folder / "data").iterdir()]
        return cls(
            changes=changes,
            attempts=attempts,
            files=frozenset(hashlib.sha256(content).hexdigest() for content in kept),
            honours_keys=made.world.remote.honours_keys,
            before=frozenset(made.world.remote.runs),
            intents=dict(_intents(made.world, {c["movedFrom"]: c["address"] for c in document["changes"]})),
        )

    def hold(self, world, sent, reference):
        """Raise BrokenError where anything was sent that the plan does not have."""
        bodies = {(one.owner, one.generation, one.path, one.body) for one in reference if one.method == "POST"}
        for one in sent:
            match one.method:
                case "POST":
                    self._created(one, bodies)
                case "DELETE":
                    self._stopped(one.path.split("/")[-1], world)
                case "PATCH":
                    self._renamed(one, one.path.split("/")[-2])
                case "PUT":
                    digest = one.path.split("/")[-1]
                    require(digest in self.files, f"a file that is none of the plan's: {one}")
        self._counted(world, sent)

    def _created(self, one, bodies):
        said = (one.owner, one.generation, one.path, one.body)
        if one.nonce in self.intents:
            change = self.changes[owner(self.intents[one.nonce])]
            require(change["action"] == "settle" and change["paid"], f"asked for again, and not planned: {one}")
            require(said in bodies, f"asked for again, and otherwise: {one}")
            return
        change = self.changes.get(one.owner)
        require(change is not None, f"a run of an address that the plan does not have: {one}")
        require(change["paid"], f"a run that the plan does not have: {change['address']} is {change['action']}: {one}")
        wanted = change["generation"]
        require(one.generation <= wanted, f"g{one.generation} of {change['address']} was started, not g{wanted}")
        near = [body for body in bodies if body[0] == one.owner]
        require(said[2:] in {body[2:] for body in near}, f"another request than the manifests ask for:\n{said}\n{near}")

    def _renamed(self, one, run):
        change = next((change for change in self.changes.values() if change["run"] == run), None)
        require(change is not None and change["action"] in {"update", "move"}, f"a title that is not planned: {one}")
        titles = [diff.get("after") for diff in change["diff"] if diff["path"] == "title"] or [change["address"]]
        require(json.loads(one.body)["title"] in titles, f"not a title of the plan: {one}, but {titles}")

    def _stopped(self, run, world):
        """Hold a run that was there before: it is to be ended, or is in the way of one that is to be started.

        A settled intent may prove to have a run that nothing declares any more, or that another takes the place of.
        """
        if run not in self.before:
            return
        found = world.remote.runs[run]
        change = next((change for change in self.changes.values() if change["run"] == run), None) or self._whose(found)
        require(change is not None, f"{run} was stopped, and the plan does not have its address")
        ends = change["action"] in {"stop", "replace", "settle"} or change["paid"]
        require(ends or world.overdue(run), f"{run} was stopped, and {change['address']} is {change['action']}")

    def _whose(self, run):
        """Return what is planned of the address that a run was asked for, whatever name it has now."""
        now = self.intents.get(nonce_of(run))
        return self.changes.get(owner(now) if now is not None else _owner_of(run))

    def _counted(self, world, sent):
        """Hold how many runs there are, whatever was cut and taken up again."""
        posts = [one for one in sent if one.method == "POST"]
        if not self.honours_keys and not world.remote.honours_keys:
            twice = [nonce for nonce, times in Counter(one.nonce for one in posts).items() if times > 1]
            require(not twice, f"one create was sent more than once: {twice}")
        nonces = {one.nonce for one in posts} - self.intents.keys()
        runs = [run for run in world.remote.runs.values() if run.id not in self.before and nonce_of(run) in nonces]
        for whose, times in Counter(map(_owner_of, runs)).items():
            change = self.changes[whose]
            most = max(1, self.attempts[whose] - change["attempt"] + 1)
            require(times <= most, f"{times} runs of {change['address']} were started, and {most} may be")


def _intents(world, moved):
    for address, record in (recorded(world) or (None, []))[1]:
        for nonce in re.findall(r'"nonce": ?"([^"]+)"', record):
            yield nonce, moved.get(address, address)


def _owner_of(run):
    found = re.search(r"\[ts1\.[^.]*\.([0-9a-f]{12})\.", run.body["title"])
    return found[1] if found else ""


def nonce_of(run):
    return run.body["title"].rstrip("]").split(".")[-1]


def owner(address):
    """Return what stands for an address in the title of its runs."""
    return hashlib.sha256(address.encode()).hexdigest()[:12]


def require(holds, otherwise):
    """Raise BrokenError with what is wrong, unless all is well."""
    if not holds:
        raise BrokenError(otherwise)
