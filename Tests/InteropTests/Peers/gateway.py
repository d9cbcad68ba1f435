#!/usr/bin/env python3
"""A gateway of command sessions: an LwM2M server that does what docs/command-sessions.md says, by plain requests.

Written from that page, with aiocoap and cbor2 (make install puts both into .venv); no line is shared with Starling.

    .venv/bin/python Tests/InteropTests/Peers/gateway.py [--form both|device] [--object 42770] [--patience 30] STEP...

It prints the port that it listens on, takes the registration of one device over CoAP on loopback, does the steps one
after the other, and stays until it is ended. An answer that does not come within --patience seconds is "none". Each line
is a JSON object; no identifier is in one. A COMMAND is one of

    write:/3303/0/5750=attic    execute:/3303/0/5605    execute:/5/0/2=0    delete:/3303/1    create:/3303

    STEP                 does
    session COMMAND      one session, message by message, and asks for the outcome where the page says so
    direct COMMAND       the operation itself, outside a session
    read PATH            reads a value as text, or an instance
    outcome              asks for the outcome of the last session once more
    observe PATH         observes it; each notification is a line
    registration         waits until the device registers again
    deregistration       waits until the device has left

and what an attacker would do, none of which may execute anything (replay, guess and swapped are for both identifiers):

    replay               message 1 of the last session, again
    guess COMMAND        message 1 with a DSID that was never one
    changed COMMAND      a session whose message 3 carries another command
    swapped COMMAND      a session whose message 3 carries the DSID of the session before
    reflect COMMAND      a session in which message 2 is sent back in place of message 3
    repeat               message 3 of the last session, again: the code it had
    old                  message 3 of the session before the last
    late COMMAND         a session that is asked about before message 3, which then comes
    abandon COMMAND      a session that ends after message 2
"""

import argparse
import asyncio
import json
import re
import secrets
import signal

import aiocoap
import aiocoap.resource
import cbor2
from aiocoap import CONTENT, CREATED, CHANGED, DELETED, DELETE, GET, POST, PUT, Message

WRITE, EXECUTE, CREATE, DELETE_INSTANCE, UPDATE = 1, 2, 3, 4, 5
OPERATIONS = {"write": WRITE, "execute": EXECUTE, "create": CREATE, "delete": DELETE_INSTANCE}
TEXT, OPAQUE, SENML_JSON, TLV = 0, 42, 110, 11542
MESSAGE_1, MESSAGE_2, MESSAGE_3, QUESTION, OUTCOME = 0, 1, 2, 8, 9
OUTCOMES = ["not done", "done", "unknown", "executing"]


def say(**line):
    print(json.dumps(line), flush=True)


def text(code):
    """A code as the page writes it: 2.04."""
    return f"{int(code) >> 5}.{int(code) & 31:02}"


def encode(item):
    return cbor2.dumps(item, canonical=True)


def command(argument):
    match = re.fullmatch(r"(write|execute|create|delete):(/[0-9/]+)(?:=(.*))?", argument)
    if not match:
        raise SystemExit(f"no command: {argument}")
    operation, path, value = match.groups()
    if operation == "create":
        return [CREATE, path, TLV, b""]
    return [OPERATIONS[operation], path, None if value is None else TEXT, (value or "").encode()]


class Registrations(aiocoap.resource.Resource):
    """Register, Update and Deregister of one device."""

    def __init__(self):
        super().__init__()
        self.remote = None
        self.events = asyncio.Queue()

    async def render_post(self, request):
        self.remote = request.remote
        if request.opt.uri_path == ("rd", "1"):
            return Message(code=CHANGED)
        await self.events.put("registered")
        say(event="registered", links=request.payload.decode())
        return Message(code=CREATED, location_path=["rd", "1"])

    async def render_delete(self, request):
        await self.events.put("deregistered")
        say(event="deregistered")
        return Message(code=DELETED)

    async def wait_for(self, event):
        while await self.events.get() != event:
            pass


class Session:
    """What the gateway knows of one session."""

    def __init__(self, command, gsid, known):
        self.command, self.gsid, self.known, self.dsid = command, gsid, known, None

    def message(self, number, command=None, dsid=None):
        return encode([number, command or self.command, self.gsid, self.known if number == 1 else dsid or self.dsid])

    @property
    def question(self):
        return encode([self.gsid, self.dsid])


