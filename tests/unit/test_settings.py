"""How settings are read, and where ClickHouse's password comes from."""

from pathlib import Path

import pytest

from schemas.settings import Settings, with_password


@pytest.mark.parametrize(
    ("address", "whole"),
    [
        (
            "clickhouse://ioc@127.0.0.1:9000/ioc",
            "clickhouse://ioc:p%40ss%2Fword@127.0.0.1:9000/ioc",
        ),
        (
            "clickhouse://reader@db:9000/ioc?secure=1",
            "clickhouse://reader:p%40ss%2Fword@db:9000/ioc?secure=1",
        ),
        ("clickhouse://127.0.0.1:9000/ioc", "clickhouse://ioc:p%40ss%2Fword@127.0.0.1:9000/ioc"),
        ("clickhouse://ioc:given@db:9000/ioc", "clickhouse://ioc:given@db:9000/ioc"),
        ("clickhouse://default:@db:9000/ioc", "clickhouse://default:@db:9000/ioc"),
    ],
)
def test_a_password_of_a_file_is_added_where_the_address_names_none(
    tmp_path: Path, address: str, whole: str
) -> None:
    file = tmp_path / "password"
    assert with_password(address, file) == address, "no file, no password"
    file.write_text("p@ss/word\n")
    assert with_password(address, file) == whole


def test_the_home_is_enough_and_what_people_are_shown_has_no_password(tmp_path: Path) -> None:
    (tmp_path / "clickhouse.password").write_text("secret\n")
    settings = Settings.of({"IOC_HOME": str(tmp_path)})
    assert settings.clickhouse_url == "clickhouse://ioc:secret@127.0.0.1:9000/ioc"
    assert settings.clickhouse_server == "127.0.0.1:9000/ioc"
    assert "secret" not in repr(settings)


def test_settings_are_read_from_the_variables_that_are_documented(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IOC_CLICKHOUSE_URL", "clickhouse://me@db:9000/mine")
    monkeypatch.setenv("IOC_CLICKHOUSE_HTTP_PORT", "8123")
    settings = Settings()
    assert (settings.clickhouse_address, settings.clickhouse_http_port) == (
        "clickhouse://me@db:9000/mine",
        8123,
    )
    assert Settings.of({"IOC_CLICKHOUSE_URL": "clickhouse://db/x"}).clickhouse_server == "db/x"
    assert Settings.variable("clickhouse_address") == "IOC_CLICKHOUSE_URL"
    assert Settings.variable("home") == "IOC_HOME"
