"""Markdown: whatever anybody wrote, there is no markup in it but ours, and it fits where it is to be posted."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from sample_accounts import (
    HOSTILE,
    answer,
    applied,
    change,
    failed,
    finished,
    hostile_accounts,
    hostile_texts,
    planned,
    told,
)
from told_accounts import attempt, generation

from taskspec.address import Address
from taskspec.ci import Revision
from taskspec.diagnostics import Diagnostic, Position
from taskspec.events import ApplyFinished, Effect
from taskspec.health import Health
from taskspec.plan.causes import Reason
from taskspec.plan.keeping import Kept
from taskspec.plan.model import Action, FieldDiff, Missing, Risk, RiskCategory
from taskspec.report.account import Account, Heard, Kind, TaskTold
from taskspec.report.exiting import ExitCode
from taskspec.report.markdown import comments, page, summary
from taskspec.report.markdown.escaping import code, fence, inner, marker, prose
from taskspec.report.markdown.texts import LONG
from taskspec.state.model import ResultRef

STANDING = {"done": Health.HEALTHY, "new": None}
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ACTIVE = re.compile(
    r"[@#!$~%&^](?=\w)|https?:|www\.|\b[A-Za-z]+-\d|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
"""What GitHub or GitLab make something of outside of code, and what steers a terminal anywhere."""
OWN_INLINE = {"text", "code_inline", "strong_open", "strong_close", "softbreak", "link_open", "link_close"}
OWN_BLOCKS = {
    f"{name}_{end}"
    for name in ("paragraph", "heading", "bullet_list", "list_item", "table", "thead", "tbody", "tr", "th", "td")
    for end in ("open", "close")
} | {"inline", "fence", "html_block"}


class _Folds(HTMLParser):
    """Reads the HTML of a document: only what folds is ours, and everything that is opened is closed."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.comments = [], []

    def handle_starttag(self, tag, attrs):
        assert (tag, attrs) in [("details", []), ("summary", []), ("code", [])], tag
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["code"]:
            assert ACTIVE.search(data) is None, data

    def handle_comment(self, data):
        self.comments.append(data)


def _check(text, markers=0, links=0):
    """Check that a document is complete by itself, and that nothing in it is markup but ours."""
    folds, found = _Folds(), 0
    for token in MARKDOWN.parse(text):
        assert token.type in OWN_BLOCKS, token
        if token.type == "html_block":
            folds.feed(token.content)
        if token.type == "fence":
            assert re.search("[\x1b\u202e]", token.content) is None
            assert token.info in {"diff", "text", "json", "markdown"}
        for child in token.children or ():
            assert child.type in OWN_INLINE, child
            found += child.type == "link_open"
            if child.type == "text":
                assert ACTIVE.search(child.content) is None, child.content
    assert folds.open == []
    assert len(folds.comments) == markers
    assert found <= links


def _ours(text):
    return re.findall(r"^<!-- taskspec (\S+) (\d+) -->$", text, re.MULTILINE)


@settings(max_examples=50, deadline=None)
@given(hostile_texts)
def test_a_foreign_text_is_text_wherever_it_stands(text):
    _check(f"# {code(text)}\n\n{prose(text)}\n\n{fence(text, 'text')}")
    _check(f"- {prose(text)}\n- {prose(text)} `x`: {code(text)}")
    _check(f"<details><summary>{inner(text)}</summary>\n\nx\n\n</details>")
    assert len(MARKDOWN.parse(marker(text, text, 1))) == 1
    assert re.fullmatch(r"<!-- taskspec [A-Za-z0-9._%-]+/[A-Za-z0-9._%-]+ 1 -->", marker(text, text, 1))


@settings(max_examples=50, deadline=None)
@given(st.lists(hostile_texts, min_size=2, max_size=2, unique=True))
def test_two_projects_never_have_one_marker(names):
    assert marker(names[0], "default", 1) != marker(names[1], "default", 1)


