"""The way to the platform: the token goes there, and nowhere else."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from taskspec.errors import RemoteError, UsageError
from taskspec.hosting.posting import post
from taskspec.hosting.reaching import Reach, can_comment
from taskspec.settings import from_environ

TOKEN = "secret-token-of-the-job"
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/growth", "GITHUB_TOKEN": TOKEN}
GITLAB = {"GITLAB_CI": "true", "CI_PROJECT_ID": "7", "TASKSPEC_COMMENT_TOKEN": TOKEN}


@pytest.fixture
def server():
    """Return a server and what it was asked; `answers` are by method and path, and 404 without."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self):
            self.rfile.read(int(self.headers.get("content-length") or 0))
            made.asked.append((self.command, self.path, dict(self.headers)))
            status, headers, content = made.answers.get((self.command, self.path.partition("?")[0]), (404, {}, b"{}"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer  # noqa: N815

        def log_message(self, *_):
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.asked, made.answers = [], {}
    made.url = f"http://127.0.0.1:{made.server_address[1]}"
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def _settings(environ, **more):
    return from_environ({**environ, **more})


def test_a_comment_is_written_with_the_token_of_the_job(server):
    comments = "/repos/acme/growth/issues/12/comments"
    said = json.dumps({"id": 1, "body": "x", "user": {"login": "github-actions[bot]", "type": "Bot"}}).encode()
    server.answers = {
        ("GET", "/user"): (403, {}, b'{"message": "Resource not accessible by integration"}'),
        ("GET", comments): (200, {}, b"[]"),
        ("POST", comments): (201, {}, said),
    }
    reach = Reach(_settings(GITHUB, GITHUB_API_URL=server.url))
    assert reach.run(post(reach.desk, 12, ["<!-- taskspec a/b 1 -->\nx"])) == (1, 0, 0)
    assert [(method, path.partition("?")[0]) for method, path, _ in server.asked] == [
        ("GET", "/user"),
        ("GET", comments),
        ("POST", comments),
    ]
    assert {headers["authorization"] for *_, headers in server.asked} == {f"Bearer {TOKEN}"}


def test_a_merge_request_is_one_of_the_project_that_it_is_to_be_merged_into():
    assert _settings(GITLAB, CI_MERGE_REQUEST_PROJECT_ID="9").repository == "9"


def test_gitlab_is_asked_below_the_path_of_its_api(server):
    server.answers = {("GET", "/gitlab/api/v4/user"): (200, {}, b'{"username": "bot"}')}
    reach = Reach(_settings(GITLAB, CI_API_V4_URL=f"{server.url}/gitlab/api/v4"))
    assert reach.run(reach.desk.identity()).name == "bot"
    assert server.asked[0][2]["private-token"] == TOKEN


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_the_token_goes_no_further(server, status):
    server.answers = {("GET", "/user"): (status, {"location": f"{server.url}/elsewhere"}, b"")}
    reach = Reach(_settings(GITLAB, CI_API_V4_URL=server.url))
    with pytest.raises(RemoteError):
        reach.run(reach.desk.identity())
    assert [path for _, path, _ in server.asked] == ["/user"]


def test_a_server_that_repeats_the_token_does_not_have_it_printed(server):
    server.answers = {("GET", "/user"): (403, {}, json.dumps({"message": f"no {TOKEN} here"}).encode())}
    reach = Reach(_settings(GITLAB, CI_API_V4_URL=server.url))
    with pytest.raises(RemoteError) as caught:
        reach.run(reach.desk.identity())
    assert TOKEN not in caught.value.message + caught.value.hint + repr(reach)


def test_a_read_that_fails_is_repeated(server, monkeypatch):
    monkeypatch.setattr("taskspec.hosting.reaching.time.sleep", lambda _: None)
    server.answers = {("GET", "/user"): (503, {}, b"")}
    reach = Reach(_settings(GITLAB, CI_API_V4_URL=server.url))
    with pytest.raises(RemoteError, match="503"):
        reach.run(reach.desk.identity())
    assert len(server.asked) == 4


def test_a_platform_that_is_not_there_is_named_and_the_token_is_not(server, monkeypatch):
    monkeypatch.setattr("taskspec.hosting.reaching.time.sleep", lambda _: None)
    reach = Reach(_settings(GITLAB, CI_API_V4_URL="http://127.0.0.1:1"))
    with pytest.raises(RemoteError, match="GitLab cannot be reached") as caught:
        reach.run(reach.desk.identity())
    assert TOKEN not in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example",
        "ftp://127.0.0.1",
        "https://me:it@api.example",
        "api.example",
        "http://127.0.0.1.evil.example",
    ],
)
def test_a_token_is_sent_over_tls_or_to_this_machine_alone(url):
    with pytest.raises(UsageError):
        Reach(_settings(GITHUB, GITHUB_API_URL=url))


@pytest.mark.parametrize(
    "environ",
    [
        {**GITHUB, "GITHUB_TOKEN": ""},
        {**GITHUB, "GITHUB_TOKEN": "two\nlines"},
        {**GITLAB, "TASKSPEC_COMMENT_TOKEN": "", "CI_API_V4_URL": "https://x"},
        {"TASKSPEC_COMMENT_TOKEN": TOKEN},
    ],
)
def test_without_a_token_or_a_job_there_is_no_way(environ):
    with pytest.raises(UsageError) as caught:
        Reach(from_environ(environ))
    assert TOKEN not in caught.value.message


def test_a_token_of_its_own_goes_before_that_of_the_job():
    settings = _settings(GITHUB, TASKSPEC_COMMENT_TOKEN="own")
    assert settings.comment_token == "own"
    assert "own" not in repr(settings)
    assert can_comment(settings)
    assert not can_comment(from_environ({"GITHUB_TOKEN": TOKEN}))
    assert not can_comment(_settings({**GITLAB, "GITHUB_TOKEN": TOKEN, "TASKSPEC_COMMENT_TOKEN": ""}))
