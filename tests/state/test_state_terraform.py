"""The register on a server of Terraform's HTTP protocol: what it asks a strict one, and makes of its answers."""

import json
import logging
import random
import ssl
import threading
import time
import traceback
from base64 import b64encode
from contextlib import closing, contextmanager
from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import terraform_server
from state_values import ALICE, BOB
from terraform_server import READER, TOKEN, USER

from taskspec.errors import StateError
from taskspec.state.registers.port import ConflictError, ServerLock, UncertainError
from taskspec.state.store import Fencing
from taskspec.state.terraform.access import access_to
from taskspec.state.terraform.driver import TerraformRegister

LOCALHOST = Path(__file__).parents[1] / "taskapi" / "localhost.pem"
QUICK = {"TF_HTTP_RETRY_WAIT_MIN": "0", "TF_HTTP_RETRY_WAIT_MAX": "0"}
PATHS = {
    "gitlab": "/open/api/v4/projects/1/terraform/state/{}",
    "gitea": "/open/api/packages/me/terraform/state/{}",
    "plain": "/plain/{}",
}
COUNTING = ["gitlab", "gitea"]


@pytest.fixture(scope="module")
def server():
    running = terraform_server.TerraformServer()
    yield running
    running.close()


@pytest.fixture
def connect():
    """Make registers, all closed in the end."""
    made = []

    def connect(url, *, timeout=10.0, **environ):
        register = TerraformRegister(access_to(url, {**QUICK, **environ}), timeout=timeout)
        made.append(register)
        return register

    yield connect
    for register in made:
        register.close()


@pytest.fixture(params=sorted(PATHS))
def where(request, server, tmp_path):
    """A URL of a state of its own on each kind of server, and what the environment says of it."""
    url = server.root + PATHS[request.param].format(tmp_path.name)
    return url, {} if request.param in COUNTING else {"TF_HTTP_LOCK_ADDRESS": url}


@pytest.fixture
def url(server, tmp_path):
    return server.root + PATHS["gitlab"].format(tmp_path.name)


@pytest.fixture
def guarded(server, tmp_path):
    """A URL where one has to say who one is."""
    return f"{server.root}/api/v4/projects/1/terraform/state/{tmp_path.name}"


def lock_of(holder=ALICE, identifier="11111111-aaaa", ttl=60.0):
    return ServerLock(id=identifier, holder=holder, ttl=ttl, since=time.time())


def foreign_lock(server, url, **more):
    """Let a lock of Terraform be taken."""
    lock = {
        "ID": "45dc6a52",
        "Operation": "OperationTypeApply",
        "Info": "",
        "Who": "carol@runner-7",
        "Version": "1.9.8",
        "Created": "2026-01-02T03:04:05.123456789Z",
        "Path": "",
        **more,
    }
    register = TerraformRegister(access_to(url, QUICK))
    assert register._questions.ask(register._access.lock, json.dumps(lock).encode()).status == 200
    register.close()


def test_where_nothing_is_kept_nothing_is_found_and_nothing_is_made(where, connect, server):
    url, environ = where
    assert connect(url, **environ).load() is None
    assert server.kept(url) == {"versions": [], "lock": None}


def test_what_is_written_is_found_by_others(where, connect):
    url, environ = where
    writer = connect(url, **environ)
    assert writer.lock(lock_of()) is None
    first = writer.swap(b"one \xff", None, number=1, lock=lock_of().id)
    second = writer.swap(b"two", first, number=2, lock=lock_of().id)
    assert connect(url, **environ).load() == second
    assert (second.content, second.written) == (b"two", None)
    assert first.tag != second.tag


def test_a_text_that_comes_again_has_another_tag(where, connect):
    url, environ = where
    writer = connect(url, **environ)
    writer.lock(lock_of())
    first = writer.swap(b"same", None, number=1, lock=lock_of().id)
    second = writer.swap(b"other", first, number=2, lock=lock_of().id)
    assert writer.swap(b"same", second, number=3, lock=lock_of().id).tag != first.tag


@pytest.mark.parametrize("before", ["nothing", "an older one"])
def test_only_what_was_read_is_replaced(where, connect, before):
    url, environ = where
    writer = connect(url, **environ)
    writer.lock(lock_of())
    first = writer.swap(b"one", None, number=1, lock=lock_of().id)
    second = writer.swap(b"two", first, number=2, lock=lock_of().id)
    with pytest.raises(ConflictError):
        writer.swap(b"three", None if before == "nothing" else first, number=9, lock=lock_of().id)
    assert writer.load() == second


