"""`python -m tests.stalling FILE topic partition`.

A worker one of whose partitions is never handed on while the file is there.
"""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from streams.worker.transport import ChunkConsumer

BLOCK, TOPIC, PARTITION = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
getmany = ChunkConsumer.getmany


async def getmany_but_one(self: ChunkConsumer, timeout: float) -> AsyncIterator[tuple[Any, Any]]:
    async for tp, message in getmany(self, timeout):
        if (tp.topic, tp.partition) != (TOPIC, PARTITION) or not BLOCK.exists():
            yield tp, message


ChunkConsumer.getmany = getmany_but_one  # type: ignore[method-assign]

if __name__ == "__main__":
    from faust import Worker

    from schemas.settings import load
    from streams.worker.app import create

    Worker(create(load()), loglevel="info").execute_from_commandline()
