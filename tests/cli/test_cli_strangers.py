"""What a remote chose (ids, titles, statuses) makes no line of its own in what is written, and no option of a hint."""

import copy
import re
import shlex

EVIL = "\x1b]0;pwn\x07\x1b[31m\u202egnp\n::error::boom\r\x00\u2066 `id`"


def beside(remote, run, **shown):
    """Put a run on the remote that bears the marker of the first one, but for its nonce."""
    first = remote.runs["run-1"]
    title = first.marker.rsplit(".", 1)[0] + f".{len(remote.runs):016}]"
    made = copy.deepcopy(first)
    made.id, made.key, made.body = run, None, first.body | {"title": title}
    made.steps = [{"status": "executing", "title": title} | shown]
    remote.runs[run] = made


def harmless(told):
    written = told.out + told.err
    assert not re.search("[\x1b\x07\r\x00\u202e\u2066]", written)
    assert not re.search(r"^\s*(::|\\x3a|\x5c0a)", written, re.MULTILINE), "a remote begins no line"
    return told


def test_no_status_of_a_remote_makes_a_line(checkout, remote):
    checkout.task("a")
    checkout.apply("--no-wait")
    beside(remote, "evil", status=EVIL)
    harmless(checkout.taskspec("orphans"))
    checkout.taskspec("forget", "a", "--yes")
    assert harmless(checkout.taskspec("adopt", "a", "evil", "--yes")).code == 0
    for words in (
        ["plan"],
        ["plan", "--refresh-only"],
        ["status"],
        ["tasks", "get", "evil"],
        ["tasks", "list", "writer"],
    ):
        harmless(checkout.taskspec(*words))


def test_no_id_of_a_remote_makes_an_option(checkout, remote):
    checkout.task("a")
    checkout.apply("--no-wait")
    beside(remote, "--foreign")
    checkout.taskspec("forget", "a", "--yes")
    remote.runs.pop("run-1")
    for words in (["orphans"], ["plan", "--refresh=full"]):
        told = checkout.taskspec(*words)
        (proposed,) = re.findall(r"`taskspec (adopt [^`]*)`", told.out)
        assert shlex.split(proposed) == ["adopt", "a", "--", "--foreign"]


def test_a_proposal_keeps_each_space_of_an_address(checkout):
    checkout.task("lot", prompt="Write {{ matrix.who }}.", matrix={"who": ["a  b"]})
    checkout.apply("--no-wait")
    told = checkout.taskspec("forget", "lot*", "--yes")
    (proposed,) = re.findall(r"`taskspec (stop [^`]*)`", told.out)
    assert shlex.split(proposed) == ["stop", 'lot["a  b"]']
