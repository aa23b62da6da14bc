"""The sticky comment: made once, changed in place, and never somebody else's."""

import pytest
from hosting_doubles import GitHubDouble, GitLabDouble

from taskspec.errors import AuthenticationError, OutcomeUnknownError, RefusedError, RemoteError, UnreachableError
from taskspec.hosting.posting import TRIES, post
from taskspec.taskapi.messages import Response

MARK = "<!-- taskspec demo/default {} -->"
LOST = OutcomeUnknownError("the connection broke")


def _text(said, part=1):
    return f"{MARK.format(part)}\n{said}\n"


@pytest.fixture(params=[GitHubDouble, GitLabDouble])
def double(request):
    return request.param()


def _post(double, *said):
    return double.run(post(double.desk, 12, [_text(one, part) for part, one in enumerate(said, 1)]))


def _others(double, body):
    return double.add(body, "mallory", "User")


def test_the_first_comment_is_made_and_then_changed_in_place(double):
    assert _post(double, "one") == (1, 0, 0)
    assert _post(double, "two") == (0, 1, 0)
    assert double.bodies == [_text("two")]


def test_a_comment_that_says_the_same_is_not_written_again(double):
    _post(double, "one")
    double.asked.clear()
    _post(double, "one")
    assert {method for method, _ in double.asked} == {"GET"}


def test_parts_that_are_no_longer_needed_are_deleted_and_new_ones_made(double):
    _post(double, "one", "two", "three")
    assert _post(double, "uno") == (0, 1, 2)
    assert double.bodies == [_text("uno")]
    assert _post(double, "one", "two") == (1, 1, 0)
    assert double.bodies == [_text("one"), _text("two", 2)]


def test_a_stranger_s_comment_with_our_marker_is_never_touched(double):
    _others(double, _text("forged"))
    _post(double, "one")
    assert double.bodies == [_text("forged"), _text("one")]


@pytest.mark.parametrize("status", [403, 404, 429, 502])
def test_where_nobody_can_tell_whose_the_token_is_nothing_is_written(status):
    double = GitHubDouble(me={"login": "ada"})
    double.add(_text("old"), "ada", "User")
    double.faults = [Response(status=status, content=b'{"message": "API rate limit exceeded"}')]
    with pytest.raises(RemoteError):
        _post(double, "new")
    assert double.bodies == [_text("old")]


def test_a_comment_of_ours_that_quotes_the_marker_further_down_is_left(double):
    double.add(f"Look:\n{_text('x')}", *(("project_7_bot", "User") if isinstance(double, GitLabDouble) else ()))
    _post(double, "one")
    assert len(double.bodies) == 2


def test_comments_of_another_environment_stay(double):
    other = _text("one").replace("demo/default", "demo/prod")
    double.run(post(double.desk, 12, [other]))
    _post(double, "one")
    _post(double, "two")
    assert double.bodies == [other, _text("two")]


def test_ours_is_found_on_a_later_page(double):
    for number in range(230):
        _others(double, f"talk {number}")
    _post(double, "one")
    _post(double, "two")
    assert double.bodies[-1] == _text("two")
    assert len(double.bodies) == 231


def test_a_comment_that_two_jobs_made_at_once_is_one_again(double):
    _post(double, "one")
    author = ("project_7_bot", "User") if isinstance(double, GitLabDouble) else ()
    double.add(_text("one"), *author)
    assert _post(double, "two") == (0, 1, 1)
    assert double.bodies == [_text("two")]


def test_a_comment_that_is_gone_meanwhile_is_made_again(double):
    _post(double, "one")
    number = len(double.asked)
    _post(double, "one")
    reads = len(double.asked) - number
    double.faults = [*[None] * reads, Response(status=404)]
    assert _post(double, "two")[0] == 1


@pytest.mark.parametrize("lost", [LOST, Response(status=502)])
def test_a_comment_whose_making_got_no_answer_is_looked_for_before_it_is_made_again(double, lost):
    reads = 2
    double.faults = [*[None] * reads, ("done", lost)]
    assert _post(double, "one") == (1, 0, 0)
    assert double.bodies == [_text("one")]
    assert [method for method, _ in double.asked].count("POST") == 1


@pytest.mark.parametrize("fault", [LOST, UnreachableError("refused"), Response(status=503), Response(status=429)])
def test_a_comment_that_was_not_made_is_tried_again_and_not_for_ever(double, fault):
    double.faults = [None, None, fault]
    assert _post(double, "one") == (1, 0, 0)
    assert double.bodies == [_text("one")]
    assert len(double.paused) == 1
    double.comments.clear()
    double.faults = [None, None, *[fault, None] * TRIES]
    with pytest.raises((RefusedError, UnreachableError, OutcomeUnknownError)):
        _post(double, "one")


def test_a_server_that_asks_for_hours_is_not_waited_for(double):
    double.faults = [None, None, Response(status=503, headers={"retry-after": "7200"})]
    _post(double, "one")
    assert max(double.paused) <= 30


def test_a_token_that_may_only_read_is_a_plain_refusal(double):
    denied = Response(status=403, content=b'{"message": "Resource not accessible by integration"}')
    double.faults = [None, None, denied]
    with pytest.raises(AuthenticationError, match="did not write a comment: it answered 403") as caught:
        _post(double, "one")
    assert "fork" in caught.value.hint


def test_a_comment_that_may_not_be_deleted_is_left(double):
    _post(double, "one", "two")
    double.asked.clear()
    double.faults = [None, None, None, Response(status=403)]
    assert _post(double, "uno") == (0, 1, 0)


def test_a_person_s_token_touches_that_person_s_comments_alone():
    double = GitHubDouble(me={"login": "ada"})
    double.add(_text("by the bot"))
    _post(double, "one")
    _post(double, "two")
    assert double.bodies == [_text("by the bot"), _text("two")]


def test_a_wrong_token_is_told_and_nothing_is_written():
    double = GitHubDouble()
    double.faults = [Response(status=401, content=b'{"message": "Bad credentials"}')]
    with pytest.raises(AuthenticationError, match="Bad credentials"):
        _post(double, "one")
    assert double.bodies == []


def test_notes_that_gitlab_itself_wrote_are_none_of_ours():
    double = GitLabDouble()
    double.add(_text("x"), "project_7_bot", "System")
    _post(double, "one")
    assert len(double.bodies) == 2


@pytest.mark.parametrize("content", [b"", b"[1]", b"{}", b"[[[[", b'{"id": "x"}'])
def test_an_answer_that_makes_no_sense_is_an_error_and_no_crash(double, content):
    double.faults = [None, Response(status=200, content=content), Response(status=200, content=content)]
    with pytest.raises(OutcomeUnknownError):
        _post(double, "one")
