"""Create many tasks with one client and print what it took, as JSON. Compares nothing, and imports only that client.

`python creating.py CLIENT URL AGENT COUNT IN_FLIGHT`, with the key in BENCHMARK_KEY. The time is that of the creates:
imports, the opening of the client and one unmeasured create come before it.
"""

import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

Create = Callable[[], Awaitable[object]]
PROMPT = "Look at the sales of the last quarter, month by month, and say which of them is unusual. " * 5


@asynccontextmanager
async def library(url: str, key: str, agent: str) -> AsyncIterator[Create]:
    """Lend a create of taskspec's library."""
    from taskspec import Configuration, Tasks

    async with Tasks(configuration=Configuration(api_key=key, base_url=url)) as tasks:
        yield lambda: tasks.acreate(agent, prompt=PROMPT)


@asynccontextmanager
async def aiohttp(url: str, key: str, agent: str) -> AsyncIterator[Create]:
    """Lend a create of a bare pooled aiohttp client: the same request, and the answer's JSON."""
    from aiohttp import ClientSession, TCPConnector

    async with ClientSession(headers={"x-api-key": key}, connector=TCPConnector(limit=0)) as session:

        async def create() -> object:
            async with session.post(f"{url}/agent-execution/{agent}", json=_body(), headers=_headers()) as answer:
                answer.raise_for_status()
                return await answer.json()

        yield create


@asynccontextmanager
async def httpx(url: str, key: str, agent: str) -> AsyncIterator[Create]:
    """Lend a create of a bare pooled httpx client: the same request, and the answer's JSON."""
    from httpx import AsyncClient

    async with AsyncClient(headers={"x-api-key": key}, timeout=60, trust_env=False) as client:

        async def create() -> object:
            answer = await client.post(f"{url}/agent-execution/{agent}", json=_body(), headers=_headers())
            return answer.raise_for_status().json()

        yield create


@asynccontextmanager
async def vendor(url: str, key: str, agent: str) -> AsyncIterator[Create]:
    """Lend a create of the vendor's SDK, which opens a client for each request."""
    from xpander_sdk import Configuration, Tasks

    tasks = Tasks(configuration=Configuration(api_key=key, base_url=url, organization_id="local"))
    yield lambda: tasks.acreate(agent_id=agent, prompt=PROMPT)


def _body() -> dict[str, object]:
    """Return what the library sends: all keys of a create."""
    empty = dict.fromkeys(
        [
            "id",
            "payload_extension",
            "source",
            "worker_id",
            "output_format",
            "output_schema",
            "additional_context",
            "instructions_override",
            "test_run_node_id",
            "user_oidc_token",
            "expected_output",
            "triggering_agent_id",
            "title",
            "tool_call_limit",
            "user_tokens",
            "llm_model_provider",
            "llm_model_name",
            "llm_reasoning_effort",
            "harness_cli",
            "permission_mode",
        ]
    )
    flags = dict.fromkeys(("run_locally", "events_streaming", "disable_attachment_injection", "return_metrics"), False)
    sent = {"input": {"text": PROMPT, "files": [], "user": None}, "mcp_servers": [], "think_mode": "default"}
    return {**empty, **flags, **sent}


def _headers() -> dict[str, str]:
    return {"idempotency-key": str(uuid.uuid4())}


async def _creating(create: Create, count: int, in_flight: int) -> None:
    turns = iter(range(count))

    async def worker() -> None:
        for _ in turns:
            await create()

    await asyncio.gather(*(worker() for _ in range(in_flight)))


async def measured(client: str, url: str, agent: str, count: int, in_flight: int) -> dict[str, float]:
    """Return the seconds that the creates took: wall-clock time, and the CPU time of this process."""
    lending = {"library": library, "aiohttp": aiohttp, "httpx": httpx, "vendor": vendor}[client]
    async with lending(url, os.environ["BENCHMARK_KEY"], agent) as create:
        await create()
        wall, cpu = time.perf_counter(), time.process_time()
        await _creating(create, count, in_flight)
        return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def measured_blocking(url: str, agent: str, count: int, in_flight: int) -> dict[str, float]:
    """Return what the library's blocking colour takes, used by so many threads."""
    from taskspec import Configuration, Tasks

    with (
        Tasks(configuration=Configuration(api_key=os.environ["BENCHMARK_KEY"], base_url=url)) as tasks,
        ThreadPoolExecutor(in_flight) as threads,
    ):
        tasks.create(agent, prompt=PROMPT)
        wall, cpu = time.perf_counter(), time.process_time()
        for done in [threads.submit(tasks.create, agent, prompt=PROMPT) for _ in range(count)]:
            done.result()
        return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def main() -> None:
    """Measure the client that the command line names."""
    client, url, agent, *numbers = sys.argv[1:]
    count, in_flight = map(int, numbers)
    if client == "blocking":
        print(json.dumps(measured_blocking(url, agent, count, in_flight)))
    else:
        print(json.dumps(asyncio.run(measured(client, url, agent, count, in_flight))))


if __name__ == "__main__":
    main()
