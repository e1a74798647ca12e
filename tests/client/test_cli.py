"""The command line as a user meets it: output, errors, exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.client.conftest import Produce
from tests.client.forecasts import forecast
from tests.waiting import wait_until
from tidecast.forecast_avro import forecast_schema
from tidecast.forecast_text import one_line, sparkline
from tidecast.messages import encode_forecast
from tidecast.settings import Settings

COMMAND = [sys.executable, "-c", "from tidecast.cli import main; main()"]
NOBODY = {"TIDECAST_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}


def start(*arguments: str, env: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: str, env: Mapping[str, str]) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    with start(*arguments, env=env) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.fixture
def env(settings: Settings) -> dict[str, str]:
    return settings.as_environment()


def test_a_stream_is_made_fed_and_checked(env: dict[str, str], tmp_path: Path) -> None:
    assert run("topics", "check", env=env)[0] == 78
    code, out, _ = run("topics", "create", env=env)
    assert (code, out.count("created\t3 partitions")) == (0, 3)
    code, out, _ = run("topics", "list", env=env)
    assert (code, len(out.splitlines())) == (0, 3)

    file = tmp_path / "load.csv"
    file.write_text("date,a,b\n2026-01-01 00:00:00,1,2\n2026-01-01 01:00:00,,4\n")
    code, out, err = run("publish", str(file), env=env)
    assert code == 65
    assert re.fullmatch(r"tidecast: load.csv, row 1, column 'date': .*--assume-utc.*\n", err)
    code, out, err = run("publish", str(file), "--assume-utc", "--prefix", "p/", env=env)
    assert (code, err) == (0, "")
    assert re.fullmatch(r"published 4 events of 2 series in .* s \([\d,]+ events/s\)\n", out)


def test_check_says_what_is_wrong_and_its_exit_code_is_the_worst(
    env: dict[str, str], stream: Settings, tmp_path: Path
) -> None:
    env["TIDECAST_WORKER__MODEL"] = str(tmp_path)
    code, out, _ = run("check", "--json", env=env)
    verdicts = {line["part"]: line for line in map(json.loads, out.splitlines())}
    assert [verdicts[part]["outcome"] for part in ("settings", "kafka", "redis", "model")] == [
        "OK",
        "OK",
        "OK",
        "FAIL",
    ]
    assert "no bundle in" in verdicts["model"]["detail"]
    assert code == verdicts["model"]["exit_code"] == 65

    code, out, _ = run("check", env={**env, "TIDECAST_REDIS__URL": "redis://:hunter2@127.0.0.1:1"})
    assert re.search(r"redis\tFAIL\tRedis does not answer: .*set redis.url", out)
    assert "hunter2" not in out
    assert code == 69


def test_forecasts_are_shown_one_a_line(
    env: dict[str, str], produce: Produce, stream: Settings
) -> None:
    sent = [forecast("plant-7/load", offset) for offset in range(5)]
    produce(sent + sent[:3])
    code, out, err = run("subscribe", "--from-start", "--limit", "5", env=env)
    assert (code, err) == (0, "")
    assert out.splitlines() == [one_line(one) for one in sent]
    code, out, _ = run("subscribe", "--from-start", "--json", "--limit", "4", env=env)
    assert (code, out.encode().splitlines()) == (0, [encode_forecast(one) for one in sent[:4]])
    chosen = ["--series", "another", "--series", "plant-7/load"]
    code, out, _ = run("subscribe", "--from-start", "--limit", "1", *chosen, env=env)
    assert (code, len(out.splitlines())) == (0, 1)


def test_ctrl_c_ends_a_subscription_without_a_traceback(
    env: dict[str, str], produce: Produce, stream: Settings
) -> None:
    produce([forecast("plant-7/load", 0)])
    with start("subscribe", "--from-start", env=env) as process:
        assert process.stdout is not None
        assert "plant-7/load" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        wait_until(lambda: process.poll() is not None, 10, "end")
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 130


def test_a_broker_that_does_not_answer_is_one_line_and_exit_code_69(tmp_path: Path) -> None:
    file = tmp_path / "load.csv"
    file.write_text("timestamp,a\n1767225600000,1\n")
    model = str(Path(__file__).parents[2] / "onnx_models" / "general-gru" / "1")
    processes = [
        start(*arguments, env={**NOBODY, "TIDECAST_WORKER__MODEL": model})
        for arguments in (
            ["topics", "create"],
            ["subscribe"],
            ["publish", str(file)],
            ["worker"],
        )
    ]
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (69, "")
        assert re.fullmatch(r"tidecast: cannot .* at 127\.0\.0\.1:1.*\n", err)
        assert "is it running" in err


def test_each_client_gives_up_within_ten_seconds() -> None:
    """Timed from the call on, in a process of its own: the library leaves sockets behind."""
    script = """