def test_a_write_that_is_there_already_is_no_conflict(where, connect, server):
    url, environ = where
    writer = connect(url, **environ)
    writer.lock(lock_of())
    first = writer.swap(b"one", None, number=1, lock=lock_of().id)
    second = writer.swap(b"two", first, number=2, lock=lock_of().id)
    assert writer.swap(b"two", first, number=2, lock=lock_of().id) == second
    assert writer.load() == second


def test_a_lock_that_is_taken_is_told_to_whoever_asks_and_can_be_given_back(where, connect, server):
    url, environ = where
    one, other = connect(url, **environ), connect(url, **environ)
    assert one.lock(lock_of()) is None
    found = other.lock(lock_of(BOB, "22222222-bbbb"))
    assert (found.id, found.ttl) == (lock_of().id, 60.0)
    assert -3 <= other.now() - found.since < 30
    one.unlock(lock_of().id)
    one.unlock(lock_of().id)
    assert server.kept(url)["lock"] is None
    assert other.lock(lock_of(BOB, "22222222-bbbb")) is None


def test_the_holder_of_a_lock_is_told_where_the_server_keeps_what_it_is_told(where, connect, server):
    url, environ = where
    connect(url, **environ).lock(lock_of())
    found = connect(url, **environ).lock(lock_of(BOB, "22222222-bbbb"))
    if "gitlab" in url or "api/v4" in url:  # it answers with the words of who asks
        assert (found.holder.user, found.holder.command, found.holder.pid) == (USER, "taskspec", 0)
    else:
        assert found.holder == ALICE


def test_a_lock_is_broken_by_its_id_by_somebody_who_never_saw_it(where, connect, server):
    url, environ = where
    connect(url, **environ).lock(lock_of())
    connect(url, **environ).unlock("another")
    assert server.kept(url)["lock"] is not None
    connect(url, **environ).unlock(lock_of().id)
    assert server.kept(url)["lock"] is None
    connect(url, **environ).unlock(lock_of().id)
    assert server.kept(url)["lock"] is None


def test_a_lock_of_another_tool_is_told_and_never_ends_by_itself(server, url, connect):
    foreign_lock(server, url)
    found = connect(url).lock(lock_of())
    assert (found.id, found.ttl, found.holder.user) == ("45dc6a52", None, USER)
    assert found.holder.command == ""
    plain = server.root + "/plain/foreign"
    foreign_lock_at = {"TF_HTTP_LOCK_ADDRESS": plain}
    register = connect(plain, **foreign_lock_at)
    lock = {
        "ID": "45dc",
        "Who": "carol@runner-7",
        "Operation": "OperationTypeApply",
        "Created": "2026-01-02T03:04:05.123456789Z",
    }
    register._questions.ask(register._access.lock, json.dumps(lock).encode())
    found = register.lock(lock_of())
    assert (found.id, found.ttl, found.since) == ("45dc", None, 1_767_323_045.123456)
    assert (found.holder.user, found.holder.host, found.holder.command) == ("carol", "runner-7", "OperationTypeApply")


def test_a_lock_that_cannot_be_read_is_still_one(server, url, connect):
    server.fail(f"{url}/lock", "broken lock")
    found = connect(url).lock(lock_of())
    assert (found.id, found.ttl) == ("", None)


@pytest.mark.parametrize("what", ["500 after", "cut after", "cut within", "500 before", "cut before"])
def test_a_lock_whose_answer_was_lost_is_held(where, connect, server, what):
    url, environ = where
    register = connect(url, **environ)
    lock = register._access.lock
    server.fail(lock.origin + lock.path, what, method=lock.method)
    assert register.lock(lock_of()) is None
    assert server.kept(url)["lock"] is not None
    register.unlock(lock_of().id)
    assert server.kept(url)["lock"] is None


def test_a_lock_of_which_no_answer_comes_is_not_left_behind(server, url, connect):
    server.fail(f"{url}/lock", "500 after", times=3)
    with pytest.raises(StateError, match="the server failed"):
        connect(url).lock(lock_of())
    assert server.kept(url)["lock"] is None


