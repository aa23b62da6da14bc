"""What the environment tells of the CI job: read as the platforms document it, and never better than it is told."""

import json

import pytest

from taskspec.ci import Cause, ChangeRequest, Platform, ci_job

MAIN = {"GITHUB_REF": "refs/heads/main", "GITHUB_REF_NAME": "main"}
HEAD, BASE, MERGE = "a" * 40, "b" * 40, "c" * 40


@pytest.fixture
def pull_request(tmp_path):
    """Return the environment of a job for a pull request; the event is what GitHub would write."""

    def made(event=None, **more):
        path = tmp_path / "event.json"
        path.write_text(event if isinstance(event, str) else json.dumps(event), encoding="utf-8")
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(path),
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_REF_NAME": "7/merge",
            "GITHUB_HEAD_REF": "friendlier",
            "GITHUB_BASE_REF": "main",
            "GITHUB_SHA": MERGE,
            "GITHUB_ACTOR": "ada",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "acme/growth",
            "GITHUB_RUN_ID": "77",
            **more,
        }

    return made


def event(repository="acme/growth", theirs="acme/growth"):
    head = {"sha": HEAD, "repo": {"full_name": theirs} if theirs else None}
    return {
        "repository": {"full_name": repository},
        "pull_request": {"number": 7, "head": head, "base": {"sha": BASE}},
    }


def test_a_pull_request_of_the_repository_itself_is_told(pull_request):
    job = ci_job(pull_request(event()))
    assert (job.platform, job.cause, job.commit, job.branch) == (Platform.GITHUB, Cause.REQUEST, HEAD, "friendlier")
    assert job.author == "ada"
    assert job.url == "https://github.example/acme/growth/actions/runs/77"
    assert job.request == ChangeRequest(number=7, base=BASE, target="main", is_foreign=False)


@pytest.mark.parametrize(
    "told",
    [
        event(theirs="mallory/growth"),
        event(theirs=None),
        {},
        [],
        "no JSON",
        {"pull_request": {"number": 7}},
        "[" * 99999,
    ],
    ids=["fork", "a fork that is gone", "nothing", "a list", "junk", "no head", "deep"],
)
def test_what_is_not_known_to_be_of_the_repository_is_foreign(pull_request, told):
    assert ci_job(pull_request(told)).request.is_foreign


def test_a_missing_event_file_makes_a_pull_request_foreign(pull_request):
    request = ci_job(pull_request({}, GITHUB_EVENT_PATH="/nowhere")).request
    assert (request.number, request.is_foreign, request.base) == (7, True, None)


def test_a_push_is_no_request(pull_request):
    job = ci_job(pull_request(event(), GITHUB_EVENT_NAME="push", GITHUB_HEAD_REF="", **MAIN))
    assert (job.cause, job.commit, job.branch, job.request) == (Cause.PUSH, MERGE, "main", None)


GITLAB = {
    "GITLAB_CI": "true",
    "CI": "true",
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "12",
    "CI_MERGE_REQUEST_PROJECT_ID": "5",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "5",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA": HEAD,
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "friendlier",
    "CI_COMMIT_SHA": HEAD,
    "GITLAB_USER_LOGIN": "grace",
    "CI_JOB_URL": "https://gitlab.example/acme/-/jobs/5",
}


def test_a_merge_request_is_told():
    job = ci_job(GITLAB)
    assert (job.platform, job.cause, job.commit, job.branch) == (Platform.GITLAB, Cause.REQUEST, HEAD, "friendlier")
    assert (job.author, job.url) == ("grace", "https://gitlab.example/acme/-/jobs/5")
    assert job.request == ChangeRequest(number=12, base=None, target="main", is_foreign=False)
    merged = ci_job(GITLAB | {"CI_MERGE_REQUEST_TARGET_BRANCH_SHA": BASE}).request
    assert merged.base == BASE, "where its branch begins is for it to choose, and is no base"


