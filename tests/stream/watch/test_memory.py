from __future__ import annotations

import ctypes
import gc
import subprocess
import sys

import numpy as np
import psutil
import pytest

from stream.watch.memory import GROWN_BYTES, FreeMemory, calm_garbage_collection, give_back

BLOCK = 64 * 1024
BLOCKS = 1600


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library cannot be asked"
)
def test_freed_memory_goes_back_to_the_system() -> None:
    process = psutil.Process()
    # Too small for glibc to map them one by one; every eighth stays, so that none below it is the
    # last one of the heap, which alone is given back at once.
    blocks = [np.ones(BLOCK, np.uint8) for _ in range(BLOCKS)]
    kept = blocks[::8]
    del blocks
    before = process.memory_info().rss
    give_back()
    assert before - process.memory_info().rss > BLOCKS * BLOCK // 2
    assert len(kept) == BLOCKS // 8


def test_a_busy_worker_gives_back_what_it_has_grown_by() -> None:
    free, held = FreeMemory(), 200_000_000
    assert not free.due(held, busy=0.5)
    assert not free.due(held + GROWN_BYTES, busy=0.5)
    assert free.due(held + GROWN_BYTES + 1, busy=0.5)
    # What it holds a look later it needs.
    assert not free.due(held + 1_000_000, busy=0.5)
    assert not free.due(held + 1_000_000 + GROWN_BYTES, busy=0.5)
    assert free.due(held + 1_000_001 + GROWN_BYTES, busy=0.5)


def test_an_idle_worker_gives_back_and_grows_anew() -> None:
    free, held = FreeMemory(), 200_000_000
    assert not free.due(held, busy=0.5)
    assert free.due(held, busy=0.01)
    assert not free.due(2 * held, busy=0.5)


def test_garbage_is_collected_also_when_nobody_looked_for_it_at_the_start() -> None:
    thresholds = gc.get_threshold()
    gc.disable()
    try:
        calm_garbage_collection()
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        gc.enable()


FAULTS = """
import resource, sys
from stream.watch.memory import reuse_buffers
if sys.argv[1] == "reuse":
    reuse_buffers()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(2):
    before = faults()
    for _ in range(10):
        buffers = [bytearray(1 << 20) for _ in range(4)]
        for buffer in buffers:
            buffer[::4096] = bytes(len(buffer) // 4096)
        del buffers, buffer
print(faults() - before)
"""


def faults_of(way: str) -> int:
    """Pages that the system hands out while a process allots the same 4 MiB ten times."""
    found = subprocess.run(
        [sys.executable, "-c", FAULTS, way], capture_output=True, text=True, check=True
    )
    return int(found.stdout)


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt"), reason="this C library cannot be asked"
)
def test_the_memory_of_a_batch_is_there_for_the_next_one() -> None:
    assert faults_of("reuse") < 100
    assert faults_of("leave") > 1000
