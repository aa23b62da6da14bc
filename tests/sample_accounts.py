"""Accounts of commands, for the tests of what is made of them: plain ones, and those of hostile texts."""

from dataclasses import replace

from hypothesis import strategies as st

from taskspec import events
from taskspec.address import Address
from taskspec.ci import Revision
from taskspec.diagnostics import Diagnostic, Position
from taskspec.events import ChangeFinished, Effect
from taskspec.health import Health
from taskspec.plan.causes import Commit, Reason
from taskspec.plan.model import Action, Change, FieldDiff, Missing, Plan, Risk, RiskCategory
from taskspec.plan.refusals import Refusal, RefusalKind
from taskspec.report.account import Account, Answer, Heard, Kind, TaskTold, Trouble
from taskspec.report.counting import counted
from taskspec.report.exiting import ExitCode, foremost, of_plan
from taskspec.state.model import Verdict

HOSTILE = (
    "\x1b[31mred\x1b[0m \x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "</code></summary></details><script>alert(1)</script><img src=x onerror=alert(1)>",
    "``` \n````\n</details>\n\n# heading\n\n---\n",
    "`a``b` ![i](http://evil.example/x.png) [l](javascript:alert(1)) <http://evil.example> www.evil.example",
    "@octocat @org/team #12 !13 GH-14 $15 ~bug %1.0 &9 :tada: fixes #1 deadbeefcafe",
    "::error file=x::owned\n##[error]owned\n::set-output name=x::y\n::add-mask::a",
    "--> <!-- taskspec demo/default 1 --> <!--",
    "\u202egnp.exe\u2066\u200b\ufeff right\u200f to left\u2028line\u2029paragraph",
    "]]> &amp; &lt;b&gt; \ufffe\uffff \x00\x0b\x0c\r\n\x85",
    "1. one\n- two\n+ three\n> four\n    code\n| a | b |\n|---|---|\n===\n",
    "$`x`$ $$y$$ \\(z\\) ~~s~~ **b** __i__ <a href='x'>",
    "x" * 500,
    "",
)
"""What an agent, a remote or a stranger's manifest may say."""

hostile_texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from("`<>&@#!|*_[]()-=+~$:/\\\n\t\"'%. a1\x1b\u202e"), max_size=60),
    st.text(max_size=40),
    st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=3).map("".join),
)


def answer(content, generation=1, form="text"):
    return Answer(
        generation=generation,
        attempt=1,
        run=f"run-{generation}",
        at=0.0,
        format=form,
        digest=str(hash(content)),
        size=len(content.encode(errors="replace")) if content is not None else 0,
        content=content,
    )


def change(address="a", action=Action.CREATE, health=Health.HEALTHY, text="it is new", **more):
    reasons = (Reason(code="not_recorded", text=text, position=Position(file="tasks.yaml", line=3)),)
    given = {"agent": "writer", "generation": 1, "paid": action is Action.CREATE, "reasons": reasons, **more}
    return Change(address=Address(address), action=action, health=health, **given)


def plan(*changes, **more):
    return Plan(
        id="p", project="demo", environment="default", lineage="l", serial=1, created_at=0.0, changes=changes, **more
    )


def finished(made, verdict="accepted", health=None, effect=Effect.DONE, detail=""):
    good = verdict in {None, "accepted", "active"}
    health = health or (Health.HEALTHY if good else Health.UNHEALTHY)
    return ChangeFinished(
        address=made.address, action=made.action, effect=effect, health=health, verdict=verdict, detail=detail
    )


def told(made, end=None, **more):
    heard = () if end is None else (Heard(at=2.0, event=end),)
    health = end.health if end is not None else (None if made.health is Health.HEALTHY else made.health)
    return TaskTold(
        address=made.address, agent=made.agent, change=made, finished=end, heard=heard, **{"health": health, **more}
    )


def planned(*tasks, **more):
    made = plan(*(task.change for task in tasks), **more)
    return Account(
        kind=Kind.PLAN, code=of_plan(made), began=0.0, ended=1.0, project="demo", environment="default", tasks=tasks,
        plan=made,
    )  # fmt: skip


