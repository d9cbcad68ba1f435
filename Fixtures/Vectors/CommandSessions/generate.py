#!/usr/bin/env python3
"""Writes the vectors of command sessions: python3 generate.py

The encoder is PyPI's cbor2, which shares no line with the Swift sources: python3 -m pip install cbor2
"""

import json
import pathlib

import cbor2

WRITE, EXECUTE, CREATE, DELETE, UPDATE = 1, 2, 3, 4, 5
TEXT, OPAQUE, TLV, SENML_CBOR = 0, 42, 11542, 112

GSID = bytes(range(0x10, 0x20))
DSID = bytes(range(0x20, 0x30))
OLD_DSID = bytes(range(0x30, 0x40))
LONG_GSID = bytes(range(0x80, 0xA0))
LONG_DSID = bytes(range(0xA0, 0xC0))

COMMANDS = {
    "a write of text": (WRITE, "/3303/0/5601", TEXT, b"1"),
    "an execute without arguments": (EXECUTE, "/3/0/4", None, b""),
    "an execute with arguments": (EXECUTE, "/5/0/2", TEXT, b"0='a',7"),
    "a create": (CREATE, "/65534", TLV, bytes.fromhex("c80005") + b"hello"),
    "a delete": (DELETE, "/1/101", None, b""),
    "an update in SenML CBOR": (UPDATE, "/1/0", SENML_CBOR, cbor2.dumps([{-2: "/1/0/", 0: "1", 2: 86400}])),
    "a write of a resource instance": (WRITE, "/3/0/6/65534", TEXT, b"255"),
    "a payload of 23 bytes": (WRITE, "/5/0/0", OPAQUE, bytes(23)),
    "a payload of 24 bytes": (WRITE, "/5/0/0", OPAQUE, bytes(24)),
    "a payload of 255 bytes": (WRITE, "/5/0/0", OPAQUE, bytes(255)),
    "a payload of 256 bytes": (WRITE, "/5/0/0", OPAQUE, bytes(256)),
    "a content format of 65535": (WRITE, "/0/0/0", 65535, b"\x00"),
    "a content format of 23": (WRITE, "/0/0/0", 23, b"\xff"),
}


def text(value):
    return None if value is None else value.hex()


def encode(item):
    return cbor2.dumps(item, canonical=True).hex()


def message(title, number, command, gsid, dsid):
    operation, path, content_format, payload = command
    return {
        "title": f"message {number}, {title}", "number": number, "operation": operation, "path": path,
        "contentFormat": content_format, "payload": payload.hex(), "gsid": text(gsid), "dsid": text(dsid),
        "encoded": encode([number, [operation, path, content_format, payload], gsid, dsid]),
    }


def messages():
    for title, command in COMMANDS.items():
        yield message(f"both identifiers, {title}", 1, command, GSID, OLD_DSID)
        yield message(f"both identifiers, {title}", 2, command, GSID, DSID)
        yield message(f"both identifiers, {title}", 3, command, GSID, DSID)
        yield message(f"short form, {title}", 1, command, None, None)
        yield message(f"short form, {title}", 2, command, None, DSID)
        yield message(f"short form, {title}", 3, command, None, DSID)
    command = COMMANDS["a write of text"]
    yield message("the first session", 1, command, GSID, None)
    for number in (1, 2, 3):
        yield message("identifiers of 32 bytes", number, command, LONG_GSID, LONG_DSID)
        yield message("identifiers of two lengths", number, command, LONG_GSID[:23], LONG_DSID[:24])


def reports():
    """A report names a session by its GSID, in the short form by its DSID."""
    states = {"not done": 0, "done": 1, "unknown": 2, "executing": 3}
    for outcome, state in states.items():
        for code in ([0x41, 0x42, 0x44, 0x80, 0x83, 0x84, 0xA0, 0x00, 0xFF] if outcome == "done" else [None]):
            for identifier in (GSID, LONG_DSID):
                yield {
                    "outcome": outcome, "code": code, "identifier": identifier.hex(),
                    "encoded": encode([identifier, state, code]),
                }


def queries():
    for gsid, dsid in ((GSID, DSID), (None, DSID), (LONG_GSID, LONG_DSID), (None, LONG_DSID)):
        yield {"gsid": text(gsid), "dsid": text(dsid), "encoded": encode([gsid, dsid])}


def write(name, items):
    lines = ",\n".join("  " + json.dumps(item) for item in items)
    (pathlib.Path(__file__).parent / name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    write("messages.json", messages())
    write("reports.json", reports())
    write("queries.json", queries())
