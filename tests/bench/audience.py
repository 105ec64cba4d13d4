"""`python -m tests.bench.audience push|poll ADDRESS VIEWERS SECONDS`.

Viewers without browsers, in a process of their own.

They speak Dash's protocol as its renderer does: `push` opens the WebSocket, asks for the persistent
callback and answers what it is asked; `poll` sends the callback of a `dcc.Interval` every second,
the next one when the last is answered. When each has its first content the process says so and
waits for a line; then it counts for some seconds and prints what came, as JSON.
"""

import asyncio
import json
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.bench.machine import many_files

EVERY = 1.0
VIEWER = {"data": {"language": "vi", "scenes": ["overview"]}}
NEWS = re.compile(r'"now": ?(\d+), ?"heartbeat": ?(\w+), ?"snapshot": ?(\w+)')


@dataclass
class Tally:
    """What came: of each update who got it, when (Unix ms), its news and when it was drawn up.

    Bytes of text.
    """

    updates: list[tuple[int, float, str, float]] = field(default_factory=list)
    bytes: int = 0
    ready: set[int] = field(default_factory=set)
    failed: int = 0


async def watch(session: aiohttp.ClientSession, address: str, number: int, tally: Tally) -> None:
    """One viewer of pushes. Compression is offered as Chromium offers it."""
    async with session.get(f"{address}/_dash-dependencies") as answer:
        output = next(
            one["output"]
            for one in await answer.json()
            if not one["inputs"] and one.get("persistent")
        )
    name = f"viewer-{number}"
    payload = {"output": output, "outputs": [], "inputs": [], "changedPropIds": [], "state": []}
    async with session.ws_connect(
        f"{address}/_dash-ws-callback", origin=address, compress=15, max_msg_size=0
    ) as ws:
        await ws.send_json(
            {
                "type": "callback_request",
                "rendererId": name,
                "requestId": f"{name}-1",
                "payload": payload,
            }
        )
        async for message in ws:
            text = message.data
            if "get_props_request" in text:
                for one in _all(json.loads(text)):
                    if one["type"] == "get_props_request":
                        said = {
                            "type": "get_props_response",
                            "rendererId": name,
                            "requestId": one["requestId"],
                            "payload": VIEWER,
                        }
                        await ws.send_json(said)
            tally.bytes += len(text)
            if found := NEWS.search(text):
                tally.ready.add(number)
                tally.updates.append(
                    (number, 1000 * time.time(), f"{found[2]} {found[3]}", float(found[1]))
                )


async def poll(session: aiohttp.ClientSession, address: str, number: int, tally: Tally) -> None:
    """One viewer of a page with an interval."""
    async with session.get(f"{address}/_dash-dependencies") as answer:
        callback = next(
            one
            for one in await answer.json()
            if any(each["property"] == "n_intervals" for each in one["inputs"])
        )
    outputs = [
        dict(zip(("id", "property"), one.rsplit(".", 1), strict=True))
        for one in callback["output"].strip(".").split("...")
    ]
    tick, count = callback["inputs"][0], 0
    while True:
        began, count = time.monotonic(), count + 1
        payload = {
            "output": callback["output"],
            "outputs": outputs,
            "inputs": [{**tick, "value": count}],
            "changedPropIds": [f"{tick['id']}.{tick['property']}"],
            "state": [],
        }
        asked = 1000 * time.time()
        async with session.post(f"{address}/_dash-update-component", json=payload) as answer:
            text = await answer.text()
            if answer.status == 200:
                tally.ready.add(number)
                tally.updates.append((number, 1000 * time.time(), f"{number} {count}", asked))
                tally.bytes += len(text)
            else:
                tally.failed += 1
        await asyncio.sleep(max(0.0, EVERY - (time.monotonic() - began)))


async def main(how: str, address: str, viewers: int, seconds: float, enough: int) -> None:
    """Open all viewers, count, print.

    `enough` viewers that have their content are enough to begin.
    """
    tally = Tally()
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=60)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=timeout
    ) as session:
        run = watch if how == "push" else poll
        tasks = [
            asyncio.create_task(run(session, address, number, tally)) for number in range(viewers)
        ]
        while len(tally.ready) < enough:
            await asyncio.sleep(0.1)
            for task in tasks:
                if task.done():
                    task.result()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        tally.updates, tally.bytes = [], 0
        await asyncio.sleep(seconds)
        updates, read = list(tally.updates), tally.bytes
        gone = sum(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    print(
        json.dumps(
            {
                "updates": len(updates),
                "bytes": read,
                "failed": tally.failed + gone,
                "took": took(updates),
            }
        ),
        flush=True,
    )


def took(updates: list[tuple[int, float, str, float]]) -> list[float]:
    """Return milliseconds from each news to each viewer.

    It was there when the first frame that tells of it was drawn up.
    """
    since: dict[str, float] = {}
    for _, _, news, drawn in updates:
        since[news] = min(drawn, since.get(news, drawn))
    first: dict[tuple[int, str], float] = {}
    for viewer, at, news, _ in updates:
        first.setdefault((viewer, news), at - since[news])
    return [round(one, 1) for one in first.values()]


def _all(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said]


if __name__ == "__main__":
    many_files()
    asyncio.run(
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
    )
