#!/usr/bin/env python3
"""A device with command sessions, as docs/command-sessions.md describes it, for a gateway to talk to.

Written from that page, with aiocoap and cbor2 (make install puts both into .venv); no line is shared with Starling.

    .venv/bin/python Tests/InteropTests/Peers/device.py --server coap://127.0.0.1:5683 \\
        [--endpoint urn:dev:ops:32473-Peer-1] [--form both|device] [--object 42770] [--timeout 60] \\
        [--gsid HEX --dsid HEX] [--misbehave KIND] [--times 1]

It registers over CoAP on loopback, hosts objects 1, 3, 3303 and Command Session, and deregisters when it is ended. What
is done is printed, a JSON object a line; no identifier is in one. /3303/0/5750 (Write) and /3303/0/5605 (Execute) are
protected. It remembers its identifiers until it ends: start it anew and the gateway must forget its own.
Where it never answers, it acknowledges all the same, so that a gateway waits for as long as it does for a late answer
(93 s with libcoap).

    KIND                 does, in the first --times sessions (0: in all)
    changed-command      message 2 carries another command
    wrong-gsid           message 2 carries another GSID
    reflected            message 2 is message 1 as it came
    refuses              answers message 1 with 4.03
    no-message-2         has no message 2 (4.04)
    lost-message-3       never answers message 3, and has not executed it: the outcome is "not done"
    lost-answer          executes the command, and never answers message 3: the outcome is "done"
    executing            never answers message 3, and says once that it executes still, then that it is done
    unknown              goes down in the middle, as it seems: 5.00 to message 3, and the outcome is "unknown"
    other-outcome        as lost-answer, and the outcome that is read first is about another session
"""

import argparse
import asyncio
import json
import secrets
import signal
import time
import urllib.parse

import aiocoap
import aiocoap.resource
import cbor2
from aiocoap import CONTENT, CHANGED, CREATED, DELETE, DELETED, GET, POST, PUT, Code, Message

WRITE, EXECUTE, CREATE, DELETE_INSTANCE, UPDATE = 1, 2, 3, 4, 5
TEXT, LINKS, OPAQUE = 0, 40, 42
NOT_DONE, DONE, UNKNOWN, EXECUTING = 0, 1, 2, 3
KINDS = [
    "changed-command", "wrong-gsid", "reflected", "refuses", "no-message-2", "lost-message-3", "lost-answer",
    "executing", "unknown", "other-outcome",
]


def say(**line):
    print(json.dumps(line), flush=True)


def text(code):
    return f"{int(code) >> 5}.{int(code) & 31:02}"


def encode(item):
    return cbor2.dumps(item, canonical=True)


def is_identifier(value):
    return isinstance(value, bytes) and 16 <= len(value) <= 32


class Refused(Exception):
    def __init__(self, code, breach=None):
        self.code, self.breach = code, breach


class Tree:
    """The few values that there are."""

    def __init__(self):
        self.values = {
            "/1/0/0": "1", "/1/0/1": "300", "/3/0/0": "Peers", "/3/0/1": "Python", "/3303/0/5700": "21.5",
            "/3303/0/5701": "Cel", "/3303/0/5750": "",
        }
        self.writable = ["/3303/0/5750", "/1/0/1"]
        self.executable = ["/3303/0/5605"]
        self.protected = ["/3303/0/5750", "/3303/0/5605"]

    def links(self, object_id):
        return f'</>;ct="0 42";rt="oma.lwm2m",</1/0>,</3/0>,</3303/0>,</{object_id}/0>'

    def protects(self, path):
        return any((path + "/").startswith(one + "/") or (one + "/").startswith(path + "/") for one in self.protected)

    def perform(self, operation, path, payload):
        """Does a command, and returns its code."""
        if operation == EXECUTE:
            return CHANGED if path in self.executable else Code.METHOD_NOT_ALLOWED
        if operation in (WRITE, UPDATE) and path in self.writable:
            self.values[path] = payload.decode()
            return CHANGED
        is_there = any((value + "/").startswith(path + "/") for value in self.values)
        return Code.METHOD_NOT_ALLOWED if is_there else Code.NOT_FOUND