@settings(max_examples=30, deadline=None)
@given(hostile_accounts())
def test_a_report_of_hostile_texts_is_ours_alone(account):
    _check(page(account), links=1)
    parts = comments(account, 20_000)
    for number, text in enumerate(parts, 1):
        assert len(text.encode()) <= 20_000
        assert [part for _, part in _ours(text)] == [str(number)]
        _check(text, markers=1, links=1)


@settings(max_examples=30, deadline=None)
@given(hostile_accounts())
def test_the_first_word_is_good_only_where_the_exit_code_is(account):
    first = page(account).splitlines()[0]
    good = ("✅ Done", "✅ Nothing to do", "✅ Valid", "✅ All is well", "📝 To be done")
    assert first.startswith("### ")
    assert not (first.startswith(tuple(f"### {word}" for word in good)) and account.code not in {0, 2})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("run 12 failed: exit code 3", "run 12 failed: exit code 3"),
        ("known after `a` (create)", "known after `a` (create)"),
        ("ask @octocat about #12", "ask `@octocat` about `#12`"),
        ("see www.evil.example/x now", "see `www.evil.example/x` now"),
        ("`a`-`b`", "`a` `-` `b`"),
        ("by deadbeef1 of GH-12.", "by `deadbeef1` of `GH-12`."),
        ("1. no list", "`1`. no list"),
        ("it took 0.4s (50%).", "it took 0.4s (50%)."),
        ("new tasks.yaml:7:10 (7412ead6 2026-11-29 Ada)", "new `tasks.yaml:7:10` (`7412ead6` 2026-11-29 Ada)"),
        ("(see http://evil.example/) now", "(see `http://evil.example/)` now"),
        ("[x] (http://evil.example).", "`[x]` (`http://evil.example`)."),
        ("of 2026-11-29 07:42:17 UTC", "of 2026-11-29 07:42:17 UTC"),
        ("ends :100: so", "ends `:100`: so"),
    ],
)
def test_plain_words_stay_plain_and_all_else_is_code(text, shown):
    assert prose(text) == shown


def _replaced(old, new, form="text"):
    made = change(
        "a", generation=2, diffs=(FieldDiff(path=("prompt",), before="One.\nAnd more.", after="Two.\nAnd more."),)
    )
    return applied(told(made, finished(made), before=answer(old, 1, form), after=answer(new, 2, form)))


def test_a_changed_prompt_and_both_answers_are_shown_with_their_differences():
    text = page(_replaced("It is blue.\nReally.", "It is green.\nReally."))
    assert "```diff\n-One.\n+Two.\n And more.\n```" in text
    assert "**Answer**: g2 (20 bytes) in the place of g1 (19 bytes)" in text
    assert "```diff\n-It is blue.\n+It is green.\n Really.\n```" in text
    assert "<summary>The new answer, of g2 (20 bytes)</summary>" in text
    assert "<summary>The old answer, of g1 (19 bytes)</summary>" in text
    _check(text)


def test_json_is_compared_line_by_line_whatever_the_order_of_its_keys():
    text = page(_replaced('{"b": 1, "a": [1, 2]}', '{"a": [1, 3], "b": 1}', "json"))
    assert '@@ 1 line @@\n   "a": [\n     1,\n-    2\n+    3\n   ],\n   "b": 1\n' in text.replace(
        "@@ 1 line @@\n", "@@ 1 line @@\n"
    )
    same = page(_replaced('{"b": 1, "a": 2}', '{"a": 2,  "b": 1}', "json"))
    assert "the order of keys only" in same


def test_what_is_no_json_is_shown_as_it_is():
    assert "+{nope" in page(_replaced("{", "{nope", "json"))


def test_of_a_long_paragraph_only_the_sentence_that_changed_is_shown():
    before = " ".join(f"Sentence number {n} says something." for n in range(40))
    text = page(_replaced(before, before.replace("number 20 says", "number 20 denies")))
    assert "-Sentence number 20 says something.\n+Sentence number 20 denies something.\n" in text
    diff = text[text.index("**Answer**") :].split("```")[1]
    assert "Sentence number 30" not in diff


