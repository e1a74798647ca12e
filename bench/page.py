"""docs/performance.md, written from the last result of each bench that was kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.asked import asked
from bench.pictures import bars
from bench.report import Result, slug
from bench.tables import caption, markdown, tables

PAGE: Final = Path("docs/performance.md")
PICTURES: Final = "pictures"
"""The folder of the pictures, beside the page."""

HEAD: Final = """\
# Performance

Measured on a real Kafka and a real Valkey that share the machine with the program under test and
with the bench. `scripts/bench all` runs the benches, `scripts/bench report` writes this page from
the last result of each; a bench that counts a forecast too few, too many or twice gives no figure.
Each says how busy the machine was before it began: where that load is not near zero, other programs
took their share, and a quiet machine does better. Where it was measured several times, the table
gives the median, the least and the most; in the pictures a bar is the median, its whisker goes from
the least to the most.
"""

ASKED_HEAD: Final = """\
## What we ask of it

Servers, publisher, reader and worker on two cores, every guarantee on; medians, from the results
below. What was not measured anew has no line.
"""

SHORT: Final = """\
Where it is short, and why, on the Xeon of 2026-11-22:

- The p99 at 1,000 events/s between C clients. What clients and broker cost without a worker is a
  p50 of .6 ms and a p99 of 2. A worker has two events at a time then, and a batch of two takes it a
  millisecond of processor time: .4 to send it and hear of it, .3 to place it, .2 for the model (see
  the stages below); fetching and Faust come on top. So worker, broker and clients keep 1.7 of
  the two cores busy, and what comes meanwhile waits. No system had 8 ms here: the bare loop, which
  guarantees nothing, had 9, the others 11 or more (below, "beside what people would use instead").
- The same between `Publisher` and `Subscriber`. They are Python and take twice the C client's share
  of the cores, so a `Publisher` lets what comes within 2 ms wait for company for up to 5, half of
  which is in the p50. An event by itself does not wait: at 100 events/s, where nothing is in its
  way, the p50 is 4.2 ms, so 4 at ten times the rate is out of reach for these clients here.

A worker's limit is Python's lock: it is held for all but the model's part of an event, and while
one worker is at work on 72 numbers, 1.4 of the two cores are busy (`scripts/bench workers`).
"""

NOTES: Final = {
    "throughput": """\
The backlog is there before the worker starts. The worker is a process of its own with default
settings: idempotent producer, acks=all, checkpoints with fence and cursor in Valkey. JSON comes
in and goes out, every observation with a forecast of the whole horizon. The rate is taken from
the broker's own append times, from the first forecast to the last; nothing reads along.
Afterwards every forecast id is there once, nothing was rejected, and the cursors in Valkey are
at the end of the log.

Beside it, stock Faust does the same job as Faust's documentation writes it: `scripts/bench peers`
says how.
""",
    "throughput --series 10": """\
A batch, which is of one partition, then holds hundreds of events of each of two or three series.
The model sees as many rows at a time, since an event of a series waits for the one before it.
""",
    "peers": """\
The smallest job that is still ours: one step of a small streaming GRU for each event, its state and
the last 96 values kept for each series, 24 numbers out. With so little work in the model, what is
left is the system's own. Worker and peers are given the same bundle (`bench/small_gru.py`), broker,
partitions and events. The worker is as in `scripts/bench throughput`, every guarantee on.

The peers are written as their own documentation advises, with their own guarantees on, each in an
environment of its own (`bench/peers/`), one event at a time. A slow one is timed on fewer of the
events; who goes first changes from repeat to repeat. Their table has medians: rate, the worker's
rate as a multiple of it in the same repeat, the same over the second half (which leaves out what a
virtual machine needs to get warm), CPU seconds per million forecasts, most memory. The bare loop
keeps nothing and promises nothing, and calls the model in batches: it is the mark of what one
Python process could do.
""",
    "peers --workers 2": """\
The same with two cores for each: two worker processes, two processes of a peer in Python, two
threads of a peer on the JVM.
""",
    "latency": """\
Open loop: publishing keeps to a schedule that waits for nobody, and latency counts from the
scheduled time, so that a stall is charged to every event it delays (no coordinated omission).
Publisher, worker ("system") and `Subscriber` ("reader") are a process each; the worker has answered
20,000 events before. Events go one by one through `Publisher`; where it says "in bulk", those due
within 5 ms go together through `BulkPublisher`, and their waiting for each other counts. All of
them, Kafka, Valkey and the bench share the cores: their shares say who is at the end of one.
""",
    "latency --peer all": """\