class Gateway:
    def __init__(self, options):
        self.is_short = options.form == "device"
        self.object = options.object
        self.patience = options.patience
        self.registrations = Registrations()
        self.observations = []
        # Between sessions: the device's identifier, and the sessions that came to their command, for mischief.
        self.dsid = None
        self.sessions = []

    async def start(self):
        self.context = await aiocoap.Context.create_server_context(
            self.registrations, bind=("127.0.0.1", 0), transports=["udp6"]
        )
        interface = self.context.request_interfaces[0].token_interface.message_interface
        say(port=interface.transport.get_extra_info("socket").getsockname()[1])

    async def play(self, steps):
        await self.registrations.wait_for("registered")
        for name, arguments in steps:
            line = {"step": name}
            try:
                await getattr(self, name)(line, *arguments)
            except aiocoap.error.Error as error:
                line["error"] = type(error).__name__
            say(**line)
        say(end=True)

    # Requests

    def request(self, code, path, payload=b"", **options):
        message = Message(code=code, payload=payload, **options)
        message.opt.uri_path = tuple(path.strip("/").split("/"))
        message.remote = self.registrations.remote
        return self.context.request(message)

    async def answer(self, request):
        """What is answered; None when nothing is."""
        try:
            return await asyncio.wait_for(request.response, self.patience)
        except (asyncio.TimeoutError, aiocoap.error.NetworkError):
            return None

    async def put(self, resource, payload):
        response = await self.answer(self.request(PUT, f"/{self.object}/0/{resource}", payload, content_format=OPAQUE))
        return text(response.code) if response else "none"

    async def get(self, resource):
        response = await self.answer(self.request(GET, f"/{self.object}/0/{resource}", accept=OPAQUE))
        return response.payload if response and response.code == CONTENT else None

    # The exchange

    def begin(self, command):
        return Session(command, None if self.is_short else secrets.token_bytes(16), None if self.is_short else self.dsid)

    async def open(self, session, line):
        """Messages 1 and 2; whether message 3 may be sent."""
        line["message1"] = await self.put(MESSAGE_1, session.message(1))
        if line["message1"] != "2.04":
            return False
        body = await self.get(MESSAGE_2)
        try:
            number, command, gsid, dsid = cbor2.loads(body)
        except (TypeError, ValueError, cbor2.CBORDecodeError):
            line["message2"] = "is none"
            return False
        is_right = number == 2 and encode(command) == encode(session.command) and gsid == session.gsid
        if not is_right or not isinstance(dsid, bytes) or not 16 <= len(dsid) <= 32 or dsid == self.dsid:
            line["message2"] = "is not the device's"
            return False
        line["message2"] = "is right"
        session.dsid = dsid
        return True

    async def ask(self, session, line):
        """Asks until the device knows; returns the name of the outcome, None when the question is refused."""
        line["asked"] = 0
        while True:
            line["asked"] += 1
            line["question"] = await self.put(QUESTION, session.question)
            if line["question"] not in ("2.04", "none"):
                return None
            body = await self.get(OUTCOME) if line["question"] == "2.04" else None
            if body is None:
                continue
            identifier, state, code = cbor2.loads(body)
            if identifier != (session.dsid if self.is_short else session.gsid):
                continue
            if OUTCOMES[state] != "executing":
                line["outcome"] = OUTCOMES[state]
                if code is not None:
                    line["code"] = text(code)
                return line["outcome"]
            await asyncio.sleep(0.2)

    async def finish(self, session, line):
        """Message 3, and the outcome where the answer does not tell it."""
        line["message3"] = await self.put(MESSAGE_3, session.message(3))
        if line["message3"] == "2.04" or await self.ask(session, line) in ("done", "unknown"):
            self.dsid = session.dsid
            self.sessions.append(session)

    # Steps

    async def session(self, line, command):
        session = self.begin(command)
        if await self.open(session, line):
            await self.finish(session, line)

    async def direct(self, line, command):
        operation, path, content_format, payload = command
        code = {WRITE: PUT, DELETE_INSTANCE: DELETE}.get(operation, POST)
        options = {} if content_format is None else {"content_format": content_format}
        line["code"] = text((await self.request(code, path, payload, **options).response).code)

    async def read(self, line, path):
        response = await self.request(GET, path, accept=self.format_at(path)).response
        line["code"] = text(response.code)
        if response.code == CONTENT:
            line["value"] = self.readable(response)

    async def observe(self, line, path):
        request = self.request(GET, path, accept=self.format_at(path), observe=0)
        response = await request.response
        line["code"] = text(response.code)

        async def watch():
            async for message in request.observation:
                say(event="notified", path=path, value=self.readable(message))

        if response.code == CONTENT:
            self.observations.append(asyncio.create_task(watch()))

    @staticmethod
    def format_at(path):
        """One value is text, an instance SenML JSON."""
        return TEXT if path.count("/") > 2 else SENML_JSON

    @staticmethod
    def readable(message):
        """A value, or those of an instance by resource without opaque ones: they hold identifiers."""
        if message.opt.content_format != SENML_JSON:
            return message.payload.decode()
        names = ("v", "vs", "vb")
        return {one["n"]: one[name] for one in json.loads(message.payload) for name in names if name in one}

    async def outcome(self, line):
        await self.ask(self.sessions[-1], line)

    async def registration(self, line):
        await self.registrations.wait_for("registered")

    async def deregistration(self, line):
        await self.registrations.wait_for("deregistered")

    # Mischief

    async def replay(self, line):
        line["message1"] = await self.put(MESSAGE_1, self.sessions[-1].message(1))

    async def guess(self, line, command):
        session = self.begin(command)
        session.known = secrets.token_bytes(16)
        line["message1"] = await self.put(MESSAGE_1, session.message(1))

    async def changed(self, line, command):
        session = self.begin(command)
        if await self.open(session, line):
            other = command[:3] + [command[3] + b"!"]
            line["message3"] = await self.put(MESSAGE_3, session.message(3, command=other))

    async def swapped(self, line, command):
        session = self.begin(command)
        if await self.open(session, line):
            line["message3"] = await self.put(MESSAGE_3, session.message(3, dsid=self.dsid))

    async def reflect(self, line, command):
        session = self.begin(command)
        if await self.open(session, line):
            line["message3"] = await self.put(MESSAGE_3, session.message(2))

    async def repeat(self, line):
        line["message3"] = await self.put(MESSAGE_3, self.sessions[-1].message(3))

    async def old(self, line):
        line["message3"] = await self.put(MESSAGE_3, self.sessions[-2].message(3))

    async def late(self, line, command):
        session = self.begin(command)
        if await self.open(session, line):
            await self.ask(session, line)
            line["message3"] = await self.put(MESSAGE_3, session.message(3))

    async def abandon(self, line, command):
        await self.open(self.begin(command), line)


PLAIN = ["outcome", "registration", "deregistration", "replay", "repeat", "old"]
WITH_PATH = ["read", "observe"]
WITH_COMMAND = ["session", "direct", "guess", "changed", "swapped", "reflect", "late", "abandon"]


def steps(words):
    """The steps with their arguments, all checked before the first is done."""
    words = iter(words)
    for name in words:
        if name in PLAIN:
            yield name, ()
        elif name in WITH_PATH:
            yield name, (next(words),)
        elif name in WITH_COMMAND:
            yield name, (command(next(words)),)
        else:
            raise SystemExit(f"no step: {name}")


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--form", choices=["both", "device"], default="both")
    parser.add_argument("--object", type=int, default=42770)
    parser.add_argument("--patience", type=float, default=30)
    parser.add_argument("step", nargs="+", metavar="STEP")
    options = parser.parse_args()
    todo = list(steps(options.step))
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    gateway = Gateway(options)
    await gateway.start()
    playing = asyncio.create_task(gateway.play(todo))
    playing.add_done_callback(lambda task: ended.set() if not task.cancelled() and task.exception() else None)
    await ended.wait()
    if playing.done():
        playing.result()
    playing.cancel()


asyncio.run(main())
