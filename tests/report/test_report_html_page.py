"""The page as a whole: what it says, that no text breaks out of it, and that it stays within its bounds."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from itertools import product

import pytest
from sample_accounts import change, planned, told
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
        "rerun of accepted",
        "m.keller",
        "#42",
        "sha256:4be1",
        "retry scheduled",
        "1,540",
        "waits for",
    ):
        assert said.lower() in found.lower()


def test_a_risk_is_told_at_the_top_with_its_task_and_once_where_all_runs_have_it():
    again = Risk(category=RiskCategory.RERUN_OF_ACCEPTED, text="Paid for once more.")
    wider = Risk(category=RiskCategory.PERMISSION_WIDENED, text="The tool `shell` may be used.")
    new = Risk(category=RiskCategory.NEW_PAID_RUN, text="It was never asked for.")
    one, two = (change(name, Action.REPLACE, generation=2, paid=True) for name in ("one", "two"))
    made = planned(told(replace(one, risks=(again, wider))), told(replace(two, risks=(again, new))))
    (top,) = re.findall(r"To be looked at</h2>(.*?)</section>", written(made), re.DOTALL)
    assert Read("<!doctype html>" + top).text.split("Risk: ")[1:] == [
        "rerun of accepted 2 changes; what has an accepted result is paid for once more.",
        "permission widened oneThe tool shell may be used.",
    ]
    assert f'href="#{place_of_task(one.address)}"' in top


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
