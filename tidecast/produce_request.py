"""Kafka's produce requests, joined once.

aiokafka joins a request from the inside out, field by field into the field around it: the megabyte
of a batch is copied six times before it is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from aiokafka.producer import sender
from aiokafka.protocol import produce
from aiokafka.protocol.types import Array, Bytes, Int32, Schema


def join_once() -> None:
    """Let every aiokafka producer of this process send requests that are joined once."""
    sender.ProduceRequest = ProduceRequest


class ProduceRequest(produce.ProduceRequest):  # type: ignore[misc] # aiokafka is untyped here
    """aiokafka's request, to the same bytes."""

    def build(self, request_struct_class: type[Any]) -> Any:  # noqa: ANN401 - aiokafka's signature
        """The request in the version that the broker takes."""
        request = super().build(request_struct_class)
        values = [getattr(request, name) for name in request.SCHEMA.names]
        # Not bound to the request: as a cycle it would outlive its use, megabytes at a time.
        request.encode = partial(encode, request.SCHEMA, values)
        return request


def encode(field: Any, value: Any) -> bytes:  # noqa: ANN401 - any field of the protocol
    """What `field.encode(value)` gives, joined once."""
    return b"".join(pieces(field, value))


def pieces(field: Any, value: Any) -> Iterator[bytes]:  # noqa: ANN401 - any field of the protocol
    """The bytes of a value, in pieces; what is large is not copied."""
    if isinstance(field, Schema):
        for inner, part in zip(field.fields, value, strict=True):
            yield from pieces(inner, part)
    elif isinstance(field, Array) and value is not None:
        yield Int32.encode(len(value))
        for part in value:
            yield from pieces(field.array_of, part)
    elif field is Bytes and value is not None:
        yield Int32.encode(len(value))
        yield value
    else:
        yield field.encode(value)
