"""Accounts made by hand for the tests of reports: a realistic one, small and large ones, and a hostile one."""

from taskspec.address import Address, cell_address
from taskspec.ci import Revision
from taskspec.diagnostics import Diagnostic, Position, Severity
from taskspec.events import (
    ApplyFinished,
    ApplyStarted,
    ChangeFinished,
    Effect,
    ResultWritten,
    RetryScheduled,
    RunCreated,
    RunEnded,
    RunStatusChanged,
)
from taskspec.health import Health
from taskspec.plan.causes import Reason
from taskspec.plan.diffing import diff
from taskspec.plan.model import Action, Change, Plan, Risk, RiskCategory
from taskspec.plan.refusals import Refusal, RefusalKind
from taskspec.report.account import Account, Answer, GenerationTold, Heard, Kind, TaskTold, Trouble
from taskspec.report.exiting import ExitCode
from taskspec.state.model import Attempt, ResultRef, Sending, Verdict
from taskspec.taskapi.records import Tokens
from taskspec.taskapi.remotes import RemoteIdentity

NOW = 1_795_000_000.0
HERE = RemoteIdentity(type="local", instance="one")
HOSTILE = (
    '<script>window.stolen=1</script><img src=x onerror="window.stolen=2">',
    '"><svg onload=window.stolen=3>',
    "' autofocus onfocus='window.stolen=4",
    "</pre></details></main><h1 id=foreign>Foreign</h1>",
    "javascript:window.stolen=5",
    "\x1b[31mred\x1b[0m \x00 \x9b2J",
    "\u202etxet desrever\u202c \u2066isolated\u2069 \u200b\u200b\u200b",
    "Z" + "\u0334\u0321\u0322" * 400,
    "]]><!--<![CDATA[",
    "</script><script>window.stolen=6</script>",
    "</style><style>*{display:none}</style>",
    "&lt;b&gt; &#60;script&#62;",
    "[link](javascript:alert(1)) `code` **bold** <b>bold</b>",
    "\ud800 lone",
)
HOSTILE_TEXT = "\n".join(HOSTILE)


def attempt(number=1, *, at=NOW, waited=2.0, took=30.0, verdict=Verdict.ACCEPTED, detail="", tokens=(1200, 340)):
    """Return an attempt that was asked for at a moment."""
    is_over = verdict is not None
    return Attempt(
        number=number,
        nonce="n",
        marker="m",
        body_digest="b",
        intended_at=at,
        send_deadline=at + 60,
        remote=HERE,
        sending=Sending.BOUND,
        run=f"run-{number}-{int(at) % 100000}",
        status="completed" if is_over else "executing",
        verdict=verdict,
        started_at=at + waited,
        finished_at=at + waited + took if is_over else None,
        detail=detail,
        tokens=Tokens(prompt=tokens[0], completion=tokens[1]) if is_over else None,
    )


def answer(content, generation=1, form="text", at=NOW):
    """Return an accepted result."""
    ref = ResultRef.of(content.encode("utf-8", "replace").decode(), form)
    return Answer(
        generation=generation,
        attempt=1,
        run="run-1",
        at=at,
        format=form,
        digest=ref.digest,
        size=ref.size,
        content=content,
    )


def generation(number=1, *, prompt="Say it.", attempts=(), result=None, agent="writer", at=NOW, revision=None):
    """Return one thing that was asked for."""
    last = attempts[-1].verdict if attempts else None
    return GenerationTold(
        number=number,
        fingerprint=f"v1:{number:064x}",
        plan="2vXk9QpZ",
        asked_at=at,
        agent=agent,
        spec={"agent": agent, "prompt": prompt, "outputFormat": "text"},
        revision=revision,
        attempts=attempts,
        verdict=last,
        answer=result,
    )


def task(address, *, health=Health.HEALTHY, upstream=(), action=None, generations=(), before=None, after=None, **more):
    """Return what is told of one task."""
    address = Address(address)
    agent = more.pop("agent", "writer")
    change = None
    if action is not None:
        change = Change(
            address=address,
            action=action,
            reasons=more.pop("reasons", (Reason(code="created", text="nothing is recorded of it"),)),
            health=health or Health.HEALTHY,
            agent=agent,
            paid=action in {Action.CREATE, Action.REPLACE},
            generation=generations[0].number if generations else 1,
            diffs=more.pop("diffs", ()),
            risks=more.pop("risks", ()),
        )
    return TaskTold(
        address=address,
        agent=agent,
        health=health,
        change=change,
        upstream=tuple(map(Address, upstream)),
        generations=generations,
        before=before,
        after=after if after is not None or before is None else before,
        **more,
    )


