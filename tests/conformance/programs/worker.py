"""Works for an agent with the vendor's `@on_task`; its journal tells what it was given, and files end what it holds."""

import asyncio
import os
from pathlib import Path

from xpander_sdk import Task, Tokens, on_task

NAME = os.environ["WORKER_NAME"]
FOLDER = Path(os.environ["WORKER_FOLDER"])


def note(word, task):
    """Append a line to the journal."""
    with (FOLDER / "journal").open("a") as journal:
        journal.write(f"{NAME} {word} {task.id}\n")


@on_task
async def work(task: Task) -> Task:
    """Do what the prompt says."""
    note("began", task)
    order, _, rest = (task.input.text or "").partition(" ")
    if order == "fail":
        raise ValueError(f"cannot do {rest}")
    if order == "hold":
        while not (FOLDER / rest).exists():  # noqa: ASYNC110 - the file is another program's
            await asyncio.sleep(0.05)
    task.result = f"{NAME}: {rest}"
    task.tokens = Tokens(prompt_tokens=3, completion_tokens=4)
    note("finished", task)
    return task