@pytest.mark.parametrize("what", ["500 after", "cut after", "cut within", "html after"])
def test_a_write_whose_answer_was_lost_is_uncertain_and_found_when_it_is_tried_again(where, connect, server, what):
    url, environ = where
    register = connect(url, **environ)
    register.lock(lock_of())
    first = register.swap(b"one", None, number=1, lock=lock_of().id)
    server.fail(url, what)
    if what == "500 after" and "/api/" in url:  # the serial is looked for at once
        assert register.swap(b"two", first, number=2, lock=lock_of().id) == register.load()
    else:
        with pytest.raises(UncertainError):
            register.swap(b"two", first, number=2, lock=lock_of().id)
    assert register.load().content == b"two"
    assert register.swap(b"two", first, number=2, lock=lock_of().id) == register.load()


@pytest.mark.parametrize("what", ["500 before", "cut before", "html"])
def test_a_write_that_may_have_happened_is_uncertain_though_it_has_not(where, connect, server, what):
    url, environ = where
    register = connect(url, **environ)
    register.lock(lock_of())
    server.fail(url, what)
    with pytest.raises(UncertainError):
        register.swap(b"one", None, number=1, lock=lock_of().id)
    assert register.load() is None
    assert register.swap(b"one", None, number=1, lock=lock_of().id) == register.load()


def test_a_write_that_takes_too_long_is_uncertain(server, url, connect):
    register = connect(url, timeout=1.0)
    register.lock(lock_of())
    server.fail(url, "slow", seconds=3)
    with pytest.raises(UncertainError, match="no answer within"):
        register.swap(b"one", None, number=1, lock=lock_of().id)


def test_reading_is_tried_again(where, connect, server):
    url, environ = where
    register = connect(url, **environ)
    register.lock(lock_of())
    kept = register.swap(b"one", None, number=1, lock=lock_of().id)
    for what in ("500 before", "cut before", "cut within"):
        server.fail(url, what, method="GET", times=2)
        assert register.load() == kept


def test_who_lost_the_lock_writes_nothing(where, connect):
    url, environ = where
    old, new = connect(url, **environ), connect(url, **environ)
    old.lock(lock_of())
    first = old.swap(b"one", None, number=1, lock=lock_of().id)
    new.unlock(lock_of().id)
    new.lock(lock_of(BOB, "22222222-bbbb"))
    second = new.swap(b"two", new.load(), number=2, lock="22222222-bbbb")
    with pytest.raises((ConflictError, UncertainError)):
        old.swap(b"late", first, number=2, lock=lock_of().id)
    assert new.load() == second


def test_what_a_server_refuses_is_found_out_once_where_it_is_not_known(where, connect, server):
    url, environ = where
    register = connect(url, **environ)
    assert (register.notice == "") == ("api" in url)
    register.lock(lock_of())
    first = register.swap(b"one", None, number=1, lock=lock_of().id)
    register.swap(b"two", first, number=2, lock=lock_of().id)
    writes = [seen for seen in server.seen(url) if seen[0] == "POST"]
    assert len(writes) == (2 if "api" in url else 4)
    assert register.fencing is Fencing.LOCK
    assert (register.notice == "") == ("api" in url)


def test_the_clock_of_the_server_is_known_to_a_second(where, connect):
    url, environ = where
    register = connect(url, **environ)
    for _ in range(3):
        earliest, real, latest = register.now(), time.time(), register.clock()
        assert real - 2 < earliest <= real + 0.1
        assert real - 0.1 <= latest < real + 2


def test_a_server_without_a_clock_is_refused(server, url, connect):
    server.fail(url, "undated", method="HEAD", times=9)
    with pytest.raises(StateError, match="does not say what time it is"):
        connect(url).now()


def test_a_state_of_terraform_is_never_touched(server, url, connect):
    register = connect(url)
    body = {"version": 4, "terraform_version": "1.9.8", "serial": 7, "lineage": "x", "outputs": {}, "resources": []}
    assert register._questions.ask(register._access.write, json.dumps(body).encode()).status == 200
    with pytest.raises(StateError, match="state of Terraform or OpenTofu, not of taskspec"):
        register.load()
    assert server.kept(url)["versions"] == [7]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "is no JSON"),
        (b"[]", "no state of taskspec"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"taskspec":{"format":2}}', "newer taskspec"),
        (b'{"taskspec":{"format":1}}', "damaged: a part of it is missing"),
        (b'{"serial":1,"taskspec":{"format":1,"content":"eJw="}}', "damaged"),
        (b'{"serial":1,"taskspec":{"format":1,"content":"%%"}}', "damaged"),
    ],
)
def test_what_is_no_state_of_ours_is_told_in_words(server, connect, body, words, tmp_path):
    register = connect(f"{server.root}/plain/{tmp_path.name}")
    server.fail(f"{server.root}/plain/{tmp_path.name}", "status", method="GET", status=200, text=body.decode())
    with pytest.raises(StateError, match=words):
        register.load()


