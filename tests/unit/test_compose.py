"""docker-compose.yml is valid by the compose-spec's own schema, keeps the house rules, and runs
commands that exist.
"""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from schemas.settings import Settings
from stack import clickhouse

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"migrate"}
OURS = {"migrate", "worker", "watch", "gateway", "dashboard", "simulator"}


def validate(file: Path) -> "subprocess.CompletedProcess[str]":
    """Check a file against the compose-spec's JSON Schema, which check-jsonschema carries."""
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        str(file),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_file_is_valid_by_the_compose_specification() -> None:
    done = validate(FILE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("mem_limit:", "memory_limit:"),
        ("condition: service_healthy", "condition: healthy"),
        ("retries: 5", "retries: [5]"),
    ],
)
def test_the_validator_refuses_a_wrong_file(tmp_path: Path, right: str, wrong: str) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(FILE.read_text().replace(right, wrong))
    done = validate(broken)
    assert done.returncode == 1
    assert "Schema validation errors were encountered" in done.stdout


def test_there_is_one_service_for_each_process_and_each_server() -> None:
    assert SERVICES.keys() == OURS | {"kafka", "clickhouse"}
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"simulator"}
    assert SERVICES["simulator"]["profiles"] == ["demo"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_pinned_bounded_unprivileged_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert re.search(r":\d+\.\d+", service["image"]), "an exact or minor version, never latest"
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    user = re.fullmatch(r"(\d+):(\d+)", service["user"])
    assert user, "user and group by number"
    assert "0" not in user.groups(), "not root"
    assert ("healthcheck" in service) == (name not in ONE_SHOT)
    assert service["logging"]["options"] == {"max-size": "20m", "max-file": "3"}
    assert service["restart"] == ("on-failure:5" if name in ONE_SHOT else "unless-stopped")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_what_it_needs_in_the_state_it_needs(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        wanted = "service_completed_successfully" if needed in ONE_SHOT else "service_healthy"
        assert how["condition"] == wanted
    if name in OURS - ONE_SHOT:
        assert "migrate" in SERVICES[name]["depends_on"]


@pytest.mark.parametrize("name", SERVICES)
def test_only_the_wall_and_the_gateway_are_published_and_by_default_to_this_machine_only(
    name: str,
) -> None:
    ports = SERVICES[name].get("ports", [])
    assert bool(ports) == (name in {"gateway", "dashboard"})
    assert all(port.startswith("${IOC_PUBLISH:-127.0.0.1}:") for port in ports)
    assert ("outside" in SERVICES[name]["networks"]) == bool(ports)


def test_no_password_is_written_down_and_none_is_not_enough() -> None:
    found = [
        line
        for line in FILE.read_text().splitlines()
        if re.search(r"PASSWORD:|://ioc:", line.partition("#")[0])
    ]
    assert len(found) == 2
    assert all("${IOC_CLICKHOUSE_PASSWORD:?" in line for line in found)
    assert "--password" not in FILE.read_text(), "a command line is no secret"


def test_clickhouse_grants_the_rights_of_the_local_stack_and_only_the_native_protocol() -> None:
    mounted = {
        one["target"]: COMPOSE["configs"][one["source"]]["file"]
        for one in SERVICES["clickhouse"]["configs"]
    }
    users = ElementTree.parse(ROOT / mounted["/etc/clickhouse-server/users.d/ioc.xml"])
    assert [query.text for query in users.iterfind("users/ioc/grants/query")] == list(
        clickhouse.grants()
    )
    server = ElementTree.parse(ROOT / mounted["/etc/clickhouse-server/config.d/ioc.xml"])
    removed = {element.tag for element in server.iter() if element.get("remove")}
    assert removed == {"http_port", "mysql_port", "postgresql_port", "interserver_http_port"}


def test_data_live_in_named_volumes() -> None:
    volumes = yaml.safe_load(FILE.read_text())["volumes"]
    owners = {"kafka": "kafka", "clickhouse": "clickhouse", **dict.fromkeys(OURS, "home")}
    for name, volume_name in owners.items():
        assert [volume.partition(":")[0] for volume in SERVICES[name]["volumes"]] == [volume_name]
        assert volume_name in volumes


def test_kafka_is_the_version_of_the_local_stack() -> None:
    version = re.search(
        r"<artifactId>kafka_2\.13</artifactId>\s*<version>([^<]+)",
        (ROOT / "stack/pom.xml").read_text(),
    )
    assert version
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version[1]}"


def test_clickhouse_is_the_version_of_the_local_stack() -> None:
    versions = set(
        re.findall(r'"@chdb/lib-[\w-]+": "(\d+\.\d+)', (ROOT / "stack/package.json").read_text())
    )
    assert {SERVICES["clickhouse"]["image"]} == {
        f"clickhouse/clickhouse-server:{version}" for version in versions
    }


def test_the_image_bears_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {SERVICES[name]["image"] for name in OURS} == {f"province-ioc:{version}"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_command_of_a_service_runs(name: str) -> None:
    program, *arguments = shlex.split(SERVICES[name]["command"])
    assert program == "python"
    done = subprocess.run(
        [sys.executable, *arguments, "--help"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


def test_how_long_what_is_kept_can_be_set_and_is_what_the_settings_say_unless_told() -> None:
    names = [
        name
        for name in Settings.model_fields
        if name.startswith("keep_") or name == "topic_retention_days"
    ]
    assert len(names) == 4
    for service in OURS:
        said = SERVICES[service]["environment"]
        for name in names:
            variable = Settings.variable(name)
            assert said[variable] == f"${{{variable}:-{Settings.model_fields[name].default}}}"