@pytest.mark.parametrize("name", ["CI_MERGE_REQUEST_PROJECT_ID", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID"])
@pytest.mark.parametrize("value", ["6", ""])
def test_a_merge_request_of_another_project_is_foreign(name, value):
    assert ci_job(GITLAB | {name: value}).request.is_foreign


def test_a_schedule_of_gitlab_is_told():
    told = {name: value for name, value in GITLAB.items() if "MERGE_REQUEST" not in name}
    assert ci_job(told | {"CI_PIPELINE_SOURCE": "schedule"}).cause is Cause.SCHEDULE


@pytest.mark.parametrize(
    ("environ", "platform"), [({}, None), ({"CI": "false"}, None), ({"CI": "true"}, Platform.OTHER)]
)
def test_another_service_is_known_by_its_name_alone(environ, platform):
    job = ci_job(environ)
    assert (job.platform if job else None) == platform
    assert job is None or (job.cause, job.request, job.commit) == (Cause.OTHER, None, None)


@pytest.mark.parametrize("name", ["pull_request_review", "pull_request_review_comment"])
def test_a_review_is_a_job_of_its_pull_request(pull_request, name):
    told = event()
    told["pull_request"]["base"]["ref"] = "main"
    job = ci_job(pull_request(told, GITHUB_EVENT_NAME=name, GITHUB_BASE_REF="", GITHUB_HEAD_REF=""))
    assert (job.cause, job.commit) == (Cause.REQUEST, HEAD)
    assert job.request == ChangeRequest(number=7, base=BASE, target="main", is_foreign=False)


def test_what_waits_in_a_merge_queue_is_not_merged_and_nobody_can_tell_whose_it_is(pull_request):
    queue = {"head_ref": f"refs/heads/gh-readonly-queue/main/pr-7-{BASE}", "base_ref": "refs/heads/main"}
    told = {"repository": {"full_name": "acme/growth"}, "merge_group": {**queue, "base_sha": BASE}}
    job = ci_job(pull_request(told, GITHUB_EVENT_NAME="merge_group", GITHUB_BASE_REF="", GITHUB_REF=queue["head_ref"]))
    assert job.cause is Cause.REQUEST
    assert job.request == ChangeRequest(number=7, base=BASE, target="main", is_foreign=True)


@pytest.mark.parametrize(
    ("name", "told", "cause"),
    [
        ("issue_comment", {"issue": {"number": 7, "pull_request": {}}}, Cause.REQUEST),
        ("issue_comment", {"issue": {"number": 7}}, Cause.OTHER),
        ("issue_comment", {}, Cause.REQUEST),
        ("workflow_run", {"workflow_run": {"event": "pull_request"}}, Cause.REQUEST),
        ("workflow_run", {"workflow_run": {"event": "pull_request_target"}}, Cause.REQUEST),
        ("workflow_run", {"workflow_run": {"event": "issue_comment"}}, Cause.REQUEST),
        ("workflow_run", {"workflow_run": {"event": "workflow_run"}}, Cause.REQUEST),
        ("workflow_run", {"workflow_run": {"event": "push"}}, Cause.OTHER),
        ("workflow_run", "no JSON", Cause.REQUEST),
    ],
)
def test_what_is_about_a_pull_request_is_a_job_of_it_whose_base_nobody_knows(pull_request, name, told, cause):
    job = ci_job(pull_request(told, GITHUB_EVENT_NAME=name, GITHUB_REF="refs/heads/main", GITHUB_BASE_REF=""))
    assert job.cause is cause
    assert job.request is None or (job.request.base, job.request.target, job.request.is_foreign) == (None, None, True)


def test_what_has_checked_out_a_pull_request_is_of_one_whatever_the_event_is_called(pull_request):
    job = ci_job(pull_request({}, GITHUB_EVENT_NAME="an_event_of_tomorrow"))
    assert (job.cause, job.request.number, job.request.is_foreign) == (Cause.REQUEST, 7, True)


@pytest.mark.parametrize(
    ("environ", "cause"),
    [
        ({"CI": "true", "CIRCLE_PULL_REQUEST": "https://github.example/acme/growth/pull/7"}, Cause.REQUEST),
        ({"CI": "true", "BUILDKITE_PULL_REQUEST": "7"}, Cause.REQUEST),
        ({"CI": "true", "BUILDKITE_PULL_REQUEST": "false"}, Cause.OTHER),
        ({"CI": "true", "CI_COMMIT_PULL_REQUEST": ""}, Cause.OTHER),
        ({"BUILD_URL": "http://jenkins:8080/job/acme/5/", "CHANGE_ID": "7"}, Cause.REQUEST),
        ({"SYSTEM_PULLREQUEST_PULLREQUESTID": "7"}, Cause.REQUEST),
    ],
)
def test_a_pull_request_of_another_service_is_known_as_one(environ, cause):
    assert ci_job(environ).cause is cause