import time
from concurrent.futures import ThreadPoolExecutor
from tidecast import Publisher, Settings, Subscriber
from tidecast.errors import KafkaError
from tidecast.topic_admin import check_topics

def seconds(client):
    begun = time.monotonic()
    try:
        client(Settings())
    except KafkaError as error:
        assert "is it running" in str(error)
        return time.monotonic() - begun

with ThreadPoolExecutor() as pool:
    print(*pool.map(seconds, [Publisher, Subscriber, check_topics]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **NOBODY},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    waited = [float(word) for word in done.stdout.split()]
    assert len(waited) == 3
    assert max(waited) < 10


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nonsense"], 2, "No such command"),
        (["publish"], 2, "Missing argument"),
        (["publish", "x.csv", "--format", "xls"], 2, "xls"),
        (["subscribe", "--limit", "0"], 2, "--limit"),
        (["topics", "list", "--settings", "nope.toml"], 78, "cannot read settings from nope.toml"),
        (["publish", "nope.csv"], 65, "cannot read nope.csv"),
    ],
)
def test_a_mistake_has_its_exit_code_and_no_traceback(
    arguments: list[str], code: int, says: str
) -> None:
    found, out, err = run(*arguments, env=NOBODY)
    assert (found, out) == (code, "")
    assert says in err
    assert "Traceback" not in err


def test_an_unknown_setting_is_one_line() -> None:
    code, _, err = run("topics", "list", env={"TIDECAST_KAFKA__SERVER": "x"})
    assert code == 78
    assert re.fullmatch(r"tidecast: unknown setting 'server' under \[kafka\]; known: .*\n", err)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "publish",
        "subscribe",
        "worker",
        "check",
        "schemas",
        "topics",
        "topics create",
        "state",
        "state inspect",
        "state rebuild",
        "state move-epoch",
        "state drop-series",
    ],
)
def test_every_help_page_has_an_example(command: str) -> None:
    code, out, _ = run(*command.split(), "--help", env={})
    assert code == 0
    assert "Example: tidecast" in out


def test_the_version_and_the_schemas_are_printed() -> None:
    assert re.fullmatch(r"tidecast \d+\.\d+\.\d+\n", run("--version", env={})[1])
    schemas = json.loads(run("schemas", env={})[1])
    assert {"Observation", "Forecast", "Status"} <= set(schemas)
    assert run("schemas", "--avro", env={})[1] == forecast_schema()


def test_a_sparkline_goes_from_the_lowest_to_the_highest() -> None:
    assert sparkline([0, 1, 7, 3.5]) == "▁▂█▅"
    assert sparkline([2, 2]) == "▁▁"


def test_a_forecast_is_one_line() -> None:
    line = one_line(forecast("plant-7/load", 1))
    assert line == "2026-11-20T12:00:00Z  plant-7/load  2 [1, 3]  ▁█  ok"


def test_a_forecast_of_classes_is_one_line() -> None:
    plain = forecast("plant-7/load", 1)
    names, chances = ["calm", "failure", "unknown"], [0.25, 0.625, 0.125]
    told = replace(plain, quantile_levels=[], quantiles=[], classes=names, probabilities=chances)
    assert one_line(told) == "2026-11-20T12:00:00Z  plant-7/load  failure 0.625  ▃█▁  ok"
