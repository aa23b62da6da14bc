"""What the vendor's SDK makes of the engine's refusals: the right code, and words that help."""

import pytest

CODES = {
    "unknown get": {404},
    "unknown load": {404},
    "unknown update": {404},
    "unknown stop": {404},
    "unknown save": {404},
    "unknown reload": {404},
    "unknown continuation": {404},
    "continuation by another agent": {409, 422},
    "continuation of a running task": {409},
    "unknown agent": {404},
    "unknown agent get": {404},
    "wrong key create": {401},
    "wrong key get": {401},
    "wrong key list": {401},
    "wrong key stop": {401},
    "wrong key agents": {401},
}


@pytest.fixture(scope="module")
def refusals(sdk, engine, home):
    return sdk.run("refusals", "async", home=home, XPANDER_BASE_URL=engine.url)


@pytest.mark.parametrize("call", CODES)
def test_a_wrong_call_is_refused_with_its_code_and_a_reason(refusals, call):
    refused = refusals(call)["refused"]
    assert refused is not None
    assert refused["error"] == "ModuleException"
    assert refused["status"] in CODES[call]
    assert '{"detail":' in refused["detail"]
    assert "not-the-key" not in refused["detail"]


def test_the_stream_of_an_unknown_task_is_no_stream(refusals):
    assert refusals("unknown events")["refused"]["error"] == "SSEError"


def test_a_refused_continuation_starts_nothing(refusals, engine):
    task = engine.task(refusals("continuation of a running task")["id"])
    assert (task["status"], task["input"]["text"]) == ("stopped", "x")