@pytest.mark.parametrize(
    ("status", "words", "hint"),
    [
        (401, "who asks is not known there", "TF_HTTP_PASSWORD"),
        (403, "may not do that", "Maintainer"),
        (404, "no such place", "Check the URL"),
        (405, "“no such thing”", "TF_HTTP_LOCK_ADDRESS"),
        (413, "too large for the server", "PostgreSQL"),
        (422, "“no such thing”", "Run the command again"),
        (429, "“no such thing”", "too often"),
        (302, "sends elsewhere", "URL"),
    ],
)
def test_every_refusal_has_words_of_its_own_and_changes_nothing(server, url, connect, status, words, hint):
    register = connect(url)
    register.lock(lock_of())
    body = {"message": "no such thing"}
    server.fail(url, "status", status=status, body=body, times=9, headers={"location": "https://elsewhere.example/"})
    with pytest.raises(StateError) as caught:
        register.swap(b"one", None, number=1, lock=lock_of().id)
    assert words in caught.value.message
    assert hint in caught.value.hint
    assert register.load() is None


def test_a_text_that_is_too_large_for_the_server_is_refused(server, url, connect):
    register = connect(url)
    register.lock(lock_of())
    with pytest.raises(StateError, match="too large for the server"):
        register.swap(random.Random(1).randbytes(terraform_server.LARGEST), None, number=1, lock=lock_of().id)
    assert register.load() is None


def test_a_page_to_sign_in_is_no_state(server, url, connect):
    server.fail(url, "html", method="GET")
    with pytest.raises(StateError, match="a page for people"):
        connect(url).load()


def test_a_project_that_cannot_be_seen_is_no_empty_state(server, connect):
    with pytest.raises(StateError, match="Project Not Found"):
        connect(f"{server.root}/open/api/v4/projects/404/terraform/state/x").load()


def test_a_server_that_is_not_there_is_told_as_such(connect):
    with pytest.raises(StateError, match="cannot be reached") as caught:
        connect("http://127.0.0.1:9/plain/x").load()
    assert caught.value.hint
    with pytest.raises(StateError, match="cannot be reached"):
        connect("http://127.0.0.1:9/plain/x").lock(lock_of())


def test_a_connection_that_breaks_is_told_in_one_sentence(server, url, connect):
    server.fail(url, "cut before", method="GET", times=9)
    with pytest.raises(StateError, match=r"the connection broke: .*[^.]\.$"):
        connect(url).load()


def test_a_job_whose_token_is_not_for_that_server_is_told_so(server):
    url = f"{server.root}/api/v4/projects/1/terraform/state/x"
    job = {"CI_JOB_TOKEN": TOKEN, "CI_API_V4_URL": "https://gitlab.example.com/api/v4"}
    with (
        closing(TerraformRegister(access_to(url, job))) as register,
        pytest.raises(StateError, match="not known there") as caught,
    ):
        register.load()
    assert "at the GitLab that runs the job alone" in caught.value.hint


def with_user(url, user, token):
    return url.replace("://", f"://{quote(user, safe='')}:{quote(token, safe='')}@")


def test_who_asks_is_said_by_the_url_by_terraform_s_variables_or_by_the_job_of_gitlab(server, guarded, connect):
    root = server.root
    for url, environ in (
        (with_user(guarded, USER, TOKEN), {"TF_HTTP_PASSWORD": "wrong"}),
        (
            guarded,
            {"TF_HTTP_USERNAME": USER, "TF_HTTP_PASSWORD": TOKEN, "CI_JOB_TOKEN": "wrong", "CI_SERVER_URL": root},
        ),
        (guarded, {"TF_HTTP_PASSWORD": TOKEN, "TF_HTTP_ADDRESS": f"{root}/other"}),
        (guarded, {"CI_JOB_TOKEN": TOKEN, "CI_API_V4_URL": f"{root}/api/v4"}),
        (guarded, {"CI_JOB_TOKEN": TOKEN, "CI_SERVER_URL": root}),
    ):
        assert connect(url, **environ).load() is None
    sent = server.seen(guarded)[-1][2]
    assert sent["authorization"] == "Basic " + b64encode(f"gitlab-ci-token:{TOKEN}".encode()).decode()


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"CI_JOB_TOKEN": TOKEN},
        {"CI_JOB_TOKEN": TOKEN, "CI_SERVER_URL": "https://gitlab.example.com"},
        {"TF_HTTP_PASSWORD": TOKEN, "TF_HTTP_ADDRESS": "https://gitlab.example.com/x"},
        {"TF_HTTP_USERNAME": USER},
    ],
)
def test_no_token_goes_where_it_was_not_meant_for(server, guarded, connect, environ):
    with pytest.raises(StateError, match="who asks is not known there") as caught:
        connect(guarded, **environ).load()
    assert "TF_HTTP_PASSWORD" in caught.value.hint
    assert all("authorization" not in headers for _, _, headers in server.seen(guarded))