def account(tasks=(), *, kind=Kind.APPLY, code=ExitCode.OK, **more):
    """Return an account."""
    changes = tuple(one.change for one in tasks if one.change is not None)
    plan = Plan(
        id="2vXk9QpZ", project="news", environment="default", lineage="l", serial=1, created_at=NOW, changes=changes,
        refusals=more.pop("refusals", ()),
    ) if changes or kind is Kind.PLAN else None  # fmt: skip
    heard = more.pop("heard", sorted((h for one in tasks for h in one.heard), key=lambda h: h.at))
    return Account(
        kind=kind,
        code=code,
        began=more.pop("began", NOW),
        ended=more.pop("ended", NOW + 300),
        project=more.pop("project", "news"),
        environment=more.pop("environment", "default"),
        tasks=tasks,
        plan=plan,
        heard=heard,
        **more,
    )


PROMPT = """You write the morning briefing of a regional newspaper.

Read the articles below and choose the three that matter most to people who live here.
For each, write a headline of at most nine words and two sentences that say what happened and why it matters.

Keep to what the articles say. Where two articles disagree, say so in one sentence.
"""
PROMPT_BEFORE = PROMPT.replace("three", "five").replace("at most nine words", "at most twelve words")
REPORT = """Bridge closed until spring
The city council has closed the old bridge after inspectors found cracks in two bearings. Twelve bus lines go around.

Hospital opens night clinic
From Monday the hospital treats minor injuries until two in the morning. Waiting times should fall.

Frost expected on Thursday
Fruit growers are asked to cover young trees. The weather service puts the chance of frost at seventy percent.
"""
REVISION = Revision(
    commit="3f2a9c1b7d4e8f60a1b2c3d4e5f60718293a4b5c",
    branch="shorter-briefing",
    author="m.keller",
    request=42,
    job="https://github.com/example/news/actions/runs/123456789",
)


def _heard(address, attempts, health, action):
    at = attempts[0].intended_at
    for one in attempts:
        yield Heard(
            at=one.intended_at + 0.2,
            event=RunCreated(address=address, agent="writer", generation=2, attempt=one.number, run=one.run),
        )
        yield Heard(at=one.started_at, event=RunStatusChanged(address=address, run=one.run, status="executing"))
        if one.verdict is None:
            continue
        at = one.finished_at + 0.4
        yield Heard(
            at=at,
            event=RunEnded(
                address=address,
                run=one.run,
                status=one.status,
                verdict=str(one.verdict),
                seconds=one.seconds,
                detail=one.detail,
            ),
        )
        if one is not attempts[-1]:
            yield Heard(at=at, event=RetryScheduled(address=address, attempt=one.number + 1, seconds=4.0))
    last = attempts[-1]
    if last.verdict is Verdict.ACCEPTED:
        yield Heard(at=at + 0.1, event=ResultWritten(address=address, path=f"results/{address}.md"))
    effect = Effect.DONE if last.verdict is not None else Effect.CUT
    yield Heard(
        at=at + 0.2,
        event=ChangeFinished(
            address=address, action=action, effect=effect, health=health, verdict=last.verdict, detail=last.detail
        ),
    )


def told(address, attempts, *, health=Health.HEALTHY, action=Action.REPLACE, upstream=(), content=REPORT, **more):
    """Return a task that an apply has run, with its events, its history and its answers."""
    address = Address(address)
    heard = tuple(_heard(address, attempts, health, action))
    old = answer(
        content.replace("twelve", "five").replace("Twelve bus lines", "Nine bus lines").replace("seventy", "eighty"),
        1,
        more.get("form", "markdown"),
        NOW - 86_400 * 3,
    )
    is_new = attempts[-1].verdict is Verdict.ACCEPTED
    new = answer(content, 2, more.pop("form", "markdown")) if is_new else None
    spec = {
        "agent": "writer",
        "prompt": PROMPT,
        "outputFormat": "markdown",
        "expectedOutput": "Three items, each with a headline.",
        "retry": {"attempts": 3, "backoff": "4s"},
    }
    generations = (
        generation(2, prompt=PROMPT, attempts=attempts, result=new, revision=REVISION),
        generation(
            1,
            prompt=PROMPT_BEFORE,
            attempts=(attempt(at=NOW - 86_400 * 3, took=21.5),),
            result=old,
            at=NOW - 86_400 * 3,
        ),
    )
    return task(
        address,
        health=health,
        action=action,
        upstream=upstream,
        generations=generations,
        before=None if action is Action.CREATE else old,
        after=new,
        heard=heard,
        spec=spec,
        finished=heard[-1].event,
        diffs=diff({"prompt": PROMPT_BEFORE, "outputFormat": "text"}, {"prompt": PROMPT, "outputFormat": "markdown"}),
        reasons=(
            Reason(
                code="prompt",
                text="`prompt` differs from what was asked for",
                position=Position(file="tasks/briefing.yaml", line=14, column=5),
                because=(
                    Reason(
                        code="file",
                        text="`prompts/briefing.md` changed",
                        position=Position(file="prompts/briefing.md", line=3),
                    ),
                ),
            ),
        ),
        risks=(
            Risk(category=RiskCategory.RERUN_OF_ACCEPTED, text="It has an accepted result, and is paid for once more."),
        ),
        **more,
    )