class CommandSession:
    """The object: what the three messages and the question do."""

    def __init__(self, options, tree):
        self.tree, self.timeout = tree, options.timeout
        self.is_short = options.form == "device"
        self.kind, self.times = options.misbehave, options.times
        self.gsid, self.dsid = options.gsid, options.dsid  # established
        self.pair = None  # provisional; of the session in progress, or of one that is over
        self.message1 = None  # of the session in progress
        self.deadline = 0
        self.last = None  # pair, state and code of the last session that came to its command
        self.superseded = None  # the session before the newest
        self.before_last = None  # the same as last, when it was the session before the newest that came to its command
        self.outcome = None
        self.count = 0  # sessions that began
        self.asked = 0  # the last of them that was asked about
        self.counters = {10: 0, 11: 0, 12: 0, 13: 0}

    def misbehaves(self, *kinds):
        return self.kind in kinds and (self.times == 0 or self.count <= self.times)

    def end(self):
        if self.message1 is not None:
            self.message1 = None
            self.counters[11] += 1

    def end_late(self):
        if time.monotonic() > self.deadline:
            self.end()

    def decode(self, body, number):
        try:
            message = cbor2.loads(body)
            of, (operation, path, content_format, payload), gsid, dsid = message
        except (TypeError, ValueError, cbor2.CBORDecodeError):
            raise Refused(Code.BAD_REQUEST)
        if encode(message) != body or of not in (1, 2, 3) or not isinstance(payload, bytes):
            raise Refused(Code.BAD_REQUEST)
        if of != number:
            raise Refused(Code.FORBIDDEN, "reflected")
        needs_dsid = number == 3
        if self.is_short:
            is_right = gsid is None and (dsid is not None) == needs_dsid
        else:
            is_right = is_identifier(gsid) and (dsid is not None or not needs_dsid)
        if not is_right or dsid is not None and not is_identifier(dsid):
            raise Refused(Code.BAD_REQUEST)
        return message

    # Messages

    def take_message1(self, body):
        _, _, gsid, dsid = self.decode(body, 1)
        self.end_late()
        if self.message1 == body:
            return CHANGED
        if not self.is_short:
            if gsid in [self.gsid] + [pair[0] for pair in (self.pair, self.superseded) if pair]:
                raise Refused(Code.CONFLICT)
            if dsid != self.dsid:
                raise Refused(Code.FORBIDDEN, "wrong-identifier")
        self.end()
        self.count += 1
        if self.misbehaves("refuses"):
            raise Refused(Code.FORBIDDEN)
        self.superseded = self.pair or (self.last[0] if self.last else None)
        self.before_last = self.last if self.pair is None else None
        self.pair = (gsid, secrets.token_bytes(16))
        self.message1 = body
        self.deadline = time.monotonic() + self.timeout
        return CHANGED

    def message2(self):
        self.end_late()
        if self.message1 is None or self.misbehaves("no-message-2"):
            raise Refused(Code.NOT_FOUND)
        if self.misbehaves("reflected"):
            return self.message1
        command = cbor2.loads(self.message1)[1]
        if self.misbehaves("changed-command"):
            command = command[:3] + [command[3] + b"!"]
        gsid, dsid = self.pair
        if self.misbehaves("wrong-gsid") and gsid is not None:
            gsid = secrets.token_bytes(16)
        return encode([2, command, gsid, dsid])

    def standing(self, pair):
        """ "current", "over", or the session that came to its command."""
        self.end_late()
        for past in (self.last, self.before_last):
            if past and past[0] == pair:
                return past
        if pair == self.pair:
            return "over" if self.message1 is None else "current"
        if pair in (self.superseded, (self.gsid, self.dsid)):
            return "over"
        if self.message1 is not None and (pair[1] == self.pair[1] or pair[0] is not None and pair[0] == self.pair[0]):
            self.end()
            raise Refused(Code.FORBIDDEN, "swapped-identifier")
        raise Refused(Code.FORBIDDEN, "wrong-identifier")

    def take_message3(self, body):
        _, command, gsid, dsid = self.decode(body, 3)
        standing = self.standing((gsid, dsid))
        if standing == "over":
            raise Refused(Code.CONFLICT)
        if standing != "current":
            _, state, code = standing
            return Code.INTERNAL_SERVER_ERROR if state == UNKNOWN else code
        if encode(command) != encode(cbor2.loads(self.message1)[1]):
            self.end()
            raise Refused(Code.FORBIDDEN, "changed-command")
        if self.misbehaves("lost-message-3"):
            return None
        self.gsid, self.dsid = self.pair
        pair, self.pair, self.message1 = self.pair, None, None
        if self.misbehaves("unknown"):
            self.last = (pair, UNKNOWN, None)
            return Code.INTERNAL_SERVER_ERROR
        operation, path, _, payload = command
        code = self.tree.perform(operation, path, payload)
        self.counters[10] += 1
        self.last = (pair, DONE, code)
        say(event="executed", operation=operation, path=path, code=text(code))
        return None if self.misbehaves("lost-answer", "executing", "other-outcome") else code

    def take_question(self, body):
        try:
            gsid, dsid = question = cbor2.loads(body)
        except (TypeError, ValueError, cbor2.CBORDecodeError):
            raise Refused(Code.BAD_REQUEST)
        if encode(question) != body or not is_identifier(dsid) or (gsid is None) != self.is_short:
            raise Refused(Code.BAD_REQUEST)
        standing = self.standing((gsid, dsid))
        if standing == "current":
            self.end()
        state, code = (NOT_DONE, None) if standing in ("current", "over") else standing[1:]
        identifier = dsid if self.is_short else gsid
        if self.asked == self.count:
            pass  # Only what is read first is wrong.
        elif self.misbehaves("executing"):
            state, code = EXECUTING, None
        elif self.misbehaves("other-outcome"):
            identifier = secrets.token_bytes(16)
        self.asked = self.count
        self.outcome = encode([identifier, state, None if code is None else int(code)])
        return CHANGED

    # Resources

    def read(self, resource):
        if resource == 1:
            return OPAQUE, self.message2()
        if resource == 9 and self.outcome is not None:
            return OPAQUE, self.outcome
        self.end_late()
        values = {3: int(self.is_short), 6: int(self.message1 is not None), 14: "spoofed=log", 17: 3600, 18: 0}
        values |= {19: self.timeout} | self.counters
        if resource not in values:
            raise Refused(Code.NOT_FOUND)
        return TEXT, str(values[resource]).encode()

    def write(self, resource, body):
        if resource == 0:
            return self.take_message1(body)
        if resource == 2:
            return self.take_message3(body)
        if resource == 8:
            return self.take_question(body)
        self.counters[13] += 1
        raise Refused(Code.FORBIDDEN)