def test_the_variables_of_another_state_of_terraform_count_for_nothing(server, url):
    other = {
        "TF_HTTP_ADDRESS": f"{url}-other",
        "TF_HTTP_LOCK_ADDRESS": f"{url}-other/lock",
        "TF_HTTP_LOCK_METHOD": "PUT",
        "TF_HTTP_UPDATE_METHOD": "PUT",
    }
    access = access_to(url, other)
    assert (access.lock.method, access.lock.path) == ("POST", f"{urlsplit(url).path}/lock")
    assert access.write.method == "POST"
    own = access_to(url, {**other, "TF_HTTP_ADDRESS": url})
    assert (own.lock.method, own.lock.path) == ("PUT", f"{urlsplit(url).path}-other/lock")
    assert own.unlock == replace(own.lock, method="UNLOCK")


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TF_HTTP_LOCK_ADDRESS": "http://example.com/x"}, "everybody on the way"),
        ({"TF_HTTP_UNLOCK_ADDRESS": "nonsense"}, "TF_HTTP_UNLOCK_ADDRESS"),
        ({"TF_HTTP_LOCK_METHOD": "a b"}, "TF_HTTP_LOCK_METHOD"),
        ({"TF_HTTP_RETRY_MAX": "-1"}, "TF_HTTP_RETRY_MAX"),
    ],
)
def test_a_variable_that_cannot_be_right_is_told(environ, words):
    with pytest.raises(StateError) as caught:
        access_to("https://example.com/state", environ)
    assert words in caught.value.message


def test_a_token_in_a_query_is_refused():
    with pytest.raises(StateError, match="in its query") as caught:
        access_to("https://example.com/state?private_token=s3cr3t-4711", {})
    assert "s3cr3t" not in caught.value.message


def test_a_reader_may_read_and_not_write(guarded, connect, server):
    register = connect(with_user(guarded, "dev", READER))
    assert register.load() is None
    with pytest.raises(StateError, match="may not do that there") as caught:
        register.lock(lock_of())
    assert "Maintainer" in caught.value.hint


def test_no_word_holds_a_token(server, guarded, connect, caplog):
    caplog.set_level(logging.DEBUG)
    url = with_user(guarded, USER, TOKEN)
    register = connect(url)
    said = [repr(register), repr(register._access), register.place]
    basic = b64encode(f"{USER}:{TOKEN}".encode()).decode()
    echo = {"message": f"{TOKEN} {basic} {quote(TOKEN, safe='')}"}
    register.lock(lock_of())
    for status in (400, 401, 403, 404, 409, 500):
        for method in ("GET", "POST"):
            server.fail(guarded, "status", method=method, status=status, body=echo, times=3)
        for act in (register.load, lambda: register.swap(b"x", None, number=1, lock=lock_of().id)):
            try:
                act()
            except (StateError, ConflictError, UncertainError) as error:
                said += [
                    str(error),
                    repr(error),
                    getattr(error, "hint", ""),
                    "".join(traceback.format_exception(error)),
                ]
    said.append(caplog.text)
    for text in said:
        assert not any(secret in text for secret in (TOKEN, quote(TOKEN, safe=""), basic)), text


def test_a_redirect_is_not_followed(server, guarded, connect):
    server.fail(guarded, "status", method="GET", status=302, headers={"location": f"{server.root}/plain/caught"})
    with pytest.raises(StateError, match="sends elsewhere"):
        connect(with_user(guarded, USER, TOKEN)).load()
    assert server.seen(f"{server.root}/plain/caught") == []