def realistic():
    """Return an apply of 40 tasks: chains, a matrix, retries, failures, one that waits, one that goes on."""
    tasks = [
        told(
            "gather",
            (attempt(at=NOW + 1, took=14.0),),
            content='{"articles": 31, "sources": ["wire", "council"], "newest": "2026-11-19T05:12:00Z"}',
            form="json",
            labels={"team": "desk"},
        )
    ]
    regions, forms = ("north", "south", "east", "west", "centre", "islands"), ("short", "long", "audio")
    for number, region in enumerate(regions):
        at = NOW + 18 + number * 1.7
        tasks.append(
            told(
                cell_address("extract", [region]),
                (attempt(at=at, waited=1.5 + number, took=22.0 + 3 * number),),
                upstream=["gather"],
                labels={"team": "desk", "region": region},
            )
        )
        for index, form in enumerate(forms):
            begin = at + 32 + 4 * number + index * 2
            address = cell_address("write", [region, form])
            if (region, form) == ("east", "audio"):
                failed = [
                    attempt(
                        n,
                        at=begin + 40 * (n - 1),
                        took=31.0,
                        verdict=Verdict.REJECTED,
                        detail="assertion `length` failed: the text has 412 words, and at most 300 are allowed",
                    )
                    for n in (1, 2, 3)
                ]
                tasks.append(
                    told(address, tuple(failed), health=Health.UNHEALTHY, upstream=[cell_address("extract", [region])])
                )
            elif (region, form) == ("west", "long"):
                tasks.append(
                    told(
                        address,
                        (
                            attempt(
                                at=begin,
                                verdict=Verdict.WAITING,
                                took=12.0,
                                detail="waits for an answer: Which of the two councils is meant?",
                            ),
                        ),
                        health=Health.NEEDS_INPUT,
                        upstream=[cell_address("extract", [region])],
                    )
                )
            elif (region, form) == ("south", "long"):
                tasks.append(
                    told(
                        address,
                        (
                            attempt(
                                1, at=begin, took=9.0, verdict=Verdict.ERROR, detail="the agent ended with exit code 1"
                            ),
                            attempt(2, at=begin + 14, took=44.0),
                        ),
                        upstream=[cell_address("extract", [region])],
                    )
                )
            else:
                tasks.append(
                    told(
                        address,
                        (attempt(at=begin, waited=2.0 + index, took=35.0 + 5 * index + 2 * number),),
                        upstream=[cell_address("extract", [region])],
                    )
                )
    written = [cell_address("write", [region, "short"]) for region in regions]
    tasks.append(told("briefing", (attempt(at=NOW + 140, took=52.0),), upstream=["gather", *written]))
    tasks.append(told("headline", (attempt(at=NOW + 196, took=18.0),), upstream=["briefing"]))
    tasks.append(
        told("translate", (attempt(at=NOW + 196.5, took=41.0, waited=8.0),), upstream=["briefing"], agent="translator")
    )
    tasks.append(
        told(
            "publish",
            (attempt(at=NOW + 250, verdict=None),),
            health=Health.UNKNOWN,
            upstream=["headline", "translate"],
            action=Action.CREATE,
            agent="publisher",
        )
    )
    for name in ("style-guide", "glossary", "imprint", "weather-table", "archive-index"):
        kept = answer("As before.\n", 4)
        tasks.append(
            task(
                name,
                action=Action.NONE,
                reasons=(),
                before=kept,
                generations=(generation(4, attempts=(attempt(at=NOW - 90_000),), result=kept, at=NOW - 90_000),),
            )
        )
    tasks.append(task("obituaries", health=None))
    heard = [
        Heard(at=NOW, event=ApplyStarted(plan="2vXk9QpZ", changes=30, paid=30)),
        *sorted((h for one in tasks for h in one.heard), key=lambda h: h.at),
        Heard(at=NOW + 300, event=ApplyFinished(seconds=300, head="9f" * 32)),
    ]
    return account(
        tasks,
        code=ExitCode.UNKNOWN,
        heard=heard,
        revision=REVISION,
        digest="sha256:" + "4be1" * 16,
        head="9f" * 32,
        notes=["The trusted settings differ from those of `main`: those of `main` were used."],
    )


