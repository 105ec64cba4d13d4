"""Configure and run the Kafka broker: one node with its controller (KRaft), loopback only."""

import base64
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import uuid
from pathlib import Path

from stack import StackError
from stack.parts import HERE, class_archive, jars, java
from stack.ports import choose_port
from stack.process import start, wait_until

# The serial collector and the first compiler tier only: fewer threads and less memory for a broker
# that serves one machine. With the class archive (see `archive`), which is valid for these options
# only, a start takes 2.6 s on 2 cores instead of 5.2 s.
JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

# A restart after a crash waits for the session timeout: until then the controller takes the new
# broker for a duplicate.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=8
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.max.timeout.ms=60000
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=4000
log.segment.bytes=67108864
log.retention.check.interval.ms=300000
"""


def command(folder: Path, port: int, controller: int) -> list[str]:
    """Write the broker's configuration, format its storage if it is new, return its command line.

    Args:
        folder: where the configuration and, under `data`, the storage go.
        port: the port for clients.
        controller: the port of the KRaft controller.

    Raises:
        StackError: Kafka could not format the storage.
    """
    data = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    properties.write_text(PROPERTIES.format(port=port, controller=controller, data=data))
    if cluster_id(folder) is None:
        shutil.rmtree(data, ignore_errors=True)
        tool = [
            *_java(),
            "kafka.tools.StorageTool",
            "format",
            "-t",
            _new_id(),
            "-c",
            str(properties),
        ]
        formatted = subprocess.run(tool, capture_output=True, text=True, check=False)
        if formatted.returncode:
            raise StackError(
                f"Kafka could not format {data}:\n{formatted.stdout}{formatted.stderr}"
            )
    return [*_java(), "kafka.Kafka", str(properties)]


def cluster_id(folder: Path) -> str | None:
    """Return the id of the cluster whose data lie in `folder`; None before the first start."""
    try:
        written = (folder / "data" / "meta.properties").read_text()
    except FileNotFoundError:
        return None
    found = re.search(r"^cluster\.id=(.+)$", written, re.MULTILINE)
    return found[1] if found else None


def healthy(folder: Path, port: int) -> bool:
    """Return whether `port` answers as a registered member of the cluster in `folder`."""
    try:
        answered, brokers = _metadata(port)
    except (OSError, struct.error):
        return False
    return brokers > 0 and answered == cluster_id(folder)


def _metadata(port: int) -> tuple[str, int]:
    """Return cluster id and number of live brokers, asked by one raw Metadata request.

    The request (key 3, version 2) names no topic.
    """
    client = b"stack"
    body = struct.pack(f">hhih{len(client)}si", 3, 2, 1, len(client), client, 0)
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        answer = connection.makefile("rb")

        def number(form: str) -> int:
            return int(struct.unpack(form, answer.read(struct.calcsize(form)))[0])

        def text() -> str:
            return answer.read(max(0, number(">h"))).decode()

        number(">i")  # size
        number(">i")  # correlation id
        brokers = number(">i")
        for _ in range(brokers):
            number(">i"), text(), number(">i"), text()  # node id, host, port, rack
        return text(), brokers


def archive() -> None:
    """Run a broker once to write Java's archive of its loaded classes (AppCDS).

    Where Java cannot do that, starts merely stay slower. The archive is moved into place when it is
    complete.
    """
    file = class_archive()
    fresh = file.with_name(f"{file.name}.new")
    file.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = choose_port()
        controller = choose_port(taken=(port,))
        arguments = command(folder, port, controller)
        arguments.insert(1, f"-XX:ArchiveClassesAtExit={fresh}")
        process = start(arguments, folder / "log")
        wait_until(lambda: healthy(folder, port) or not process.alive, 60)
        process.stop(60)
    if fresh.exists():
        fresh.replace(file)


def _java() -> list[str]:
    # The archive is valid for one exact class path, so the jars are listed in order. Java ignores
    # an archive that does not match.
    path, file = ":".join(map(str, jars())), class_archive()
    shared = [f"-XX:SharedArchiveFile={file}"] if file.exists() else []
    return [java(), *shared, *JVM, f"-Dlog4j2.configurationFile={HERE / 'log4j2.xml'}", "-cp", path]


def _new_id() -> str:
    """Return a random cluster id in Kafka's form.

    One that begins with a dash would be parsed as an option on a command line.
    """
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith(
        "-"
    ):
        pass
    return text
