"""What the environment says of the CI job that a process belongs to."""

import pytest

from taskspec.settings import from_environ

GITHUB = {
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "acme/growth",
    "GITHUB_RUN_ID": "77",
}


@pytest.mark.parametrize(
    ("environ", "page"),
    [
        ({}, None),
        (GITHUB, "https://github.example/acme/growth/actions/runs/77"),
        (GITHUB | {"CI_JOB_URL": "https://other"}, "https://github.example/acme/growth/actions/runs/77"),
        ({**GITHUB, "GITHUB_RUN_ID": ""}, None),
        ({"CI_JOB_URL": "https://gitlab.example/acme/-/jobs/5"}, "https://gitlab.example/acme/-/jobs/5"),
        ({"CI_PIPELINE_URL": "https://ci.example/repos/1/pipeline/5"}, "https://ci.example/repos/1/pipeline/5"),
        ({"CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/5"}, "https://circleci.com/gh/acme/5"),
        ({"BUILDKITE_BUILD_URL": "https://buildkite.com/acme/5"}, "https://buildkite.com/acme/5"),
        ({"DRONE_BUILD_LINK": "https://drone.example/acme/5"}, "https://drone.example/acme/5"),
        ({"BUILD_URL": "https://ci.example/5?token=secret#key=secret"}, "https://ci.example/5"),
        ({"BUILD_URL": "http://jenkins:8080/job/acme/5/"}, "http://jenkins:8080/job/acme/5/"),
    ],
)
def test_the_page_of_a_ci_job_is_found(environ, page):
    job = from_environ(environ).ci
    assert (job.url if job else None) == page


@pytest.mark.parametrize(
    "url",
    [
        "",
        "5",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://me:it@jenkins/job/5",
        "https://x/" + "5" * 500,
    ],
)
def test_what_is_no_page_or_may_hold_a_secret_is_left_out(url):
    assert from_environ({"BUILD_URL": url}).ci is None


@pytest.mark.parametrize(
    ("environ", "color", "forced", "cursor"),
    [
        ({}, True, False, True),
        ({"NO_COLOR": "1"}, False, False, True),
        ({"NO_COLOR": "", "TERM": "xterm"}, True, False, True),
        ({"TERM": "dumb"}, False, False, False),
        ({"CLICOLOR": "0"}, False, False, True),
        ({"FORCE_COLOR": "1"}, True, True, True),
        ({"FORCE_COLOR": "0"}, True, False, True),
        ({"CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, True, True, True),
        ({"CLICOLOR_FORCE": "0"}, True, False, True),
        ({"FORCE_COLOR": "3", "TERM": "dumb"}, True, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False, True),
    ],
)
def test_colours_are_wanted_forced_or_refused(environ, color, forced, cursor):
    settings = from_environ(environ)
    assert (settings.color, settings.color_forced, settings.cursor) == (color, forced, cursor)