def applied(*tasks, heard=(), **more):
    made = plan(*(task.change for task in tasks), **more)
    begun = events.ApplyStarted(plan="p", changes=len(tasks), paid=0)
    every = (Heard(at=0.0, event=begun), *(one for task in tasks for one in task.heard), *heard)
    tally = counted(one.event for one in every)
    tally.expect(task.address for task in tasks if task.finished is None)
    return Account(
        kind=Kind.APPLY, code=tally.exit_code, began=0.0, ended=9.0, project="demo", environment="default",
        tasks=tasks, plan=made, heard=every,
    )  # fmt: skip


def failed(message="the lock is held", code=ExitCode.LOCKED, **more):
    trouble = Trouble(message=message, hint=message)
    return Account(kind=Kind.APPLY, code=code, began=0.0, ended=1.0, trouble=trouble, **more)


@st.composite
def hostile_tasks(draw, address="a"):
    """Draw a task, planned and perhaps carried out, all of whose texts are hostile."""
    said = draw(hostile_texts)
    made = change(
        address,
        draw(st.sampled_from([*Action])),
        draw(st.sampled_from([*Health])),
        said,
        agent=said,
        run=draw(st.none() | st.just(said)),
        verdict=draw(st.sampled_from([None, *Verdict, said])),
        diffs=(
            FieldDiff(path=("prompt",), before=draw(hostile_texts), after=said),
            FieldDiff(path=(said,), before=Missing.MISSING, after=draw(hostile_texts)),
            FieldDiff(path=("x", 0), before=[said], after=None),
        ),
        risks=(Risk(category=RiskCategory.MODEL_CHANGED, text=said),),
        in_error=draw(st.booleans()),
        refused=draw(st.booleans()),
    )
    end = draw(
        st.none()
        | st.builds(
            finished,
            st.just(made),
            verdict=st.sampled_from([None, *Verdict, said]),
            health=st.none() | st.sampled_from([*Health]),
            effect=st.sampled_from([*Effect]),
            detail=st.just(said),
        )
    )
    answers = st.none() | st.builds(
        answer, st.none() | hostile_texts, st.integers(1, 3), st.sampled_from(["text", "json", "markdown"])
    )
    return told(made, end, before=draw(answers), after=draw(answers), labels={said[:30]: said})


@st.composite
def hostile_accounts(draw):
    """Draw an account of whatever kind, whose exit code is what its parts make of it."""
    tasks = [draw(hostile_tasks(f"t{number}")) for number in range(draw(st.integers(0, 3)))]
    said = draw(hostile_texts)
    refusal = Refusal(
        limit=said or "x", allowed=1, found=2, addresses=(Address("a"),), message=said, kind=RefusalKind.POLICY
    )
    refusals = draw(st.sampled_from([(), (refusal,)]))
    commits = {reason.line: Commit(id="abc", author=said) for t in tasks for reason in t.change.reasons if reason.line}
    if draw(st.booleans()):
        ends = [t if t.finished is not None else replace(t, health=Health.UNKNOWN) for t in tasks]
        account = applied(*ends, commits=commits)
    else:
        bare = [replace(t, finished=None, heard=(), health=t.change.health) for t in tasks]
        account = planned(*bare, commits=commits, refusals=refusals)
    wrong = draw(st.sampled_from([None, ExitCode.ERROR, ExitCode.LOCKED, ExitCode.INTERRUPTED]))
    if wrong is not None:
        account = replace(
            account,
            code=foremost((account.code, wrong)),
            trouble=draw(st.none() | st.just(Trouble(message=said, hint=said))),
            diagnostics=draw(
                st.sampled_from([(), (Diagnostic(summary=said, detail=said, position=Position(file=said)),)])
            ),
        )
    return replace(
        account,
        project=said or "demo",
        environment=draw(hostile_texts) or "default",
        revision=Revision(commit=said, author=said, branch=said, job=said),
        notes=(said,),
    )
