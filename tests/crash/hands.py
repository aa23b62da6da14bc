"""What a person does by hand, drawn from a seed: stop, retry, forget, adopt; and accept, anew, cancel, saved plans."""

import commanding
from endings import intents
from taking import accept, acceptable

from taskspec.state.model import Sending


def by_hand(world, random, tasks, former, dies_at):
    """Let a person do something about one address."""
    address = random.choice(sorted(world.durable.records))
    said = {"dies_at": dies_at, "former": former}
    match random.choice(("stop", "retry", "forget", "adopt")):
        case "stop":
            world.command(commanding.stop(address), tasks, **said)
        case "retry":
            world.apply(tasks, requested=(address,), **said, **patience(random))
        case "forget":
            world.command(commanding.forget(address), tasks, **said)
        case "adopt":
            found = adoptable(world, tasks)
            if found:
                world.command(commanding.adopt(*random.choice(found)), tasks, **said)


def adoptable(world, tasks):
    """Return addresses with the runs that a person in their right mind would give them, and those of others."""
    ledger, current = world.ledger, intents(world)
    unknown = {intent.nonce: address for address, intent in current.items() if intent.sending is Sending.INTENDED}
    found = []
    for run in world.remote.runs.values():
        if run.id in ledger.foreign or run.nonce in ledger.let_go:
            asked = {task.address for task in tasks if task.spec["prompt"] == run.prompt}
            found += [(address, run.id) for address in sorted(asked - set(unknown.values()))]
        elif run.nonce in unknown:
            found.append((unknown[run.nonce], run.id))
    return found


class Decider:
    """A person who keeps the file of a plan, and carries it out sooner or later, perhaps more than once."""

    def __init__(self, world, random):
        self._world = world
        self._random = random
        self._saved = None

    def decide(self, tasks, former, dies_at):
        """Do something that is decided by a person: about one task, or about an apply as a whole."""
        world, random = self._world, self._random
        said = {"dies_at": dies_at, "former": former}
        known = [task.address for task in tasks if task.address in world.durable.records]
        anew = (random.choice(known),) if known and random.random() < 0.3 else ()
        match random.choice(("accept", "anew", "cancel", "save", "save", "carry out", "carry out", "carry out")):
            case "accept":
                found = acceptable(world, tasks)
                if found:
                    accept(world, tasks, *random.choice(found), **said)
            case "anew" if known:
                world.apply(tasks, anew=(random.choice(known),), **said, **patience(random))
            case "cancel":
                world.apply(tasks, cancelled_at=random.randint(1, 40), **said, **patience(random))
            case "carry out" if self._saved is not None:
                world.apply(tasks, saved=self._saved, **said, **patience(random))
            case _:
                lasts = random.choice((100.0, 1e6, 1e6))
                self._saved = world.save(tasks, anew=anew, lasts=lasts, **said) or self._saved


def patience(random):
    chosen = random.random()
    if chosen < 0.1:
        return {"wait": False}
    if chosen < 0.2:
        return {"wait_timeout": random.choice((0.5, 3.0, 100.0))}
    return {"hold_unknown": chosen < 0.3, "parallelism": random.choice((1, 10))}