def small():
    """Return an apply of three tasks: one was accepted at the second attempt, one was rejected, one was not begun."""
    failed = attempt(at=NOW + 20, verdict=Verdict.REJECTED, detail="assertion `length` failed")
    return account(
        [
            told("gather", (attempt(1, at=NOW, verdict=Verdict.ERROR, detail="exit code 1"), attempt(2, at=NOW + 40))),
            told("briefing", (failed,), health=Health.UNHEALTHY, upstream=["gather"]),
            task("publish", health=None, upstream=["briefing"]),
        ],
        code=ExitCode.UNHEALTHY,
        revision=REVISION,
        notes=["The plan was made offline."],
    )


def hostile():
    """Return an account of which every text is hostile, and one result has 5 MB."""
    large = ("<b>never</b> & " + HOSTILE_TEXT + "\n") * 5000
    tasks = []
    for number, text in enumerate(HOSTILE):
        old, new = answer(text + "\nold\n", 1), answer(text + "\nnew\n", 2)
        one = attempt(at=NOW + number, detail=text, verdict=Verdict.FAILED)
        told_of = GenerationTold(
            number=2,
            fingerprint=text,
            plan=text,
            asked_at=NOW,
            agent=text,
            spec={"prompt": text, text: text, "list": [text, {text: text}]},
            revision=Revision(commit=text, branch=text, author=text, job=text),
            attempts=(one,),
            verdict=Verdict.FAILED,
            answer=new,
        )
        before = GenerationTold(
            number=1,
            fingerprint=None,
            plan=None,
            asked_at=None,
            agent=text,
            spec={"prompt": text + "\nbefore"},
            answer=old,
        )
        tasks.append(
            task(
                f"hostile-{number}" if number % 2 else cell_address("cell", [text]),
                health=Health.UNHEALTHY,
                action=Action.REPLACE,
                agent=text,
                before=old,
                after=new,
                generations=(told_of, before),
                labels={text: text},
                spec={"prompt": text, text: [text]},
                heard=(
                    Heard(
                        at=NOW, event=RunEnded(address=Address("a"), run=text, status=text, verdict=text, detail=text)
                    ),
                ),
                finished=ChangeFinished(
                    address=Address("a"), action=text, effect=Effect.FAILED, health=Health.UNHEALTHY, detail=text
                ),
                reasons=(Reason(code="c", text=text, position=Position(file=text)),),
                risks=(Risk(category=RiskCategory.SIDE_EFFECTS, text=text, path=(text,)),),
                diffs=diff({"prompt": text, text: text}, {"prompt": text + "!", text: [text]}),
            )
        )
    tasks.append(
        task("large", action=Action.REPLACE, before=answer("small"), after=answer(large, 2), spec={"prompt": large})
    )
    tasks.append(
        task("one-line", action=Action.REPLACE, before=answer("x" * 4_000_000), after=answer("y" * 5_000_000, 2))
    )
    text = HOSTILE_TEXT
    return account(
        tasks,
        code=ExitCode.ERROR,
        project=text,
        environment=text,
        revision=Revision(commit=text, branch=text, author=text, job="javascript:window.stolen=7"),
        digest=text,
        head=text,
        trouble=Trouble(message=text, hint=text),
        notes=list(HOSTILE),
        diagnostics=[
            Diagnostic(summary=text, detail=text, hint=text, position=Position(file=text), severity=Severity.WARNING)
        ],
        refusals=(
            Refusal(kind=RefusalKind.POLICY, limit=text, allowed=1, found=2, addresses=(Address(text),), message=text),
        ),
    )


def many(count=3000):
    """Return how very many tasks stand: a matrix, and what each cell feeds."""
    tasks = []
    for number in range(count // 2):
        first = cell_address("extract", [f"r{number}"])
        health = Health.UNHEALTHY if number % 97 == 3 else Health.HEALTHY
        tasks.append(
            task(
                first,
                health=health,
                generations=(generation(attempts=(attempt(at=NOW + number % 300),), result=answer("Done.")),),
            )
        )
        tasks.append(
            task(
                f"publish-{number}",
                upstream=[first],
                generations=(generation(attempts=(attempt(at=NOW + 60 + number % 300),), result=answer("Out.")),),
            )
        )
    return account(tasks, kind=Kind.STANDING, code=ExitCode.UNHEALTHY)