Broker, schedule, events and bundle are the same for all: that of `scripts/bench peers`, one step of
a small GRU, 24 numbers out. So are the ends: Kafka's own C client publishes each event at once, and
reads; of each answer the reader decodes what names its event, the series and the moment. "Nothing
between" is the floor: the same ends, and the events themselves, so what is above it is a system's
own. Ours is measured once more between our own clients, which are Python: `Publisher`, where an
event that comes within 2 ms of another waits for company for 5, and `Subscriber`. Every system
has one process, has answered 20,000 events before the schedule begins, and keeps its guarantees;
beyond its defaults it is set as its documentation advises for low latency, which the last column
says. Cores are those used by each program while the schedule runs; ours keeps its state in Valkey,
the others in themselves and in Kafka. A system that loses an answer, sends one twice, or is a
minute behind has no figures. Latencies count from the schedule; who goes first changes from repeat
to repeat; medians.
""",
    "workers": """\
The workers are up and have answered an event of each series; they stand still while the backlog is
published, and go on together. The servers' processor time is that of the same seconds. As long as
busy cores are fewer than the machine has, a further worker can help; where they are all busy, the
limit is the machine, and what servers and workers use for a million forecasts says whose share is
the largest.
""",
    "models": """\
Every bundle under `onnx_models`, in process, as the worker calls it: one thread, full windows,
copies in and out included.
""",
    "series": """\
A worker that begins with an empty stream is given one event of every series, then whole slots of
all of them, which are timed: 300 slots at 1,000 series, a single one at 1,000,000. The windows are
those of the general GRU: context 96, one channel. Memory is what worker and Redis hold when all is
saved; per series, the difference between the largest and the smallest size.
""",
    "start": """\
From the start of the process: Python, imports, the model, the group, the claim, and where Redis
holds series, their rows. An event waits in each partition. "First forecast" is the first of them,
"every partition" the last, both by the broker's append times; "processor time" is the worker's own
until then.
""",
    "subscribe": """\
`tidecast subscribe --json --from-start` on a topic that a worker has filled, read through a pipe:
every forecast's id checked for repeats, every message written as a line.
""",
    "stages": """\
One partition in one process, one batch after the other, the stages of the worker in their order,
without Faust. "Busy" is processor time of all threads; "wall" is the time that passed, waits for
Kafka and Valkey included. `fetch` is a record's way from the socket to the batch, `place` all that
happens between decoding and the model, `produce` lasts until Kafka has stored the batch.
Checkpoints come as often as in a worker. "The same through a partition" is a run of its own: the
fetch, and the batches through `stream/partition.py`, the worker's own code, which goes on while
Kafka stores. Its busy time says whether the stages are all there is, its wall time what
overlapping saves. "A batch" and "each event" are the two costs that explain the sums of the
smallest and the largest size. A worker has two events at a time where they come one by one, 1,000 a
second; it then fetches them by themselves, which costs more than `fetch` here, of large ones.
""",
    "recovery": """\
Rebuild: the group has answered everything and Redis is empty; the log is read again, and every row
is written. Ready: Redis holds the rows, a worker claims all partitions and loads them.
""",
    "soak": """\
The highest load is the rate at which two workers, the driver and a verifier keep up with each other
for half a minute on the same machine. The run goes at 70 % of it; one worker is killed again and
again, the other one's memory is watched. Every forecast is compared byte for byte with what the log
makes it. A slope is a line through the last five sixths: by then the spared worker has held all
partitions once, and is at its size.
""",
    "publish": """\
A long CSV file through `tidecast publish`: read, checked, written as JSON, acknowledged by Kafka.
""",
}


def write(results: Sequence[Result], page: Path = PAGE) -> None:
    """Write the page and its pictures, the results in the order in which they are given."""
    # Here, since other benches have no need of matplotlib.
    from bench.charts import draw

    folder = page.parent / PICTURES
    folder.mkdir(exist_ok=True)
    for result in results:
        (folder / _picture(result)).write_text(draw(bars(result)), encoding="utf-8")
    parts = [HEAD, ASKED_HEAD, markdown(asked(results)), SHORT, *map(section, results)]
    page.write_text("\n".join(parts), encoding="utf-8")


def section(result: Result) -> str:
    """A bench in Markdown: question, command, what it means, picture, figures and conditions."""
    picture = [f"![{result.question}]({PICTURES}/{_picture(result)})\n"] if bars(result) else []
    return "\n".join(
        [
            f"## {result.question}\n",
            f"    scripts/bench {result.bench}\n",
            NOTES[result.bench],
            *picture,
            *map(markdown, tables(result)),
            *(f"- {line}" for line in caption(result).splitlines()),
            "",
        ]
    )


def _picture(result: Result) -> str:
    return f"bench-{slug(result.bench)}.svg"
