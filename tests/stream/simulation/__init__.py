"""Workers that are killed, frozen, replaced and rebalanced between any two steps, over one log.

Every call of a service is two gates, one before its effect and one after; a seeded world opens
one gate at a time. A killed worker's gates are never opened again. A frozen one is passed over
and wakes when others have its partitions: a zombie, with a batch in its hands.
"""

from tests.stream.simulation.gates import GatedOutput, HastyOutput
from tests.stream.simulation.trouble import run_world
from tests.stream.simulation.vault import MemoryVault, RedisVault, Vault
from tests.stream.simulation.world import World

__all__ = [
    "GatedOutput",
    "HastyOutput",
    "MemoryVault",
    "RedisVault",
    "Vault",
    "World",
    "run_world",
]
