"""Parses each file of a folder with the official Python classes, and checks that they serialise it to the same bytes.

A file's name begins with the name of its message. No field may be unknown to the official classes.
"""

import sys
from pathlib import Path

from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import ScopeLogs
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans

MESSAGES = {
    message.__name__: message
    for message in (ExportTraceServiceRequest, ScopeSpans, ExportLogsServiceRequest, ScopeLogs)
}


def messages(message):
    """Yields the message and all messages nested in it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        try:
            nested = list(value)
        except TypeError:
            nested = [value]
        for inner in nested:
            yield from messages(inner)


def check(path):
    """Returns the fault of the file, or None, and the number of messages in it."""
    written = path.read_bytes()
    message = MESSAGES[path.name.split("-", 1)[0]]()
    message.ParseFromString(written)
    nested = list(messages(message))
    if any(len(UnknownFieldSet(one)) for one in nested):
        return "has fields that the official classes do not know", len(nested)
    if message.SerializeToString(deterministic=True) != written:
        return "is serialised to other bytes", len(nested)
    return None, len(nested)


def main():
    files = sorted(Path(sys.argv[1]).glob("*.pb"))
    if not files:
        sys.exit(f"no samples in {sys.argv[1]}")
    failed = False
    for path in files:
        fault, count = check(path)
        failed = failed or fault is not None
        size = path.stat().st_size
        print(f"{path.name}: {size} bytes, {count} messages, {fault or 'the same bytes'}")
    sys.exit(1 if failed else 0)


main()
