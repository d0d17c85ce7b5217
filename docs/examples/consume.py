#!/usr/bin/env python3
"""Prints a platform's events as JSON lines, up to where its topic ends: an ordinary Kafka client and FlatBuffers' own code.

  pip install confluent-kafka flatbuffers          (and flatc 2.0 or newer on the PATH: Debian's flatbuffers-compiler)
  consume.py --brokers HOST:PORT --platform tutoring --server http://127.0.0.1:8080
  consume.py --brokers HOST:PORT --platform tutoring --schemas build/release/generated/plain

Personal values are in the payloads, and so in what this prints. docs/analytics.md explains the headers.
"""

import argparse
import base64
import hashlib
import importlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition


class Schemas:
    """Python classes for a record's payload, generated from the very schema that the record names.

    ce_dataschema ends in the SHA-256 of a binary schema (.bfbs). A server hands it out by that name; a folder of .bfbs files
    does as well. Bytes whose digest is another one are not used.
    """

    def __init__(self, server=None, folder=None):
        self.server = server
        self.files = {}
        for path in pathlib.Path(folder).glob("*.bfbs") if folder else ():
            self.files[hashlib.sha256(path.read_bytes()).hexdigest()] = path.read_bytes()
        self.generated = tempfile.TemporaryDirectory()
        self.classes = {}

    def bfbs(self, digest):
        if digest in self.files:
            return self.files[digest]
        if self.server is None:
            raise LookupError(f"no schema with the digest {digest}")
        with urllib.request.urlopen(f"{self.server}/v1/schemas/ids/{digest}") as reply:
            text = json.load(reply)["bfbs_digested"]
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if hashlib.sha256(data).hexdigest() != digest:
            raise ValueError(f"the server's schema has another digest than {digest}")
        return data

    def class_of(self, type_name, digest):
        if (type_name, digest) not in self.classes:
            folder = pathlib.Path(self.generated.name) / digest
            if not folder.exists():
                folder.mkdir()
                schema = folder / "schema.bfbs"
                schema.write_bytes(self.bfbs(digest))
                subprocess.run(["flatc", "--python", "--gen-object-api", "-o", folder, schema], check=True)
            # Two versions of a schema have the same package names: only this one's folder is looked at.
            subject = type_name.split(".")[0]
            for name in [n for n in sys.modules if n == subject or n.startswith(subject + ".")]:
                del sys.modules[name]
            sys.path.insert(0, str(folder))
            module = importlib.import_module(type_name)
            sys.path.pop(0)
            name = type_name.split(".")[-1]
            self.classes[type_name, digest] = (getattr(module, name), getattr(module, name + "T"))
        return self.classes[type_name, digest]

    def decode(self, type_name, digest, payload):
        table, unpacked = self.class_of(type_name, digest)
        return plain(unpacked.InitFromObj(table.GetRootAs(payload, 0)))


def plain(value):
    """What json can say: ids as text, bytes as text where they are, else as hex. Times stay microseconds, enums numbers."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "hi"):
        return str(uuid.UUID(int=value.hi << 64 | value.lo)) if value.hi or value.lo else None
    if hasattr(value, "__len__"):
        return [plain(item) for item in value]
    return {re.sub("([A-Z])", lambda m: "_" + m[1].lower(), name): plain(item) for name, item in vars(value).items()}


def records(brokers, topic):
    """Every committed message of the topic, from its beginning to its end."""
    consumer = Consumer({
        "bootstrap.servers": brokers,
        "group.id": "analytics",             # Wanted by the client; with assign() and no commits it joins no group.
        "isolation.level": "read_committed",  # What a transaction of a writer that died left behind is not the log.
        "auto.offset.reset": "error",         # A lost position must stop a reader, not move it.
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    })
    found = consumer.list_topics(topic, timeout=10).topics[topic]
    if found.error:
        raise KafkaException(found.error)
    partitions = list(found.partitions)
    consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in partitions])
    ended = set()
    while len(ended) < len(partitions):
        message = consumer.poll(10)
        if message is None:
            raise TimeoutError(f"{topic}: the brokers do not answer")
        if message.error() is None:
            yield message
        elif message.error().code() == KafkaError._PARTITION_EOF:
            ended.add(message.partition())
        else:
            raise KafkaException(message.error())
    consumer.close()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--brokers", required=True)
    arguments.add_argument("--platform", required=True)
    where = arguments.add_mutually_exclusive_group(required=True)
    where.add_argument("--server", help="URL of a Guildhall server, which publishes the schemas")
    where.add_argument("--schemas", help="folder of .bfbs files")
    given = arguments.parse_args()
    schemas = Schemas(given.server, given.schemas)
    for message in records(given.brokers, given.platform + ".events"):
        headers = {name: value for name, value in message.headers() if name.startswith("ce_")}
        header = {name: value.decode() for name, value in headers.items()}
        digest = header["ce_dataschema"].rsplit(":", 1)[-1]
        print(json.dumps({
            "shard": message.partition(),
            "sequence": int(header["ce_sequence"]),
            "time": header["ce_time"],
            "stream": header["ce_subject"],
            "version": int(header["ce_streamversion"]),
            "type": header["ce_type"],
            "event_id": header["ce_id"],
            "command_type": header["ce_commandtype"],
            "data": schemas.decode(header["ce_type"], digest, message.value()),
        }, ensure_ascii=False))


if __name__ == "__main__":
    main()