def test_a_lock_that_somebody_removed_on_the_server_is_taken_again_by_whoever_holds_it(where, connect, server):
    url, environ = where
    register, person = connect(url, **environ), connect(url, **environ)
    register.lock(lock_of())
    first = register.swap(b"one", None, number=1, lock=lock_of().id)
    person.unlock(lock_of().id)
    second = register.swap(b"two", first, number=2, lock=lock_of().id)
    assert register.load() == second


def test_who_lost_the_lock_takes_none_again(where, connect, server):
    url, environ = where
    old, new = connect(url, **environ), connect(url, **environ)
    old.lock(lock_of())
    first = old.swap(b"one", None, number=1, lock=lock_of().id)
    new.unlock(lock_of().id)
    new.lock(lock_of(BOB, "22222222-bbbb"))
    second = new.swap(b"two", new.load(), number=2, lock="22222222-bbbb")
    new.unlock("22222222-bbbb")
    with pytest.raises(ConflictError):
        old.swap(b"late", first, number=2, lock=lock_of().id)
    assert new.load() == second
    assert server.kept(url)["lock"] is None


def test_a_write_under_a_lock_that_another_process_has_taken_knows_its_id(where, connect):
    url, environ = where
    holder, other = connect(url, **environ), connect(url, **environ)
    holder.lock(lock_of())
    first = holder.swap(b"one", None, number=1, lock=lock_of().id)
    assert other.swap(b"two", first, number=2, lock=lock_of().id) == holder.load()


def test_a_server_whose_lock_keeps_nobody_out_is_refused(server, connect, tmp_path):
    url = f"{server.root}/lax/{tmp_path.name}"
    environ = {"TF_HTTP_LOCK_ADDRESS": url}
    for content in (b"one", b"two"):
        register = connect(url, **environ)
        register.lock(lock_of())
        with pytest.raises(StateError, match="takes writes from whoever sends them"):
            register.swap(content, register.load(), number=1, lock=lock_of().id)
        register.unlock(lock_of().id)


def test_a_write_that_met_a_failure_is_known_by_its_serial_whatever_came_after_it(server, url, connect):
    one, other = connect(url), connect(url)
    one.lock(lock_of())
    first = one.swap(b"one", None, number=1, lock=lock_of().id)
    other.unlock(lock_of().id)
    other.lock(lock_of(BOB, "22222222-bbbb"))
    second = other.swap(b"two", first, number=2, lock="22222222-bbbb")
    third = other.swap(b"three", second, number=3, lock="22222222-bbbb")
    with pytest.raises(ConflictError):
        one.swap(b"late", first, number=2, lock=lock_of().id)
    assert one.swap(b"two", first, number=2, lock=lock_of().id) == second
    assert one.load() == third


@contextmanager
def over_tls():
    """Serve in this process with a certificate that only LOCALHOST vouches for; yield a URL and who connected."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(LOCALHOST)
    listening = ThreadingHTTPServer(("127.0.0.1", 0), terraform_server.Handler, bind_and_activate=True)
    listening.daemon_threads = True
    listening.handle_error = lambda *_: None
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    try:
        yield f"https://localhost:{listening.server_address[1]}/api/v4/projects/1/terraform/state/secure"
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def test_a_certificate_of_nobody_is_not_trusted_and_no_token_is_sent(connect, monkeypatch):
    terraform_server.SEEN.clear()
    with over_tls() as url:
        with pytest.raises(StateError, match="certificate is not trusted: self-signed certificate") as caught:
            connect(with_user(url, USER, TOKEN)).load()
        assert "SSL_CERT_FILE" in caught.value.hint
        assert terraform_server.SEEN == []
        monkeypatch.setenv("SSL_CERT_FILE", str(LOCALHOST))
        assert connect(with_user(url, USER, TOKEN)).load() is None


def test_authorities_that_cannot_be_loaded_are_an_error_of_the_state(connect, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(StateError, match="SSL_CERT_FILE cannot be loaded"):
        connect("https://gitlab.example.com/state").load()


def test_a_proxy_that_refuses_the_way_is_told_and_nothing_was_sent(server, connect, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", server.root.replace("://", "://user:hunter22@"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(StateError, match="the proxy answered 404") as caught:
        connect(with_user("https://gitlab.example.com/state", USER, TOKEN)).load()
    said = "".join(traceback.format_exception(caught.value))
    assert "hunter22" not in said
    assert TOKEN not in said
