"""The page as a whole: what it says, that no text breaks out of it, and that it stays within its bounds."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from itertools import product

import pytest
from sample_accounts import applied, change, planned, told
from told_accounts import HOSTILE, NOW, account, answer, attempt, generation, hostile, many, realistic, task
from told_pages import Read

from taskspec.diagnostics import Diagnostic, Position
from taskspec.health import Health
from taskspec.plan.model import Action, Risk, RiskCategory
from taskspec.report.account import Kind
from taskspec.report.exiting import ExitCode
from taskspec.report.html import page
from taskspec.report.html.composing import _asset
from taskspec.report.html.places import place_of_task
from taskspec.state.model import Verdict

COLORS = dict(re.findall(r"--([\w-]+): light-dark\((#\w{6}, #\w{6})\)", _asset("report.css")))


def written(made):
    return "".join(page(made))


def test_a_page_holds_everything_that_is_told_of_a_task():
    found = Read(written(realistic())).text
    for said in (
        "assertion length failed",  # the reason, with its code set as such
        "which of the two councils is meant?",
        "g1, markdown",
        "choose the ",
        "tasks/briefing.yaml:14:5",
        "rerun_of_accepted",
        "m.keller",
        "#42",
        "sha256:4be1",
        "retry scheduled",
        "1,540",
        "waits for",
    ):
        assert said.lower() in found.lower()


AGAIN = Risk(category=RiskCategory.RERUN_OF_ACCEPTED, text="Paid for once more.")
WIDER = Risk(category=RiskCategory.PERMISSION_WIDENED, text="The tool `shell` may be used.")
NEW = Risk(category=RiskCategory.NEW_PAID_RUN, text="It was never asked for.")


def risky(*risks, names=("one", "two")):
    made = (change(name, Action.REPLACE, generation=2, paid=True) for name in names)
    return [told(replace(one, risks=some)) for one, some in zip(made, risks, strict=True)]


def to_be_looked_at(made):
    (top,) = re.findall(r"To be looked at</h2>(.*?)</section>", written(made), re.DOTALL) or [""]
    return top


def risks_at_the_top(made):
    return Read("<!doctype html>" + to_be_looked_at(made)).text.split("Risk: ")[1:]


def test_a_risk_is_told_at_the_top_with_its_tasks():
    made = planned(*risky((AGAIN, WIDER), (AGAIN, NEW)))
    assert risks_at_the_top(made) == [
        "permission_widened oneThe tool shell may be used.",
        "rerun_of_accepted 2 changes: one, twowhat has an accepted result is paid for once more.",
    ]
    assert f'href="#{place_of_task(made.tasks[0].address)}"' in to_be_looked_at(made)
    assert "new_paid_run" not in written(made)


def test_the_texts_of_a_risk_are_told_apart_where_they_differ():
    other = replace(WIDER, text="It may write.")
    assert risks_at_the_top(planned(*risky((WIDER,), (other,)))) == [
        "permission_widened 2 changesone: The tool shell may be used.two: It may write."
    ]


def test_of_the_tasks_of_a_risk_ten_are_named_and_the_others_counted():
    names = tuple(f"task-{number:02}" for number in range(12))
    (same,) = risks_at_the_top(planned(*risky(*[(WIDER,)] * 12, names=names)))
    assert same.startswith("permission_widened 12 changes: task-00, ")
    assert "task-09 and 2 moreThe tool" in same
    others = [(replace(WIDER, text=f"It may {name}."),) for name in names]
    (apart,) = risks_at_the_top(planned(*risky(*others, names=names)))
    assert apart.endswith("task-09: It may task-09.2 more, each told at its task.")


def test_what_is_paid_already_is_no_risk_at_the_top():
    made = applied(*risky((AGAIN, WIDER), (AGAIN,)))
    assert risks_at_the_top(made) == ["permission_widened oneThe tool shell may be used."]


def test_a_task_that_is_not_well_is_told_at_the_top_with_its_verdict_and_the_first_line_of_why():
    failed = attempt(at=NOW, verdict=Verdict.FAILED, detail="exit code 3\nTraceback")
    first = change("first", Action.NONE, Health.UNHEALTHY, verdict="failed")
    blocked = change("next", Action.BLOCKED, Health.UNHEALTHY, text="`first` has no accepted result")
    made = planned(
        replace(told(first), generations=(generation(attempts=(failed,)),)),
        told(replace(blocked, in_error=True)),
        told(change("third", Action.NONE, Health.NEEDS_INPUT, reasons=())),
    )
    items = to_be_looked_at(made).split("<li ")[1:]
    assert [Read(f"<!doctype html><li {one}").text for one in items] == [
        "Failed first: exit code 3 …",
        "Blocked next: first has no accepted result",
        "Needs input third",
    ]


@pytest.mark.parametrize("made", [account(kind=Kind.STANDING), account([task("a")]), account(kind=Kind.PLAN)])
def test_a_page_of_next_to_nothing_is_a_page(made):
    assert Read(written(made)).elements[0][0] == "html"


def test_no_hostile_text_makes_an_element_or_an_attribute():
    own = {tag for tag, _ in Read(written(realistic())).elements}
    found = Read(written(hostile()))
    assert {tag for tag, _ in found.elements} <= own | {"del", "ins", "bdi"}
    assert [tag for tag, _ in found.elements].count("script") == 1
    for _, attributes in found.elements:
        for name, value in attributes:
            assert not name.startswith("on")
            assert name not in {"style", "autofocus", "src"}
            assert name != "href" or value.startswith(("#", "https://", "http://"))
            assert (name, value) != ("id", "foreign")


def test_a_hostile_text_is_shown_as_the_text_that_it_is():
    found = Read(written(hostile())).text
    for text in HOSTILE[:4]:
        assert text in found
    assert "\\u202etxet desrever\\u202c" in found
    assert "\\x1b[31mred\\x1b[0m \\x00 \\x9b2J" in found
    assert "\\ud800 lone" in found


def test_five_megabytes_are_bounded_and_the_command_that_shows_them_is_named():
    made = written(hostile())
    assert len(made) < 2_000_000
    assert "taskspec results --env" in made
    assert re.search(r"Left out here: 4\.\d million characters", made)


def test_a_page_of_very_much_is_bounded_and_what_matters_comes_first():
    text = "much <b>text</b>\n" * 1_200
    tasks = [
        task(
            f"t{number}", health=None if number != 190 else Health.UNHEALTHY, before=answer(text), spec={"prompt": text}
        )
        for number in range(200)
    ]
    made = "".join(page(account(tasks, kind=Kind.STANDING, code=ExitCode.UNHEALTHY), most=2_000_000))
    assert 1_000_000 < len(made) < 2_600_000
    assert made.count('class="task"') == 200
    assert made.index(place_of_task("t190")) < made.index('id="task-t0"')
    assert "Not shown here: 20 thousand characters." in made


def test_thousands_of_tasks_are_folded_in_the_graph_which_says_so():
    made = written(many(1_000))
    assert made.count('class="task"') == 1_000
    assert "1000 tasks are drawn as 2 nodes" in made
    assert "more tasks ran, for no longer than these" in made


def test_tasks_beyond_the_most_are_counted():
    made = written(account([task(f"t{number}") for number in range(5_003)], kind=Kind.STANDING))
    assert "3 more tasks are left out here." in made


def test_a_report_is_written_piece_by_piece_with_one_text_at_a_time():
    text = "a" * 90_000
    pieces = page(account([task(f"t{number}", before=answer(text + str(number))) for number in range(40)]))
    assert max(map(len, pieces)) < 400_000


def test_the_policy_names_the_very_style_and_script_of_the_page():
    made = written(account())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', made)[1]
    for tag in ("style", "script"):
        content = re.search(f"<{tag}>(.*?)</{tag}>", made, re.DOTALL)[1]
        assert f"{tag}-src &#39;sha256-{b64encode(sha256(content.encode()).digest()).decode()}&#39;" in policy
    assert policy.startswith("default-src &#39;none&#39;;")
    assert "base-uri &#39;none&#39;; form-action &#39;none&#39;" in policy


def test_equal_accounts_become_equal_pages():
    assert written(realistic()) == written(realistic())


def test_every_diagnostic_is_told_with_its_place():
    one = Diagnostic(
        summary="Unknown field",
        detail="There is no `promt`.",
        hint="Did you mean `prompt`?",
        position=Position(file="a.yaml", line=3, column=7),
    )
    found = Read(written(account(kind=Kind.VALIDATE, code=ExitCode.ERROR, diagnostics=[one]))).text
    assert "The manifests are wrong." in found
    assert "a.yaml:3:7" in found
    assert "Did you mean prompt?" in found


def test_each_task_has_a_place_of_its_own():
    addresses = ["a", "a-b", "report[q1]", 'report["q 1"]', "report[q1,x]", "task-a", "cell-a"]
    assert len({place_of_task(address) for address in addresses}) == len(addresses)


def test_history_shows_every_generation_against_the_one_before():
    generations = [
        generation(
            number,
            prompt=f"Prompt number {number} of the same task, long enough to be compared.",
            attempts=(attempt(at=NOW - number),),
            result=answer(f"Answer number {number} is this.", number),
        )
        for number in range(30, 0, -1)
    ]
    made = written(account([task("a", generations=tuple(generations))], kind=Kind.STANDING))
    assert made.count('class="inner generation"') == 20
    assert "10 older generations are left out here." in made
    assert "The answer against that of g29" in made


def test_history_shows_an_answer_that_was_not_accepted_and_says_so():
    rejected = attempt(at=NOW, verdict=Verdict.REJECTED)
    newest = replace(generation(3, attempts=(rejected,)), unaccepted=answer("It is bold.", 3))
    large = replace(generation(2, attempts=(rejected,)), unaccepted=replace(answer("Cut.", 2), content=None))
    kept = answer("It is short.", 1)
    oldest = generation(1, attempts=(attempt(at=NOW),), result=kept)
    made = written(account([task("a", before=kept, generations=(newest, large, oldest))], kind=Kind.STANDING))
    text = Read(made).text
    assert "Answer of g3 (not accepted) g3, text, 11 bytes" in text
    assert "taskspec results a --generation g2 shows them" in text
    assert "The answer (not accepted) against that of g1" in text
    assert "Its answer stands above: g1" in text
    (history,) = re.findall(r'<details class="inner generation"><summary><span class="number">g3.*?</summary>', made)
    assert 'class="state bad"' in history
    assert "accepted" not in history


def luminance(color):
    parts = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TEXTS = ["ink", "quiet", "accent", "good", "bad", "waiting", "unknown", "notice", "idle"]
PAIRS = [
    *product(TEXTS, ["paper", "sunk"]),
    *product(["added-ink"], ["added", "added-word"]),
    *product(["removed-ink"], ["removed", "removed-word"]),
]


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_every_text_has_the_contrast_of_wcag_aa_in_both_schemes(scheme, text, ground):
    assert contrast(COLORS[text].split(", ")[scheme], COLORS[ground].split(", ")[scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1])
def test_what_bounds_a_field_and_lines_of_the_graph_can_be_seen(scheme):
    assert contrast(COLORS["edge"].split(", ")[scheme], COLORS["paper"].split(", ")[scheme]) >= 3


def test_a_plan_of_what_was_rejected_tells_its_last_run_as_the_last_one():
    rejected = attempt(verdict=Verdict.REJECTED, detail="it names no river")
    made = change(action=Action.CREATE, generation=2)
    found = written(planned(told(made, generations=[generation(attempts=[rejected])])))
    assert "Last run (g1)run-1" in Read(found).text
    assert "Took (g1)30s" in Read(found).text
    (summary, *_) = re.findall(r"<summary>(.*?)</summary>", found)
    assert "30s" not in summary
    assert found.count("it names no river") == 1  # in its history


def test_what_was_never_applied_stands_before_what_is_well():
    tasks = [task("well"), task("new", health=None), task("ill", health=Health.UNHEALTHY)]
    found = written(account(tasks, kind=Kind.STANDING))
    assert re.findall(r"<h3>(?:<[^>]*>)?(\w+)", found) == ["ill", "new", "well"]
