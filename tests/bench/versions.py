"""The versions of everything that takes part."""

import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from clickhouse_driver import Client

from stack.parts import jars


def versions(peers_python: Path, clickhouse_url: str) -> dict[str, str]:
    """Name → version."""
    client = Client.from_url(clickhouse_url.rpartition("/")[0] + "/default")
    clickhouse = client.execute("SELECT version()")[0][0]
    client.disconnect()
    asked = (
        "from importlib.metadata import version as v; print(v('quixstreams'), v('confluent-kafka'))"
    )
    quix, confluent = subprocess.run(
        [peers_python, "-c", asked], capture_output=True, text=True, check=True
    ).stdout.split()
    jar = next((jar.name for jar in jars() if jar.name.startswith("kafka-clients-")), "")
    found = re.search(r"-([\d.]+)\.jar", jar)
    return {
        "Python": platform.python_version(),
        "Apache Kafka": found[1] if found else "?",
        "ClickHouse": clickhouse,
        **{
            name: version(name)
            for name in (
                "faust-streaming",
                "aiokafka",
                "kafka-python",
                "clickhouse-driver",
                "msgspec",
            )
        },
        "Quix Streams": quix,
        "confluent-kafka (sends the load)": confluent,
    }