def test_two_texts_are_both_split_into_sentences_where_a_line_of_either_is_long():
    first, last = (
        "Find a tagline for the annual report of the house. ",
        " Use no jargon at all, and no more than ten words.",
    )
    short = first + "It should be short and bold." + last
    long = first + "It should be short, friendly and bold, and speak to all of the readers." + last
    assert len(short) < LONG < len(long)
    for before, after in ((short, long), (long, short)):
        diff = page(_replaced(before, after)).split("**Answer**")[1].split("```")[1].splitlines()
        assert [line[0] for line in diff[1:]] == [" ", "-", "+", " "]


def test_of_a_line_without_end_the_place_that_changed_is_shown():
    text = page(_replaced("x" * 9_000 + "old" + "y" * 9_000, "x" * 9_000 + "new" + "y" * 9_000))
    diff = text[text.index("**Answer**") :].split("```")[1]
    assert "xold" in diff
    assert "xnew" in diff
    assert max(map(len, diff.splitlines())) < 600


def test_results_of_five_megabytes_are_cut_and_the_command_that_shows_them_is_named():
    account = _replaced("a\n" * 2_500_000, "b\n" * 2_500_000)
    (text,) = comments(account, 65_536)
    assert "too long to be compared" in text
    assert "`taskspec results a` shows them" in text
    _check(text, markers=1)


def test_a_plan_folds_the_answer_that_it_replaces():
    text = page(planned(told(change(generation=2), before=answer("old"), after=answer("old"))))
    assert text.startswith("### 📝 To be done · demo: starts 1 run\n")
    assert "<summary>The answer that this replaces, of g1 (3 bytes)</summary>" in text
    assert "| **Paid runs** | **1** |" in text


def test_what_failed_is_told_first_with_its_own_words():
    good, bad = change("good"), change("bad")
    text = page(applied(told(good, finished(good)), told(bad, finished(bad, "failed", detail="exit code 3\nno ink"))))
    assert text.startswith("### ❌ Failed · demo: 0 runs started, 1 accepted, 1 without an accepted result")
    assert text.index("<code>bad</code>") < text.index("<code>good</code>")
    assert "**What went wrong**\n\n```text\nexit code 3\nno ink\n```" in text


def test_an_answer_that_was_not_accepted_is_folded_below_what_went_wrong():
    made = change("bad")
    asked = replace(generation(3), unaccepted=answer("# Title\n\nIt is bold.", 3))
    (text,) = comments(applied(told(made, finished(made, "rejected", detail="no"), generations=(asked,))), 65_536)
    wrong, why = text.split("**What went wrong**")[1].split("**Why**")
    assert "<summary>The answer that was not accepted, of g3 (20 bytes)</summary>" in wrong
    assert "```text\n# Title\n\nIt is bold.\n```" in wrong
    assert "It is bold" not in why
    large = replace(asked, unaccepted=answer("x" * 100_000, 3))
    (text,) = comments(applied(told(made, finished(made, "rejected", detail="no"), generations=(large,))), 65_536)
    assert "`taskspec results bad --generation g3` shows them" in text


def test_unchanged_tasks_are_only_counted():
    same = told(change("same", Action.NONE), health=Health.HEALTHY)
    text = page(planned(same))
    assert text.startswith("### ✅ Nothing to do · demo\n\n")
    assert "same" not in text.replace("1 task unchanged", "")
    assert "1 task unchanged." in text


def test_a_task_that_is_only_judged_less_strictly_is_told_with_its_risk():
    risk = Risk(category=RiskCategory.ACCEPTANCE_WEAKENED, text="assertion 1 of 1 was removed")
    text = page(planned(told(change("same", Action.NONE, risks=(risk,)), health=Health.HEALTHY)))
    assert "<code>same</code>" in text
    assert "risk `acceptance_weakened`: assertion 1 of 1 was removed" in text
    assert "unchanged" not in text.lower()


