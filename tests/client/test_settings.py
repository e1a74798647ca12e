"""Settings from a file and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from tidecast.errors import SettingsError
from tidecast.kafka_clients import aiokafka_options, kafka_python_options
from tidecast.settings import KafkaSettings, load_settings


def written(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text)
    return file


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, "[kafka]\nbootstrap_servers = 'a:1'\n[stream]\nname = 'load'")
    monkeypatch.setenv("TIDECAST_KAFKA__BOOTSTRAP_SERVERS", "b:2")
    settings = load_settings(file)
    assert (settings.kafka.bootstrap_servers, settings.stream.name) == ("b:2", "load")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[kafka]\nbootstrap_server = 'a'", "'bootstrap_server' under .kafka.; known: bootstrap_s"),
        ("[kafak]\nx = 1", "'kafak' at the top; known: kafka, redis"),
        ("[stream]\npartitions = 0", "stream.partitions: .*greater than or equal to 1"),
        ("[stream]\nname = 'a b'", "stream.name"),
        ("[stream]\naggregate = 'most'", "stream.aggregate"),
        ("[stream.aggregate]\nload = 'most'", "stream.aggregate"),
        ("[stream]\nend_after_slots = 1", "end_after_slots is 1: .* at least 2"),
        ("[stream]\nend_after_slots = 5\ngrace_slots = 5", "end_after_slots is 5: .* at least 6"),
        ("[stream]\nremembered_ids = 65", "stream.remembered_ids: .*less than or equal to 64"),
        ("[stream]\nlate = 'never'", "stream.late"),
        ("[stream", "cannot read settings from .*settings.toml"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        load_settings(written(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 78


@pytest.mark.parametrize("aggregate", ["mean", {"load": "mean", "rain_Σ": "sum"}])
def test_a_rule_for_all_channels_or_by_channel_reaches_a_child_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aggregate: str | dict[str, str]
) -> None:
    table = f"aggregate = '{aggregate}'"
    if isinstance(aggregate, dict):
        table = "[stream.aggregate]\n" + "\n".join(f"'{k}' = '{v}'" for k, v in aggregate.items())
    settings = load_settings(written(tmp_path, f"[stream]\nname = 'load'\n{table}"))
    assert settings.stream.aggregate == aggregate
    for name, value in settings.as_environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


@pytest.mark.parametrize(("end", "grace"), [(0, 5), (2, 0), (2, 1), (6, 5)])
def test_a_series_ends_after_the_grace_or_never(tmp_path: Path, end: int, grace: int) -> None:
    text = f"[stream]\nend_after_slots = {end}\ngrace_slots = {grace}"
    assert load_settings(written(tmp_path, text)).stream.end_after_slots == end


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nope\.toml"):
        load_settings(tmp_path / "nope.toml")


@pytest.mark.parametrize(
    ("variable", "says"),
    [
        ("TIDECAST_KAFAK__BOOTSTRAP_SERVERS", "unknown section in TIDECAST_KAFAK"),
        ("TIDECAST_KAFKA__SERVERS", "unknown setting 'servers'"),
    ],
)
def test_an_unknown_variable_is_an_error(
    monkeypatch: pytest.MonkeyPatch, variable: str, says: str
) -> None:
    monkeypatch.setenv(variable, "x")
    with pytest.raises(SettingsError, match=says):
        load_settings()


def test_a_secret_is_shown_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDECAST_KAFKA__PASSWORD", "hunter2")
    monkeypatch.setenv("TIDECAST_REDIS__URL", "redis://:hunter2@cache:6379/0")
    assert "hunter2" not in repr(load_settings())
    file = written(tmp_path, "[kafka]\npassword = ['hunter2']")
    monkeypatch.delenv("TIDECAST_KAFKA__PASSWORD")
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    assert "hunter2" not in str(caught.value)


def test_both_kafka_libraries_are_told_the_same() -> None:
    settings = KafkaSettings(
        bootstrap_servers="a:1,b:2",
        security_protocol="SASL_SSL",
        username="u",
        password=SecretStr("p"),
    )
    theirs, ours = kafka_python_options(settings), aiokafka_options(settings)
    assert theirs["bootstrap_servers"] == ["a:1", "b:2"]
    for name in ("security_protocol", "sasl_mechanism", "sasl_plain_username"):
        assert theirs[name] == ours[name]
    assert ours["sasl_plain_password"] == "p"


def test_a_ca_file_that_is_not_there_is_a_settings_error(tmp_path: Path) -> None:
    settings = KafkaSettings(security_protocol="SSL", ssl_cafile=tmp_path / "nope.pem")
    with pytest.raises(SettingsError, match=r"kafka\.ssl_cafile.*nope\.pem"):
        aiokafka_options(settings)
