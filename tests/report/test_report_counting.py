"""What an apply's end says of all that was heard: green is only what is good of every address that was expected."""

from hypothesis import given
from hypothesis import strategies as st

from taskspec import events
from taskspec.address import Address
from taskspec.events import ChangeFinished, Effect
from taskspec.health import Health
from taskspec.plan.model import Action
from taskspec.report.counting import Tally
from taskspec.report.exiting import ExitCode, foremost
from taskspec.state.model import Verdict

ADDRESSES = [Address(name) for name in "abc"]
GOOD = (None, "accepted", "active")
ENDS = st.builds(
    ChangeFinished,
    address=st.sampled_from(ADDRESSES),
    action=st.sampled_from([*Action]),
    effect=st.sampled_from(Effect),
    health=st.sampled_from(Health),
    verdict=st.sampled_from([None, *Verdict, "dreaming"]),
)
GOOD_ENDS = st.builds(
    ChangeFinished,
    address=st.sampled_from(ADDRESSES),
    action=st.sampled_from([*Action]),
    effect=st.sampled_from([Effect.DONE, Effect.LEFT]),
    health=st.just(Health.HEALTHY),
    verdict=st.sampled_from(GOOD),
)
A = ADDRESSES[0]
TROUBLE = [
    events.Interrupted(signum=1),
    events.Interrupted(signum=2),
    events.Interrupted(signum=15),
    events.ResultUnreadable(address=A, detail="damaged"),
    events.ResultNotWritten(address=A, detail="full"),
]
HARMLESS = [
    events.ApplyStarted(plan="p", changes=1, paid=1),
    events.ApplyFinished(seconds=1.0),
    events.RunCreated(address=A, agent="x", generation=1, attempt=1, run="r"),
    events.RunEnded(address=A, run="r", status="failed", verdict="failed"),
    events.RetryScheduled(address=A, attempt=2, seconds=1.0),
    events.ChangeDecided(address=A, action="none", detail="d"),
    events.ResultWritten(address=A, path="results/a.txt"),
    events.WaitedTooLong(addresses=(A,)),
]
HEARD = st.lists(st.one_of(ENDS, GOOD_ENDS, st.sampled_from([*TROUBLE, *HARMLESS])), max_size=12)
EXPECTED = st.sets(st.sampled_from(ADDRESSES))


def code_of(heard, expected=()):
    tally = Tally()
    tally.expect(expected)
    for event in heard:
        tally.on(event)
    return tally.exit_code


@given(HEARD, EXPECTED)
def test_green_is_only_what_is_good_of_every_address(heard, expected):
    ends = [event for event in heard if isinstance(event, ChangeFinished)]
    good = (
        expected <= {end.address for end in ends}
        and not [event for event in heard if event in TROUBLE]
        and all(end.effect in {Effect.DONE, Effect.LEFT} for end in ends)
        and all(end.health is Health.HEALTHY and end.verdict in GOOD for end in ends)
    )
    assert (code_of(heard, expected) is ExitCode.OK) == good


@given(HEARD, EXPECTED, st.randoms())
def test_the_order_in_which_things_happen_changes_nothing(heard, expected, random):
    shuffled = random.sample(heard, len(heard))
    assert code_of(shuffled, expected) is code_of(heard, expected)


@given(HEARD, st.one_of(ENDS, GOOD_ENDS, st.sampled_from([*TROUBLE, *HARMLESS])))
def test_nothing_that_happens_makes_an_end_better(heard, more):
    before, after = code_of(heard), code_of([*heard, more])
    assert foremost((before, after)) is after


def test_an_address_that_is_never_heard_of_is_an_error():
    assert code_of([], ADDRESSES) is ExitCode.ERROR
    assert code_of([], ()) is ExitCode.OK