def test_a_kept_answer_that_is_taken_again_stands_against_the_one_that_it_replaces():
    kept = Kept(generation=1, attempt=attempt(), result=ResultRef.of("old", "text"), agent="writer", at=1.0)
    back = told(change(action=Action.ADOPT, kept=kept), returning=answer("old"), before=answer("new", 2))
    text = page(planned(back))
    assert text.startswith("### 📝 To be done · demo: starts no run, accepts 1 kept answer again\n")
    assert "**Answer**: that of g1 (3 bytes) again, in the place of g2 (3 bytes)\n\n```diff\n-new\n+old\n```" in text
    assert "The answer that is accepted again, of g1 (3 bytes)" in text
    first = page(planned(replace(back, before=None, after=None)))
    assert "The answer that is accepted again, of g1 (3 bytes)" in first
    assert "in the place of" not in first


def test_wrong_manifests_are_told_once():
    fault = Diagnostic(summary="Unknown field", detail="No such field.", position=Position(file="a.yaml", line=3))
    text = page(replace(failed("the manifests are wrong", diagnostics=(fault,)), kind=Kind.VALIDATE))
    assert text.count("the manifests are wrong") == 1
    assert "**Unknown field**" in text


def test_a_command_without_a_plan_says_what_is_wrong():
    text = page(failed("the lock is held by @ada", project="demo", environment="prod"))
    assert text.startswith("### 🔒 Locked · demo (prod): nothing was started\n\n**the lock is held by `@ada`**\n→ ")


def test_who_asked_stands_in_it_and_only_a_page_becomes_a_link():
    account = planned(told(change()))
    asked = Revision(commit="0" * 40, is_dirty=True, branch="main", author="ada", job="https://ci.example/1")
    text = page(replace(account, revision=asked))
    assert "Commit `000000000000` with changes that are not committed · branch `main` · asked for by `ada`" in text
    assert "[run](https://ci.example/1)" in text
    odd = replace(asked, job="https://ci.example/1) [x](javascript:alert(1)")
    _check(page(replace(account, revision=odd)))


def test_manifests_that_are_right_are_valid():
    account = Account(kind=Kind.VALIDATE, code=ExitCode.OK, began=0.0, ended=1.0, project="demo", environment="default")
    assert page(account).startswith("### ✅ Valid · demo: the manifests are right")


def test_a_task_that_was_never_applied_is_not_shown_as_accepted():
    tasks = [replace(told(change(name)), change=None, health=health) for name, health in STANDING.items()]
    account = Account(kind=Kind.STANDING, code=ExitCode.OK, began=0.0, ended=1.0, project="demo", tasks=tasks)
    text = page(account)
    assert text.startswith("### 📝 Not all applied")
    assert "✅ <code>done</code> accepted" in text
    assert "▫️ <code>new</code> not applied" in text
    assert page(replace(account, tasks=tasks[:1])).startswith("### ✅ All is well")


def _many(count, size):
    tasks = []
    for number in range(count):
        made = change(
            f"t{number}", diffs=(FieldDiff(path=("prompt",), before=Missing.MISSING, after=f"{number} " * size),)
        )
        tasks.append(told(made, finished(made), after=answer("word " * size)))
    return applied(*tasks)


def test_what_is_too_long_is_told_with_less_detail_before_there_is_a_second_comment():
    account = _many(20, 2_000)
    assert len(page(account)) > 200_000
    (text,) = comments(account, 65_536)
    assert len(text.encode()) <= 65_536
    assert text.count("<details><summary>✅") == 20
    _check(text, markers=1)


def test_then_there_are_several_comments_each_complete_by_itself():
    parts = comments(_many(250, 400), 65_536)
    assert len(parts) > 1
    assert sum(part.count("<details><summary>✅") for part in parts) == 250
    assert [_ours(part) for part in parts] == [[("demo/default", str(number))] for number in range(1, len(parts) + 1)]
    assert "This goes on in" in parts[0]
    for part in parts:
        assert len(part.encode()) <= 65_536
        _check(part, markers=1)


