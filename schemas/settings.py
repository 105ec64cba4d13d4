"""Every setting of every process, declared once: name, default, one sentence. Read from `IOC_*` environment variables."""

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
"""The user of the local stack's ClickHouse."""
CLICKHOUSE_PASSWORD_FILE = Path("clickhouse.password")


class Settings(BaseSettings):
    """The settings of one installation; several can run side by side on a machine, each with its own set."""

    model_config = SettingsConfigDict(
        env_prefix="IOC_", frozen=True, extra="ignore", populate_by_name=True
    )

    kafka_servers: str = Field(
        "127.0.0.1:9092", description="Kafka bootstrap servers, `host:port`, comma separated."
    )
    clickhouse_address: str = Field(
        f"clickhouse://{CLICKHOUSE_USER}@127.0.0.1:9000/ioc",
        validation_alias="IOC_CLICKHOUSE_URL",
        description="ClickHouse native address: `clickhouse://user@host:port/database`; a password it names "
        "(`user:password@`) takes precedence over the password file.",
    )
    clickhouse_password_file: Path = Field(
        CLICKHOUSE_PASSWORD_FILE,
        description="File with ClickHouse's password, relative to `IOC_HOME`; the local stack makes its own. Without one, "
        "no password is sent.",
    )
    clickhouse_http_port: int = Field(
        0,
        ge=0,
        description="Port on which the local stack's ClickHouse also takes HTTP, for tools that need it (0: none).",
    )
    topic_prefix: str = Field("ioc.", description="What every Kafka topic's name begins with.")
    topic_retention_days: int = Field(
        400, ge=1, description="How long Kafka keeps events, by time of arrival."
    )
    topic_replicas: int = Field(
        1,
        ge=1,
        description="Copies of each topic partition; 3 on a cluster of three brokers or more.",
    )
    partitions: Annotated[Partitions, NoDecode, BeforeValidator(_partitions)] = Field(
        Partitions((4,)),
        description="Partitions of every kind's topic, and from which time of events on there are more: "
        "`4, 2027-01-01T00:00+07:00 = 8`. The same for every process, before that time comes; what was declared stays.",
    )
    keep_events_days: int = Field(
        0,
        ge=0,
        description="For how many days back every moment can be looked at whole; single events from before are let go of "
        "(0: kept for ever).",
    )
    keep_windows_days: int = Field(
        0,
        ge=0,
        description="For how many days windows are kept (0: for ever); `python -m streams migrate` applies it.",
    )
    keep_snapshots_days: int = Field(
        400,
        ge=1,
        description="For how many days what the screens showed stays recorded; `python -m streams migrate` applies it.",
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
        description="Names that the gateway and the dashboard answer to beside the loopback names and `IOC_HOST`, comma separated; "
        "`*` for any. Where every address is listened on (0.0.0.0), any IP address is one.",
    )
    gateway_port: int = Field(8000, description="Port of the ingest gateway.")
    gateway_max_bytes: int = Field(
        8 << 20, ge=1024, description="Largest request body that the gateway takes, in bytes."
    )
    event_max_bytes: int = Field(
        256 << 10, ge=1024, description="Largest single event, in bytes; larger ones are refused."
    )
    dashboard_port: int = Field(8050, description="Port of the dashboard.")
    dashboard_tick_seconds: float = Field(
        0.25, gt=0, description="How often the dashboard looks for news, in seconds."
    )
    page_seconds: float = Field(
        20.0,
        gt=0,
        description="Seconds that a page of the dashboard may take to make; one that takes longer says so.",
    )
    access: str = Field(
        "open",
        pattern="^(open|token)$",
        description="Who may see the screens: `open` for whoever reaches the dashboard, `token` for who holds one "
        "(`python -m dashboard token add NAME`).",
    )
    tls: bool = Field(
        False,
        description="Whether browsers reach the dashboard through HTTPS (a proxy before it): cookies then go through HTTPS only.",
    )
    wall_distance: float = Field(
        3.0,
        gt=0,
        description="From how many metres the wall is read; letters are as large as that asks for.",
    )
    wall_pitch: float = Field(
        0.63,
        gt=0,
        description="Millimetres from one pixel of the wall to the next (0.63: a 55-inch 1080p panel).",
    )
    wall_rotate: int = Field(
        30,
        ge=0,
        description="For how many seconds each scene of the wall stays; 0: the first stays for good.",
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
        description="Without a heartbeat of the data path, or progress of a partition, for this long, screens say so.",
    )
    seal_key_file: Path = Field(
        Path("seal.key"),
        description="Keys that seal who reported, seen from `IOC_HOME`; made at first use. Every process needs them; keep a copy.",
    )
    home: Path = Field(
        Path(".ioc"), description="Folder of the local stack's data, logs and demo passwords."
    )
    cache: str = Field(
        "",
        description="Folder that the local stack's Kafka and ClickHouse are fetched to; empty: `province-ioc` in "
        "`XDG_CACHE_HOME`, or in `~/.cache`.",
    )

    @property
    def clickhouse_url(self) -> str:
        """The whole ClickHouse address with its password, for clients; show `clickhouse_server` to people. Raises `OSError`."""
        return with_password(self.clickhouse_address, self.home / self.clickhouse_password_file)

    @property
    def clickhouse_server(self) -> str:
        """`host:port/database`, for messages: neither user nor password."""
        url = urlsplit(self.clickhouse_address)
        return f"{url.netloc.rpartition('@')[2]}{url.path}"

    @classmethod
    def variable(cls, name: str) -> str:
        """The environment variable of a field."""
        alias = cls.model_fields[name].validation_alias
        return alias if isinstance(alias, str) else f"IOC_{name.upper()}"

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings that variables give, those of this process where they name none. Raises `pydantic.ValidationError`."""
        variables = {name: cls.variable(name) for name in cls.model_fields}
        given = {
            name: environment[variable]
            for name, variable in variables.items()
            if variable in environment
        }
        return cls(**given)  # type: ignore[arg-type]


def with_password(address: str, file: Path) -> str:
    """Add the user and the password of a file to a ClickHouse address that names no password; as it is where there is no file."""
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
    """The settings of this process, from its environment. Raises `pydantic.ValidationError` naming the wrong variable."""
    return Settings()
