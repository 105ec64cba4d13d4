"""Declare every setting of every process once: name, default, one sentence.

They are read from `IOC_*` environment variables.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from schemas.events.partitions import Partitions


def _partitions(given: str | Partitions) -> Partitions:
    return Partitions.parse(given) if isinstance(given, str) else given


CLICKHOUSE_USER = "ioc"
"""User of the local stack's ClickHouse."""
CLICKHOUSE_PASSWORD_FILE = Path("clickhouse.password")


class Settings(BaseSettings):
    """The settings of one installation.

    Several can run side by side on a machine, each with its own set.
    """

    model_config = SettingsConfigDict(
        env_prefix="IOC_", frozen=True, extra="ignore", populate_by_name=True
    )

    kafka_servers: str = Field(
        "127.0.0.1:9092", description="Kafka bootstrap servers, `host:port`, comma separated."
    )
    clickhouse_address: str = Field(
        f"clickhouse://{CLICKHOUSE_USER}@127.0.0.1:9000/ioc",
        validation_alias="IOC_CLICKHOUSE_URL",
        description=(
            "ClickHouse native address: `clickhouse://user@host:port/database`; a password in it "
            "(`user:password@`) takes precedence over the password file."
        ),
    )
    clickhouse_password_file: Path = Field(
        CLICKHOUSE_PASSWORD_FILE,
        description=(
            "File with ClickHouse's password, relative to `IOC_HOME`; the local stack creates "
            "its own. Without one, no password is sent."
        ),
    )
    clickhouse_http_port: int = Field(
        0,
        ge=0,
        description=(
            "Port on which the local stack's ClickHouse also accepts HTTP, for tools that need "
            "it (0: none)."
        ),
    )
    topic_prefix: str = Field("ioc.", description="Prefix of every Kafka topic's name.")
    topic_retention_days: int = Field(
        400, ge=1, description="Days for which Kafka keeps events, by time of arrival."
    )
    topic_replicas: int = Field(
        1,
        ge=1,
        description="Copies of each topic partition; 3 on a cluster of three brokers or more.",
    )
    partitions: Annotated[Partitions, NoDecode, BeforeValidator(_partitions)] = Field(
        Partitions((4,)),
        description=(
            "Number of partitions of every kind's topic, and later numbers with the event time "
            "from which they apply: `4, 2027-01-01T00:00+07:00 = 8`. Set it alike for every "
            "process, before that time comes; never change an entry that is in force."
        ),
    )
    keep_events_days: int = Field(
        0,
        ge=0,
        description=(
            "Days of raw events to retain, within which every moment can be replayed; older ones "
            "are deleted (0: keep forever)."
        ),
    )
    keep_windows_days: int = Field(
        0,
        ge=0,
        description=(
            "Days for which windows are retained (0: forever); `python -m streams migrate` "
            "applies it."
        ),
    )
    keep_snapshots_days: int = Field(
        400,
        ge=1,
        description=(
            "Days for which recorded snapshots of the screens are retained; `python -m streams "
            "migrate` applies it."
        ),
    )
    province: str = Field(
        "46", description="Code of the province that the screens show (46 is Huế)."
    )
    language: str = Field(
        "vi", pattern="^(vi|en)$", description="First language of the screens: `vi` or `en`."
    )
    host: str = Field(
        "127.0.0.1",
        description="Address that the gateway, the dashboard and the pages of workers listen on.",
    )
    hosts: str = Field(
        "",
        description=(
            "Host names that the gateway and the dashboard answer to besides the loopback names "
            "and `IOC_HOST`, comma separated; `*` for any. If they listen on every address "
            "(0.0.0.0), any IP address is accepted."
        ),
    )
    gateway_port: int = Field(8000, description="Port of the ingest gateway.")
    gateway_max_bytes: int = Field(
        8 << 20, ge=1024, description="Maximum size of a request body for the gateway, in bytes."
    )
    event_max_bytes: int = Field(
        256 << 10,
        ge=1024,
        description=("Maximum size of a single event, in bytes; larger ones are refused."),
    )
    dashboard_port: int = Field(8050, description="Port of the dashboard.")
    dashboard_tick_seconds: float = Field(
        0.25, gt=0, description="Interval at which the dashboard checks for new data, in seconds."
    )
    page_seconds: float = Field(
        20.0,
        gt=0,
        description=(
            "Time limit for making a page of the dashboard, in seconds; a slower page shows a "
            "message."
        ),
    )
    access: str = Field(
        "open",
        pattern="^(open|token)$",
        description=(
            "Access to the screens: `open` for anyone who reaches the dashboard, `token` for "
            "holders of a token (`python -m dashboard token add NAME`)."
        ),
    )
    tls: bool = Field(
        False,
        description=(
            "Whether browsers reach the dashboard through HTTPS (a proxy in front of it): "
            "cookies are then sent over HTTPS only."
        ),
    )
    wall_distance: float = Field(
        3.0,
        gt=0,
        description="Viewing distance of the wall, in metres; letters are sized by it.",
    )
    wall_pitch: float = Field(
        0.63,
        gt=0,
        description="Pixel pitch of the wall, in millimetres (0.63: a 55-inch 1080p panel).",
    )
    wall_rotate: int = Field(
        30,
        ge=0,
        description="Seconds for which each scene of the wall stays; 0: the first stays.",
    )
    worker_port: int = Field(
        6066, description="Port of the stream worker's own web server (Faust's)."
    )
    worker_group: str = Field(
        "ioc-streams", description="Kafka consumer group of the stream workers."
    )
    stale_after_seconds: float = Field(
        10.0,
        gt=0,
        description=(
            "Seconds without a heartbeat of the data path, or without progress of a partition, "
            "after which screens show a warning."
        ),
    )
    seal_key_file: Path = Field(
        Path("seal.key"),
        description=(
            "File with the keys that encrypt reporters' identities, relative to `IOC_HOME`; "
            "created at first use. Every process needs it; keep a copy."
        ),
    )
    home: Path = Field(
        Path(".ioc"), description="Folder of the local stack's data, logs and demo passwords."
    )
    cache: str = Field(
        "",
        description=(
            "Folder that the local stack downloads Kafka and ClickHouse to; empty: "
            "`province-ioc` in `XDG_CACHE_HOME`, or in `~/.cache`."
        ),
    )

    @property
    def clickhouse_url(self) -> str:
        """Return the ClickHouse address with its password, for clients.

        Show `clickhouse_server` to people.

        Raises:
            OSError: The password file cannot be read.
        """
        return with_password(self.clickhouse_address, self.home / self.clickhouse_password_file)

    @property
    def clickhouse_server(self) -> str:
        """Return `host:port/database`, for messages: neither user nor password."""
        url = urlsplit(self.clickhouse_address)
        return f"{url.netloc.rpartition('@')[2]}{url.path}"

    @classmethod
    def variable(cls, name: str) -> str:
        """Return the environment variable of a field."""
        alias = cls.model_fields[name].validation_alias
        return alias if isinstance(alias, str) else f"IOC_{name.upper()}"

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """Return the settings that some variables give.

        This process's environment gives the others.

        Raises:
            pydantic.ValidationError: A value is invalid.
        """
        variables = {name: cls.variable(name) for name in cls.model_fields}
        given = {
            name: environment[variable]
            for name, variable in variables.items()
            if variable in environment
        }
        return cls(**given)  # type: ignore[arg-type]


def with_password(address: str, file: Path) -> str:
    """Add the user and the password of a file to a ClickHouse address without a password.

    Without the file, the address is returned as it is.
    """
    url = urlsplit(address)
    user, _, host = url.netloc.rpartition("@")
    if ":" in user:
        return address
    try:
        password = file.read_text().strip()
    except FileNotFoundError:
        return address
    return urlunsplit(
        url._replace(netloc=f"{user or CLICKHOUSE_USER}:{quote(password, safe='')}@{host}")
    )


def load() -> Settings:
    """Return the settings of this process, from its environment.

    Raises:
        pydantic.ValidationError: A value is invalid; the message names the variable.
    """
    return Settings()