class Everything(aiocoap.resource.Resource):
    """All paths; the server is who it is, since there is one only."""

    def __init__(self, options):
        super().__init__()
        self.tree = Tree()
        self.object = options.object
        self.sessions = CommandSession(options, self.tree)

    async def render(self, request):
        path = "/" + "/".join(request.opt.uri_path)
        try:
            response = self.answer(request, path)
        except Refused as refused:
            if refused.breach:
                self.sessions.counters[12] += 1
                say(event="breached", error=refused.breach)
            response = Message(code=refused.code)
        say(event="served", method=str(request.code), path=path, code=text(response.code))
        return response

    def answer(self, request, path):
        prefix = f"/{self.object}/0/"
        if path.startswith(prefix) and path.removeprefix(prefix).isdigit():
            resource = int(path.removeprefix(prefix))
            if request.code == GET:
                content_format, payload = self.sessions.read(resource)
                return Message(code=CONTENT, payload=payload, content_format=content_format)
            if request.code == PUT:
                code = self.sessions.write(resource, request.payload)
                if code is None:
                    # The acknowledgement goes out all the same, the answer never does (RFC 7967).
                    return Message(code=CHANGED, no_response=26)
                return Message(code=code)
        if request.code == GET:
            if path not in self.tree.values:
                raise Refused(Code.NOT_FOUND)
            return Message(code=CONTENT, payload=self.tree.values[path].encode(), content_format=TEXT)
        if path.startswith(f"/{self.object}") or self.tree.protects(path):
            self.sessions.counters[13] += 1
            raise Refused(Code.FORBIDDEN, None)
        operation = {PUT: WRITE, POST: EXECUTE}.get(request.code, DELETE_INSTANCE)
        return Message(code=self.tree.perform(operation, path, request.payload))


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--endpoint", default="urn:dev:ops:32473-Peer-1")
    parser.add_argument("--form", choices=["both", "device"], default="both")
    parser.add_argument("--object", type=int, default=42770)
    parser.add_argument("--timeout", type=int, default=60)
    parser.add_argument("--gsid", type=bytes.fromhex)
    parser.add_argument("--dsid", type=bytes.fromhex)
    parser.add_argument("--misbehave", choices=KINDS)
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    everything = Everything(options)
    context = await aiocoap.Context.create_server_context(everything, bind=("127.0.0.1", 0), transports=["udp6"])
    query = urllib.parse.urlencode({"ep": options.endpoint, "lt": 300, "lwm2m": "1.1", "b": "U"}, safe=":")
    links = everything.tree.links(options.object).encode()
    register = Message(code=POST, uri=f"{options.server}/rd?{query}", payload=links, content_format=LINKS)
    response = await context.request(register).response
    say(event="registered" if response.code == CREATED else "refused", code=text(response.code))
    if response.code != CREATED:
        raise SystemExit(1)
    location = "/".join(response.opt.location_path)
    update = asyncio.create_task(keep(context, f"{options.server}/{location}"))
    await ended.wait()
    update.cancel()
    response = await context.request(Message(code=DELETE, uri=f"{options.server}/{location}")).response
    say(event="deregistered" if response.code == DELETED else "refused", code=text(response.code))
    await context.shutdown()


async def keep(context, uri):
    while True:
        await asyncio.sleep(240)
        await context.request(Message(code=POST, uri=uri)).response


asyncio.run(main())
