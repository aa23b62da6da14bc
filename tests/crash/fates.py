"""What may become of a request on its way, as values, and which of it is drawn for each. Carries nothing out."""

from dataclasses import dataclass, field
from random import Random

LATENESS = 60.0
"""How long after its deadline a create may still apply, in seconds: with the lag of lists, less than Q."""


@dataclass(frozen=True, slots=True)
class Fate:
    """When the remote takes the request (None: never), and what the client hears (None: nothing, ever), and when.

    `heard` is a status (200: the honest answer), `cut`, `refused` (nothing left), or `nonsense`.
    """

    applies: float | None
    heard: int | str | None
    after: float = 0.3
    past_deadline: bool = False
    """`applies` counts from when the client gives up."""
    times: int = 1
    """A proxy that repeats requests makes more than one of it."""


ANSWERED = Fate(0.1, 200)
POSTS = {
    "answered": ANSWERED,
    "slow": Fate(25.0, 200, 40.0),
    "refused": Fate(None, "refused", 0.1),
    "rejected": Fate(None, 422),
    "throttled": Fate(None, 429),
    "conflict": Fate(None, 409),
    "lost": Fate(None, "cut"),
    "unheard": Fate(None, None),
    "503": Fate(None, 503),
    "cut": Fate(0.1, "cut"),
    "silent": Fate(0.1, None),
    "500 after": Fate(0.1, 500),
    "nonsense": Fate(0.1, "nonsense"),
    "late": Fate(LATENESS, None, past_deadline=True),
    "late, cut": Fate(30.0, "cut"),
    "late, 503": Fate(50.0, 503, past_deadline=True),
}
"""What may become of a create."""
COMMITS = ("unknown", "unknown-lost", "failed")
TWICE = {"twice": Fate(0.1, 200, times=2), "twice, cut": Fate(0.1, "cut", times=2)}
"""What a repeating proxy may make of it: not prevented, only detected."""
READS = (Fate(None, 503), Fate(None, 429), Fate(None, "cut"), Fate(None, "refused"), Fate(None, None))
LATE = Fate(0.0, 200, 25.0)
"""The answer is the one of then, and it comes late."""
CHANGES = (*READS, Fate(0.1, "cut"), Fate(0.1, 503), Fate(0.1, None))


@dataclass(slots=True)
class Faults:
    """The fates of one scenario: those of the creates in their order, the others by chance. `rate` of 1 is always."""

    random: Random = field(default_factory=lambda: Random(0))
    posts: list = field(default_factory=list)
    rate: float = 0.0
    post_rate: float = 0.0
    late_rate: float = 0.0
    """How often a read that is answered is answered late."""
    repeats: bool = False
    """A proxy stands between, which may apply a create twice."""
    commits: list = field(default_factory=list)
    commit_rate: float = 0.0
    over: bool = False

    def post(self) -> tuple[str, Fate]:
        if self.over:
            return "answered", ANSWERED
        if self.posts:
            name = self.posts.pop(0)
        else:
            names = list(POSTS | TWICE if self.repeats else POSTS)
            name = self.random.choice(names) if self.random.random() < self.post_rate else "answered"
        return name, (POSTS | TWICE)[name]

    def read(self) -> Fate:
        fate = self._one_of(READS)
        late = fate is ANSWERED and self.late_rate and not self.over and self.random.random() < self.late_rate
        return LATE if late else fate

    def change(self) -> Fate:
        return self._one_of(CHANGES)

    def commit(self) -> str:
        """Return what becomes of a commit: `done`, `failed`, or nobody can tell (`unknown`, `unknown-lost`)."""
        if self.commits:
            return self.commits.pop(0)
        if self.over or self.random.random() >= self.commit_rate:
            return "done"
        return self.random.choice(COMMITS)

    def _one_of(self, fates) -> Fate:
        if self.over or not self.rate or self.random.random() >= self.rate:
            return ANSWERED
        return self.random.choice(fates)