def test_what_has_no_room_at_all_is_counted():
    parts = comments(_many(2_000, 5), 65_536, most=2)
    assert len(parts) == 2
    shown = sum(part.count("<details><summary>✅") for part in parts)
    assert f"{2_000 - shown:} more tasks not shown here" in parts[-1]


def test_a_summary_of_a_job_is_one_document():
    text = summary(_many(300, 400), 30_000)
    assert len(text.encode()) <= 30_000
    _check(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_answer_breaks_out(text):
    _check(page(_replaced(text, f"{text}\n{text}")))
    _check(page(_replaced(f"x\n{text}", text, "markdown")))


def test_no_line_of_a_text_is_an_order_that_gitlab_carries_out():
    said = "````\n```\n/merge\n/close now\n/assign @evil\n/LABEL ~x\n/usr/bin/env\n///\n"
    text = page(applied(told(change(), finished(change()), after=answer(said))))
    assert not re.search(r"^/[A-Za-z_]+(\s|$)", text, re.MULTILINE)
    assert "\n\\x2fmerge\n\\x2fclose now\n\\x2fassign @evil\n\\x2fLABEL ~x\n/usr/bin/env\n" in text


def test_json_and_prompts_of_megabytes_are_neither_set_out_nor_compared():
    rows = "[" + ",".join(['{"a":1}'] * 100_000) + "]"
    prompt = FieldDiff(path=("prompt",), before="line\n" * 500_000, after="line\n" * 499_999 + "other\n")
    made = change(diffs=(prompt,))
    account = applied(told(made, finished(made), before=answer(rows, 1, "json"), after=answer(rows + " ", 2, "json")))
    text = page(account)
    assert '[{"a":1},{"a":1}' in text
    assert "`prompt`:\n\nThey are too long to be compared here." in text
    assert "+other" not in text


def test_what_is_not_well_is_not_counted_as_up_to_date():
    ill = told(change("ill", Action.NONE, Health.UNHEALTHY), health=Health.UNHEALTHY)
    unsent = (Reason(code="policy_changed", text="`retry` changed"),)
    lax = told(change("lax", Action.NONE, reasons=unsent), health=Health.HEALTHY)
    text = page(planned(ill, lax, told(change("same", Action.NONE), health=Health.HEALTHY), unlisted=2, unselected=4))
    assert "| Up to date | 3 |\n| Changed without a run | 1 |\n| Without an accepted result | 1 |" in text
    assert "| Not selected | 4 |" in text


def test_how_tasks_stand_has_totals():
    healths = (None, Health.HEALTHY, Health.UNHEALTHY, Health.HEALTHY)
    tasks = [TaskTold(address=Address(f"t{n}"), agent="w", health=health) for n, health in enumerate(healths)]
    account = Account(kind=Kind.STANDING, code=ExitCode.UNHEALTHY, began=0.0, ended=1.0, tasks=tasks)
    assert "| Healthy | 2 |\n| Without an accepted result | 1 |\n| Not applied | 1 |\n\n" in page(account)


def test_the_time_of_an_apply_is_the_one_that_it_told():
    end = Heard(at=9.0, event=ApplyFinished(seconds=0.8))
    assert "| Time | 0.8s |" in page(applied(told(change(), finished(change())), heard=[end]))
    assert "| Time | 9.0s |" in page(applied(told(change(), finished(change()))))


@pytest.mark.parametrize(
    ("action", "health", "said"),
    [
        (Action.BLOCKED, Health.UNHEALTHY, "❌ <code>a</code> blocked: without an accepted result</summary>"),
        (Action.HOLD, Health.HEALTHY, "✅ <code>a</code> hold: left</summary>"),
    ],
)
def test_what_is_blocked_was_not_merely_left(action, health, said):
    made = change(action=action, health=health, generation=0)
    assert said in page(applied(told(made, finished(made, None, health, Effect.LEFT))))
