"""What only an administrator is told and may do: a group's members and commits, a topic's size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as Place
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, UnknownMemberIdError, for_code
from aiokafka.errors import KafkaError as KafkaLibraryError

from stream.kafka.inquirer import Inquirer
from stream.state.checkpoint import TopicPartition
from tidecast.errors import GroupInUseError, KafkaError

UUID_CHARACTERS: Final = 36
UNKNOWN_GROUP: Final = "Dead"
"""The state in which Kafka shows a group that it does not know."""


class KafkaAdmin:
    """Looks at a group from outside; its connection stays open from call to call.

    Every call waits some ten seconds for a broker that is starting, and two minutes for one that is
    silent, then raises KafkaError.
    """

    def __init__(self, client: dict[str, Any], group: str) -> None:
        self._client = client
        self._group = group
        self._inquirer = Inquirer(lambda: AIOKafkaAdminClient(**client), AIOKafkaAdminClient.close)

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""

        async def ask(admin: AIOKafkaAdminClient) -> int:
            (described,) = await admin.describe_topics([topic])
            _raise_error(described["error_code"])
            return len(described["partitions"])

        return await self._inquirer.ask(f"count the partitions of {topic}", ask)

    async def committed(self, partition: TopicPartition) -> int | None:
        """The group's committed offset; None where it has none."""
        place = Place(*partition)

        async def ask(admin: AIOKafkaAdminClient) -> int | None:
            offsets = await admin.list_consumer_group_offsets(self._group, partitions=[place])
            offset = int(offsets[place].offset)
            return offset if offset >= 0 else None

        return await self._inquirer.ask(f"read the commit of {partition}", ask)

    async def members(self) -> list[str]:
        """The ids of the group's members."""
        _, members = await self._describe()
        return members

    async def forgotten(self) -> bool:
        """Whether Kafka does not know the group, so that its generations will begin again."""
        state, _ = await self._describe()
        return state == UNKNOWN_GROUP

    async def has_instance(self, instance: str) -> bool:
        """Whether a member holds an instance id.

        Kafka names such a member by its instance id, a dash, and a UUID.
        """
        return any(member[: -UUID_CHARACTERS - 1] == instance for member in await self.members())

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Set the group's committed offsets. Raises GroupInUseError while it has members."""
        commits = {Place(*partition): offset for partition, offset in offsets.items()}
        try:
            async with AIOKafkaConsumer(
                **self._client, group_id=self._group, enable_auto_commit=False
            ) as consumer:
                consumer.assign(list(commits))
                await consumer.commit(commits)
        except (CommitFailedError, UnknownMemberIdError) as error:
            raise GroupInUseError(
                f"Kafka refuses a commit for {self._group} from outside, since it has members: "
                "stop the workers, then run this again"
            ) from error
        except KafkaLibraryError as error:
            raise KafkaError(f"cannot commit for the group {self._group}: {error!r}") from error

    async def _describe(self) -> tuple[str, list[str]]:
        """The group's state in Kafka's words, and the ids of its members."""

        async def ask(admin: AIOKafkaAdminClient) -> tuple[str, list[str]]:
            (answer,) = await admin.describe_consumer_groups([self._group])
            ((error_code, _, state, *_, members),) = answer.groups
            _raise_error(error_code)
            return state, [member_id for member_id, *_ in members]

        return await self._inquirer.ask(f"look at the group {self._group}", ask)

    async def aclose(self) -> None:
        """Close the connection; another call would open it again."""
        await self._inquirer.aclose()


def _raise_error(code: int) -> None:
    if code:
        raise for_code(code)
