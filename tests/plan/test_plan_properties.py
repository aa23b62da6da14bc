"""What holds for every plan, over random worlds of declared, recorded and observed tasks."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from plan_worlds import (
    HERE,
    REMOTES,
    RESULT,
    UNHURRIED,
    attempt,
    deferred,
    desired,
    observation,
    planned,
    record,
    shown,
    task,
)
from plan_worlds import snapshot as state

from taskspec.apply.rejudging import rejudged
from taskspec.desired.model import DeferredTask, DesiredTask
from taskspec.diagnostics import ManifestError
from taskspec.documents.model import Rerun, When
from taskspec.judging.asserting import digest_of
from taskspec.observed.model import Absent, Observed, Present, Unreadable
from taskspec.plan.deciding import decide_again
from taskspec.plan.encoding import to_json
from taskspec.plan.model import IDLE, Action
from taskspec.state.model import Accepted, Generation, Record, ResultRef, Sending, StopCause, Verdict
from taskspec.taskapi.records import ACTIVE, ENDED

ADDRESSES = ["a", "b", "c", "d"]
TEXTS = ["A", "B", "C", "A+answer"]
STATUSES = [None, "pending", "executing", "paused", "error", "failed", "completed", "stopped", "dreaming"]
SIGHTS = [*STATUSES[1:], "absent", "unreadable"]
ASSERTIONS = [(), ({"regex": "words"},), ({"regex": "nosuch"},)]
RERUNS = [
    *[{}] * 3,
    {"when": "always"},
    {"when": "always", "after": 999},
    {"when": "never"},
    {"after": 999},
    {"after": 1001},
    {"ignore": ["prompt"]},
]
"""What is accepted was 1,000 seconds ago."""
ENDINGS = {"error": "error", "failed": "failed", "completed": "rejected", "stopped": "stopped"}


@st.composite
def attempts(draw, address, generation):
    made = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        status = draw(st.sampled_from(STATUSES))
        made.append(
            attempt(
                number,
                address=address,
                generation=generation,
                sending=draw(st.sampled_from(["bound", "bound", "bound", "intended", "refused", "absent"])),
                status=status,
                verdict=draw(st.sampled_from([None, "lost", ENDINGS.get(status)])),
                stop=draw(st.sampled_from([None, None, *StopCause])),
                remote=draw(st.sampled_from(["here", "here", "here", *REMOTES])),
                title=draw(st.sampled_from(["Title", "Another"])),
                assertions=draw(st.sampled_from(ASSERTIONS)),
                rejudged=draw(st.booleans()),
                **({"kept": "words"} if status == "completed" else {}),
            )
        )
    earlier = [
        replace(a, sending=Sending.BOUND, run=f"{a.nonce}-run", status="failed", verdict=Verdict.FAILED)
        for a in made[:-1]
    ]
    return [*earlier, made[-1]]


@st.composite
def records(draw, address):
    generation = draw(st.integers(1, 3))
    made = draw(attempts(address, generation))
    text = draw(st.sampled_from(TEXTS))
    accepted = draw(st.sampled_from([None, None, "this", "older"]))
    kept = None
    if accepted == "this":
        given = {"sending": Sending.BOUND, "run": f"run-{address}", "status": "completed", "rejudged": False}
        made[-1] = replace(made[-1], **given, verdict=Verdict.ACCEPTED, result=ResultRef.of("words", None))
        kept = (generation, text)
    elif accepted == "older" and generation > 1:
        said = {"kept": "words", "assertions": draw(st.sampled_from(ASSERTIONS))}
        kept = (generation - 1, draw(st.sampled_from(TEXTS)), said)
    on_remove = draw(st.sampled_from(["stop", "forget", "hold"]))
    return record(
        address,
        text=text,
        generation=generation,
        attempts=made,
        accepted=kept,
        on_remove=on_remove,
        protect=draw(st.booleans()),
    )


@st.composite
def tasks(draw, address, before=(), *, failing=True):
    """Draw a task that may depend on those `before` it, and use their results."""
    retry = {
        "max_attempts": draw(st.integers(1, 3)),
        "statuses": tuple(draw(st.sets(st.sampled_from(["error", "failed", "rejected", "stopped", "timeout"])))),
    }
    said = {
        "text": draw(st.sampled_from(TEXTS)),
        "title": draw(st.sampled_from(["Title", "Another"])),
        "agent": draw(st.sampled_from(["writer", "writer", "writer", "stranger"])),
        "retry": retry,
        "on_remove": draw(st.sampled_from(["stop", "forget", "hold"])),
        "upstream": [one for one in before if draw(st.booleans())],
        "assertions": draw(st.sampled_from(ASSERTIONS)),
        "rerun": draw(st.sampled_from(RERUNS)),
        "on_change_active": draw(st.sampled_from(["replace", "queue", "hold"])),
        "protect": draw(st.booleans()),
        "side_effects": draw(st.booleans()),
    }
    uses = [one for one in said["upstream"] if draw(st.booleans())]
    if not uses:
        return task(address, **said)
    return deferred(address, uses=uses, fails=failing and draw(st.integers(0, 5)) == 0, **said)


@st.composite
def worlds(draw, *, dependent=True, failing=True):
    """Draw what is declared, recorded and observed, and for what further attempts are asked by hand."""
    order = draw(st.permutations(ADDRESSES))[: draw(st.integers(0, 4))]
    wanted = [
        draw(tasks(address, order[:place] if dependent else (), failing=failing)) for place, address in enumerate(order)
    ]
    held = state(*[draw(records(a)) for a in ADDRESSES if draw(st.booleans())])
    runs, marked = {}, {}
    for kept in held.records.values():
        last = kept.generation.last
        if last.run and (sight := draw(st.sampled_from([None, None, *SIGHTS]))):
            runs[last.run] = observation(last.run, sight)
        if last.sending is Sending.INTENDED:
            count = draw(st.integers(0, 2))
            marked[last.nonce] = tuple(shown(f"m{i}-{last.nonce}", "executing") for i in range(count))
    agents = draw(st.sampled_from([None, frozenset({"writer"})]))
    requested = draw(st.sets(st.sampled_from(ADDRESSES)))
    gone = draw(st.permutations([address for address in ADDRESSES if address not in order]))
    former = {new: old for new, old in zip(order, gone, strict=False) if draw(st.booleans())}
    astray = {
        address: (shown(f"stray-{address}", "executing"),) for address in ADDRESSES if draw(st.integers(0, 5)) == 5
    }
    unlisted = draw(st.sampled_from([{}, {}, {}, {"writer": "503"}]))
    observed = Observed(runs=runs, marked=marked, strays=astray, unlisted=unlisted, agents=agents)
    return desired(*wanted, former=former), held, observed, requested


def plan_of(world, **more):
    wanted, held, observed, requested = world
    return planned(wanted, held, observed, requested=requested, **more)


@UNHURRIED
@given(worlds())
def test_every_address_has_exactly_one_change_in_the_order_of_the_documents(world):
    wanted, held, *_ = world
    plan = plan_of(world)
    moved = [change.moved_from for change in plan.changes if change.moved_from is not None]
    undeclared = sorted(held.records.keys() - wanted.tasks.keys() - set(moved))
    assert [change.address for change in plan.changes] == [*wanted.tasks, *undeclared]
    assert len(moved) == len(set(moved))


@UNHURRIED
@given(worlds())
def test_a_move_takes_one_record_that_nothing_declares_to_one_task_of_which_nothing_is_recorded(world):
    wanted, held, *_ = world
    for change in plan_of(world).changes:
        if change.moved_from is None:
            assert change.action is not Action.MOVE
            continue
        record = held.records[change.moved_from]
        assert change.moved_from not in wanted.tasks
        assert change.address not in held.records
        assert change.record == replace(record, address=change.address)
        assert "moved" in {reason.code for reason in change.reasons}
        said = wanted.former.get(change.address) == change.moved_from
        assert said or isinstance(change.task, DeferredTask) or change.declares(record.generation.fingerprint)


@UNHURRIED
@given(worlds())
def test_another_name_alone_changes_nothing_that_is_done_about_a_task(world):
    wanted, held, observed, requested = world
    plan = plan_of(world)
    moved = {change.moved_from: change.address for change in plan.changes if change.moved_from is not None}
    today = {moved.get(address, address): record for address, record in held.records.items()}
    renamed = {address: replace(record, address=address) for address, record in today.items()}
    asked = {moved.get(address, address) for address in requested}
    for change in plan_of((wanted, replace(held, records=renamed), observed, asked)).changes:
        was = next(one for one in plan.changes if one.address == change.address)
        if was.action is Action.MOVE:
            assert change.action in {Action.NONE, Action.UPDATE}
            assert change.paid is False
        elif was.moved_from is None:
            assert was.action is change.action
        alike = {"action": was.action, "moved_from": was.moved_from, "reasons": was.reasons}
        assert was == replace(change, **alike)


@UNHURRIED
@given(worlds(dependent=False), st.sets(st.sampled_from(ADDRESSES)))
def test_a_selection_leaves_the_other_addresses_alone_and_changes_nothing_else(world, chosen):
    whole, part = plan_of(world), plan_of(world, selected=frozenset(chosen))
    assert part.changes == tuple(c for c in whole.changes if c.address in chosen or c.moved_from in chosen)
    assert part.unselected == len(whole.changes) - len(part.changes)


@UNHURRIED
@given(worlds())
def test_equal_worlds_give_equal_plans_to_the_byte(world):
    wanted, held, observed, requested = world
    turned = replace(held, records=dict(reversed(held.records.items())))
    one, other = plan_of(world), plan_of((wanted, turned, observed, requested))
    assert one == other
    assert json.dumps(to_json(one)) == json.dumps(to_json(other))


@UNHURRIED
@given(worlds())
def test_each_change_has_its_reasons_and_only_four_actions_are_paid(world):
    for change in plan_of(world).changes:
        assert change.reasons
        assert all(reason.code and reason.text for reason in change.reasons)
        assert not change.paid or change.action in {Action.CREATE, Action.REPLACE, Action.SETTLE, Action.WAIT}
        assert change.paid or change.action not in {Action.CREATE, Action.REPLACE}
        assert not change.paid or change.task is not None


@UNHURRIED
@given(worlds())
def test_nothing_is_created_beside_a_run_that_is_not_accounted_for(world):
    _, _, observed, _ = world
    for change in plan_of(world).changes:
        if change.action is not Action.CREATE or change.record is None:
            continue
        last = change.record.generation.last
        if [reason.code for reason in change.reasons[:2]] == ["attempt_requested", "run_elsewhere"]:
            assert last.remote.same_remote(HERE)
            assert last.remote != HERE  # an engine whose data is gone: only a person can decide
            continue
        assert last.sending is not Sending.INTENDED
        accepted = change.record.accepted
        if not last.counts or (accepted and accepted.generation == change.record.generation.number):
            continue
        sight = observed.runs.get(last.run) if last.remote == HERE else None
        assert not isinstance(sight, Unreadable)
        status = sight.record.status if isinstance(sight, Present) else last.status
        lost = isinstance(sight, Absent) or (sight is None and last.verdict is Verdict.LOST)
        assert status in ENDED or (lost and change.reasons[0].code == "attempt_requested")


@UNHURRIED
@given(worlds())
def test_nothing_is_started_beside_a_run_that_no_record_knows(world):
    _, _, observed, _ = world
    for change in plan_of(world).changes:
        if change.task is not None and (change.address in observed.strays or change.agent in observed.unlisted):
            assert not change.paid


@UNHURRIED
@given(worlds())
def test_an_accepted_result_of_the_declared_text_is_never_paid_again_unasked(world):
    wanted, held, observed, _ = world
    for change in planned(wanted, held, observed).changes:
        kept = change.record.accepted if change.record else None
        if kept is None or not change.declares(kept.fingerprint):
            continue
        generation = change.record.generation
        asked_again = generation.number != kept.generation and generation.fingerprint == kept.fingerprint
        told = {reason.code for reason in change.reasons}
        assert not change.paid or asked_again or told & {"remote_changed", "rerun_always", "rerun_after"}


@UNHURRIED
@given(worlds(), st.sets(st.sampled_from(ADDRESSES), min_size=1))
def test_asking_for_results_anew_starts_runs_of_those_only_and_beside_nothing(world, anew):
    wanted, held, observed, _ = world
    before = {change.address: change for change in planned(wanted, held, observed).changes}
    for change in planned(wanted, held, observed, rerun=anew).changes:
        told = {reason.code for reason in change.reasons}
        assert "rerun_requested" not in told or {change.address, change.moved_from} & anew
        if "rerun_requested" not in told or not change.paid:
            continue
        kept = change.record.accepted
        assert kept is not None, "there is a result to be made anew"
        last = change.record.generation.last
        assert last.sending is not Sending.INTENDED
        sight = observed.runs.get(last.run) if last.remote == HERE else None
        if kept.generation != change.record.generation.number and last.counts:
            status = sight.record.status if isinstance(sight, Present) else last.status
            assert status in ENDED
            assert not isinstance(sight, Unreadable)
            assert last.verdict is not Verdict.LOST or isinstance(sight, Present)
        assert change.generation > change.record.generation.number
        assert before[change.address].record.accepted == kept, "the old result stays until the new one is accepted"


@UNHURRIED
@given(worlds(), st.sets(st.sampled_from(ADDRESSES)))
def test_what_a_plan_has_made_anew_is_not_asked_for_twice_by_the_same_plan(world, anew):
    wanted, held, observed, _ = world
    done = {
        address: replace(record, generation=replace(record.generation, plan="p1"), accepted=kept)
        for address, record in held.records.items()
        if (kept := record.accepted and replace(record.accepted, plan="p1")) is not None
    }
    after = replace(held, records={**held.records, **done})
    for change in planned(wanted, after, observed, rerun=anew).changes:
        if (change.moved_from or change.address) in done:
            assert "rerun_requested" not in {reason.code for reason in change.reasons}


@UNHURRIED
@given(worlds(), st.sampled_from(ASSERTIONS))
def test_edited_assertions_start_no_run_that_would_not_have_started_anyway(world, assertions):
    wanted, held, observed, _ = world
    edited = desired(*[with_assertions(task, assertions) for task in wanted.tasks.values()], former=wanted.former)
    plan = planned(edited, held, observed)
    judged = {c.address: applied(c, plan) for c in plan.changes if c.rejudges}
    former = {c.moved_from for c in plan.changes if c.address in judged}
    records = {address: record for address, record in held.records.items() if address not in former}
    after = replace(held, records={**records, **judged})
    seen = replace(observed, runs={run: sight for run, sight in observed.runs.items() if not of_any(run, judged)})
    before = {c.address: c for c in planned(wanted, held, seen).changes}
    for change in planned(edited, after, seen).changes:
        if change.task is not None and change.task.upstream:
            continue  # what waits for another's acceptance may run when it has it
        if change.address in judged:
            assert not change.paid
        elif change.paid:
            again = before[change.address].rejudges or before[change.address].action is Action.HOLD
            assert before[change.address].paid or again


def with_assertions(task, assertions):
    """Return a task with other assertions; one that is finished later has them then."""
    edited = replace(task, assertions=assertions)
    if isinstance(task, DesiredTask):
        return edited
    return replace(edited, finish=lambda results: replace(task.finish(results), assertions=assertions))


def of_any(run, records):
    return any(run in {a.run for a in kept.generation.attempts} for kept in records.values())


@UNHURRIED
@given(worlds())
def test_no_plan_is_healthy_about_a_result_that_the_declared_assertions_reject(world):
    wanted, held, observed, _ = world
    strict = desired(*[with_assertions(task, ({"regex": "nosuch"},)) for task in wanted.tasks.values()])
    for change in planned(strict, held, observed).changes:
        kept = change.record.accepted if change.record else None
        if change.task is not None and change.action is Action.NONE and change.health == "healthy":
            assert kept.attempt.assertions == digest_of(change.task.assertions)


@UNHURRIED
@given(worlds())
def test_only_runs_that_have_begun_are_destroyed_and_side_effects_repeated(world):
    for change in plan_of(world).changes:
        repeats = "side_effects" in {reason.code for reason in change.reasons}
        if change.destructive and repeats:
            assert change.paid
            assert change.task.policies.side_effects
            assert change.record is not None
        elif change.destructive:
            assert change.action in {Action.REPLACE, Action.STOP, Action.SETTLE}
        if change.destructive and change.action is not Action.SETTLE and not repeats:
            seen = change.observed.status if change.observed else change.record.generation.last.status
            assert seen in {"executing", "paused"}


@UNHURRIED
@given(worlds())
def test_what_is_not_known_is_never_healthy(world):
    for change in plan_of(world).changes:
        if change.in_error or change.action is Action.SETTLE:
            assert change.health in {"unknown", "unhealthy"}
        if change.verdict in {"failed", "rejected", "error", "lost", "unknown"} and change.action is Action.NONE:
            assert change.health == "unhealthy"


@UNHURRIED
@given(worlds(failing=False))
def test_after_a_plan_is_applied_nothing_is_left_to_do(world):
    wanted, held, observed, _ = world
    plan = planned(wanted, held, observed)
    records, undecided = carried_out(plan)
    left = {Action.NONE, Action.MOVE}
    kept = [c.record for c in plan.changes if c.record is records.get(c.address, c) or (c.record and c.action in left)]
    untouched = {record.generation.last.run for record in kept}
    still = {run: sight for run, sight in observed.runs.items() if run in untouched}
    again = planned(wanted, replace(held, records=records), replace(observed, runs=still))
    before = {change.address: change for change in plan.changes}
    for change in again.changes:
        if change.address not in undecided:
            was = before[change.address]
            stays = {Action.HOLD: Action.HOLD, Action.BLOCKED: Action.BLOCKED}
            if change.refused:  # what it would have been was not known before
                stays[was.action] = Action.HOLD
            elif was.conditional:  # it would have been held, and its upstream has answered as before
                stays[Action.HOLD] = Action.NONE
            if "title_not_sent" in {reason.code for reason in was.reasons}:
                stays[Action.NONE] = change.action  # what kept it from being sent is not looked at any more
            if was.action is Action.HOLD and change.action is Action.BLOCKED:
                continue  # what it waits for turned out to be held itself
            if "text_returned" in {reason.code for reason in was.reasons} and was.action is not Action.NONE:
                told = {reason.code for reason in change.reasons}
                assert not change.paid or told & {"rerun_always", "rerun_after"}
                continue  # what is to be done about its result is looked at when no run is in the way any more
            assert change.action is stays.get(was.action, Action.NONE), (was, change)


def carried_out(plan):
    """Return the records after an apply, and what only the next one can decide.

    That is what was conditional, and its upstream turned out to have failed; what has a run of another text, or of one
    that was not known; and all that depends on such.
    """
    records, texts, undecided = {}, {}, set()
    for change in plan.changes:
        kept = change.record
        if undecided & set(change.after) or not is_begun(change, records, texts):
            undecided.add(change.address)
        else:
            kept = applied(change, plan)
            made = finished(change) if change.conditional and isinstance(change.task, DeferredTask) else change.task
            texts[change.address] = made.fingerprint if isinstance(made, DesiredTask) else None
        if kept is not None:
            records[change.address] = kept
    return records, undecided


def is_begun(change, records, texts):
    if change.conditional:
        return all(is_accepted(records.get(address), texts.get(address)) for address in change.after)
    recorded = change.record is not None and not change.declares(change.record.generation.fingerprint)
    return not (change.after and recorded)


def is_accepted(kept, text):
    return kept is not None and kept.accepted is not None and kept.accepted.fingerprint == text


def applied(change, plan):
    """Return the record of a change that was carried out in the simplest way: each run that is started is accepted."""
    if change.conditional and isinstance(change.task, DeferredTask):
        return applied(decide_again(plan.basis, finished(change), change.record), plan)
    if change.action is Action.WAIT and not change.paid and is_outdone(change):
        return with_last(change.record, status="completed", verdict=Verdict.ACCEPTED, title=change.task.title)
    match change.action:
        case Action.NONE | Action.HOLD | Action.BLOCKED if change.judgement is None:
            return change.record
        case Action.NONE | Action.MOVE if not change.retitles:
            return rejudged(change, change.record, "p1", 2.0)
        case Action.REJUDGE if change.rejudges:
            return with_last(rejudged(change, change.record, "p1", 2.0), title=change.task.title)
        case Action.FORGET | Action.STOP | Action.SETTLE if change.task is None:
            return None
        case Action.STOP:
            cause = change.record.generation.last.stop or StopCause.REPLACE
            ended = {"status": "stopped", "stop": cause, "verdict": Verdict.STOPPED}
            return with_last(change.record, **ended, title=change.task.title)
        case Action.UPDATE | Action.MOVE:
            return with_last(rejudged(change, change.record, "p1", 2.0), title=change.task.title)
        case Action.SETTLE if not change.paid:
            return with_last(change.record, sending=Sending.ABSENT)
        case Action.REJUDGE if change.verdict is not None:
            ended = change.observed.status if change.observed else change.record.generation.last.status
            return with_last(change.record, status=ended, verdict=Verdict(change.verdict), title=change.task.title)
        case _:
            return accepted(change)


def is_outdone(change):
    kept = change.record.accepted
    return kept and change.declares(kept.fingerprint) and not change.declares(change.record.generation.fingerprint)


def finished(change, answer="answer"):
    """Return the task of a deferred change, made with one answer of all the tasks that it uses."""
    return change.task.finish(dict.fromkeys(change.task.uses, answer))


def with_last(kept, **said):
    *earlier, last = kept.generation.attempts
    return replace(kept, generation=replace(kept.generation, attempts=(*earlier, replace(last, **said))))


def accepted(change):
    """Return the record in which the run that a change starts, or is about, has given the accepted result."""
    run = f"accepted-{change.address}"
    said = {"kept": "words", "assertions": change.task.assertions, "title": change.task.title}
    done = attempt(change.attempt, run=run, status="completed", verdict="accepted", **said)
    earlier = change.record.generation.attempts if change.record else ()
    same = change.record is not None and change.generation == change.record.generation.number
    asked = change.task if change.paid else change.record.generation
    generation = Generation(
        number=change.generation,
        fingerprint=asked.fingerprint,
        spec=asked.spec,
        plan="p1",
        attempts=(*(a for a in earlier if same and a.number != change.attempt), done),
    )
    return Record(
        address=change.address,
        agent=change.agent,
        generation=generation,
        accepted=Accepted(
            generation=change.generation,
            fingerprint=asked.fingerprint,
            plan="p1",
            agent=change.agent,
            attempt=done,
            result=RESULT,
            at=1_700_000_000.0,
        ),
        on_remove=change.task.policies.on_remove,
        protect=change.task.policies.protect,
    )


def fails(task):
    """Tell whether the templates of a task cannot be rendered."""
    try:
        task.finish(dict.fromkeys(task.uses, "answer"))
    except ManifestError:
        return True
    return False


@UNHURRIED
@given(worlds())
def test_only_what_depends_on_something_that_is_to_be_done_is_conditional(world):
    plan = plan_of(world)
    changes = {change.address: change for change in plan.changes}
    for change in plan.changes:
        assert set(change.after) <= set(change.task.upstream if change.task else ())
        if change.conditional:
            assert change.paid or change.action is Action.WAIT or change.refused
            assert change.after
            assert all(changes[one].conditional or changes[one].action not in IDLE for one in change.after)


@UNHURRIED
@given(worlds())
def test_what_is_started_unconditionally_has_its_whole_upstream_accepted_as_it_is_declared(world):
    plan = plan_of(world)
    changes = {change.address: change for change in plan.changes}
    for change in plan.changes:
        if change.paid and not change.conditional:
            assert isinstance(change.task, DesiredTask)
            for address in change.task.upstream:
                upstream = changes[address]
                if upstream.will_accept is not None:
                    continue  # an apply records that before it starts anything
                assert upstream.declares(upstream.record.accepted.fingerprint)
                assert (upstream.action in {Action.NONE, Action.UPDATE, Action.MOVE}, upstream.health) == (
                    True,
                    "healthy",
                )


@UNHURRIED
@given(worlds(), st.sets(st.sampled_from(ADDRESSES)))
def test_a_task_whose_upstream_is_left_out_starts_nothing_unless_that_is_accepted(world, chosen):
    whole = {change.address: change for change in plan_of(world).changes}
    for change in plan_of(world, selected=frozenset(chosen)).changes:
        alike = whole[change.address]
        if change.paid:
            assert alike.paid
            assert all(one in chosen or whole[one].moved_from in chosen for one in change.after)
        elif alike.paid:
            assert change.health != "healthy"
            assert change.after


@UNHURRIED
@given(worlds())
def test_what_is_blocked_is_neither_paid_nor_healthy_and_says_what_blocks_it(world):
    for change in plan_of(world).changes:
        if change.action is Action.BLOCKED:
            assert (change.paid, change.conditional, change.destructive) == (False, False, False)
            assert change.health != "healthy"
            assert change.after
            assert change.reasons[0].code == "upstream_unhealthy"


WEAKER = {
    Action.CREATE: {Action.CREATE, Action.NONE, Action.UPDATE, Action.REJUDGE},
    Action.REPLACE: {Action.REPLACE, Action.WAIT, Action.STOP},
    Action.WAIT: {Action.WAIT},
    Action.SETTLE: {Action.SETTLE},
    Action.HOLD: {Action.NONE, Action.UPDATE, Action.REJUDGE, Action.WAIT, Action.STOP},
}


@UNHURRIED
@given(worlds(), st.sampled_from(["answer", "another"]))
def test_what_is_decided_when_a_text_is_known_is_never_more_than_what_was_planned(world, answer):
    plan = plan_of(world)
    for change in plan.changes:
        if not change.conditional or not isinstance(change.task, DeferredTask) or fails(change.task):
            continue
        decided = decide_again(plan.basis, finished(change, answer), change.record)
        assert decided.refused or decided.action in WEAKER[change.action]
        assert not decided.destructive or change.destructive or decided.action is Action.STOP
        assert (decided.generation, decided.attempt) <= (change.generation, change.attempt) or not decided.paid


def test_the_statuses_of_these_worlds_are_all_that_there_are():
    assert ACTIVE | ENDED | {None, "dreaming"} == set(STATUSES)


@UNHURRIED
@given(worlds())
def test_nothing_destructive_is_done_to_what_is_protected(world):
    for change in plan_of(world).changes:
        policies = change.task.policies if change.task else change.record
        if policies.protect:
            assert not change.destructive or change.action is Action.SETTLE
        if change.refused and change.action is Action.HOLD:
            assert (change.paid, change.destructive) == (False, False)
            assert not change.conditional or policies.protect


@UNHURRIED
@given(worlds())
def test_what_has_its_result_runs_again_only_when_rerun_says_so(world):
    wanted, held, observed, _ = world
    for change in planned(wanted, held, observed).changes:
        told = {reason.code for reason in change.reasons}
        if not told & {"rerun_always", "rerun_after"}:
            continue
        rerun = change.task.policies.rerun
        assert change.paid or change.action is Action.HOLD
        assert rerun.when != "never"
        assert ("rerun_after" in told) == (rerun.after is not None)
        assert rerun.after != 1001


@UNHURRIED
@given(worlds(dependent=False))
def test_a_task_that_never_runs_again_is_never_paid_for_a_second_result(world):
    wanted, held, observed, _ = world
    lazy = desired(*[never(task) for task in wanted.tasks.values()])
    for change in planned(lazy, held, observed).changes:
        kept = change.record.accepted if change.record else None
        if kept is not None and kept.generation == change.record.generation.number:
            assert not change.paid


def never(task):
    return replace(task, policies=replace(task.policies, rerun=Rerun(when=When.NEVER)))
