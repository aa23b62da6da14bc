"""The pull request of a commit that was merged."""

import pytest
from hosting_doubles import GitHubDouble, GitLabDouble

COMMIT = "a" * 40


def _found(double):
    return double.run(double.desk.request_of(COMMIT))


def test_a_commit_that_came_by_no_pull_request_has_none():
    assert _found(GitHubDouble()) is None
    assert _found(GitLabDouble()) is None


def test_of_several_pull_requests_it_is_the_one_that_was_merged_as_that_commit():
    double = GitHubDouble()
    double.pulls = [
        {"number": 1, "merged_at": None, "merge_commit_sha": COMMIT},
        {"number": 2, "merged_at": "2026-01-01", "merge_commit_sha": "b" * 40},
        {"number": 3, "merged_at": "2026-01-01", "merge_commit_sha": COMMIT},
    ]
    assert _found(double) == 3
    double.pulls.pop()
    assert _found(double) is None, "another commit of it has been pushed"
    assert double.asked[0] == ("GET", f"/api/v3/repos/acme/growth/commits/{COMMIT}/pulls")


def test_gitlab_tells_a_squashed_one_too():
    double = GitLabDouble()
    double.pulls = [
        {"iid": 4, "state": "opened", "sha": COMMIT},
        {"iid": 5, "state": "merged", "sha": "b" * 40},
        {"iid": 6, "state": "merged", "sha": "c" * 40, "squash_commit_sha": COMMIT},
    ]
    assert _found(double) == 6
    assert double.asked[0] == ("GET", f"/api/v4/projects/7/repository/commits/{COMMIT}/merge_requests")


@pytest.mark.parametrize("double", [GitHubDouble(), GitLabDouble()])
def test_a_request_that_is_closed_is_not_open(double):
    double.closed.add(5)
    assert double.run(double.desk.is_open(4))
    assert not double.run(double.desk.is_open(5))
