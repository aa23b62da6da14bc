"""A remote played by hand, which counts what it is asked. It opens no connection."""

import asyncio
import json
from dataclasses import dataclass, field

from taskspec.taskapi.messages import Request, Response
from taskspec.taskapi.remotes import Traits

LIST = "/agent-execution/executions/history/"


def row(run, status, agent="a1", **more):
    return {"id": run, "agent_id": agent, "organization_id": "o", "input": {}, "status": status} | more


@dataclass
class PlayedRemote:
    """Answers requests from rows; `lists_lag` hides all rows from lists, `broken` paths answer as they are told."""

    rows: list
    traits: Traits = field(default_factory=lambda: Traits(pages_lists=True))
    lists_lag: bool = False
    filters: bool = True
    broken: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    most_at_once: int = 0
    at_once: int = 0

    async def run(self, call):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            step = next(call)
            while True:
                await asyncio.sleep(0)
                told = self.answer(step) if isinstance(step, Request) else None
                step = call.throw(told) if isinstance(told, Exception) else call.send(told)
        except StopIteration as end:
            return end.value
        finally:
            self.at_once -= 1

    def answer(self, request):
        query = dict(request.query)
        target = request.path + (f"?{query['status']}" if "status" in query else "")
        self.asked.append(target)
        for path, trouble in self.broken.items():
            if target.startswith(path):
                return trouble if isinstance(trouble, Exception) else self.response(trouble, {"detail": "no"})
        if request.path.startswith(LIST):
            agent = request.path.removeprefix(LIST)
            wanted = query.get("status") if self.filters else None
            rows = [r for r in self.rows if r["agent_id"] == agent and wanted in (None, r["status"])]
            return self.response(200, [] if self.lists_lag else rows)
        run = request.path.split("/")[2]
        found = [r for r in self.rows if r["id"] == run]
        return self.response(200, found[0] | {"full": True}) if found else self.response(404, {"detail": "gone"})

    @staticmethod
    def response(status, body):
        return Response(status=status, headers={"content-type": "application/json"}, content=json.dumps(body).encode())
