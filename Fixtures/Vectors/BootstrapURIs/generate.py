#!/usr/bin/env python3
"""Writes the vectors of temporary bootstrap URIs: python3 generate.py

An implementation of its own, on hashlib, hmac, base64 and Python's integers; it shares no line with the Swift sources.
It follows docs/name-derivation.md. What RFC 6920 states is checked against its text, not computed.
"""

import base64
import hashlib
import hmac
import json
import pathlib

STRONG = bytes(range(16)).hex()
LONG = bytes(range(100)).hex()  # longer than a block of SHA-256: HMAC hashes such a key first
STATIC = "coaps://bs.myserver.com"
ENDPOINT = "urn:dev:starling:000001"
TIME = 1_700_000_000

# RFC 6920, section 8.2, figure 6: the SubjectPublicKeyInfo.
PUBLIC_KEY = (
    "30820122300d06092a864886f70d01010105000382010f003082010a0282010100a25f83da9bd9f17a3a3667bafd5a940ecf16d55a553a5e"
    "d403b1658e6dcfa3b7dba4e7cc0f52c67d351dc468c2bd7b9ddbe40ad710cdf95320ee0dd7566e5b7aae2c5f830a193c725896d686e80ee6"
    "94eb5cf2903ef3a88a8856b6cd3638762297b16b3c9c07f34f9708a1bc29389b81062b7460387a932f39be1234096e0b5710b7a37bf2c6ee"
    "d6c1e5ecaec59c8314f46b58e2def2ffc97707e3f34c97cf1a289e38a1b3934175a1a4763f4d78d744d61ae3cee25dc5784cb531222ec74b"
    "8c6f56785ca1c4c01dcae5b944d7e9909cbceeb0a2b1dcda6da00ff6ad1e2c12a2a766603e36d49141c2f2e769392c9dd2dfb5a344954"
    "87c876489ddbf0501eedd0203010001"
)

STANDARD = {
    "parameters": "endpoint+time", "combination": "hmac", "suite": "hmac-sha-256", "alphabet": "base32",
    "selection": "first:16", "insertion": "label-end", "part": "none", "period": "3600", "rounding": "closest",
    "time-form": "decimal",
}
BITS = {
    "hmac-sha-256": 256, "sha-256": 256, "sha-256-128": 128, "sha-256-120": 120, "sha-256-96": 96, "sha-256-64": 64,
    "sha-256-32": 32,
}


def sha256(data):
    return hashlib.sha256(data).digest()


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def window(fields, time):
    """The rounded time stamp; without a time stamp there is one window, which is called 0."""
    if "time" not in fields["parameters"].split("+"):
        return 0
    period = int(fields["period"])
    floor = time // period * period
    if fields["rounding"] == "floor":
        return floor
    return floor + period if 2 * (time - floor) >= period else floor


def alphabet(name, data):
    if name == "hex":
        return data.hex()
    if name == "base32":
        return base64.b32encode(data).decode().rstrip("=").lower()
    if name == "base64url":
        return base64.urlsafe_b64encode(data).decode().rstrip("=")
    digits = len(str(2 ** (8 * len(data)) - 1))
    return str(int.from_bytes(data, "big")).zfill(digits)


def select(selection, text):
    word, _, argument = selection.partition(":")
    if word == "all":
        return text
    if word == "first":
        return text[: int(argument)]
    if word == "last":
        return text[-int(argument):]
    return "".join(text[int(position)] for position in argument.split("+"))


def insert(insertion, uri, name):
    scheme, rest = uri.split("://")
    authority, slash, tail = rest.partition("/")
    label, dot, domain = authority.partition(".")
    word, _, argument = insertion.partition(":")
    if word == "label-end":
        return f"{scheme}://{label}{name}{dot}{domain}{slash}{tail}"
    if word == "label-start":
        return f"{scheme}://{name}{label}{dot}{domain}{slash}{tail}"
    if word == "label-offset":
        offset = int(argument)
        return f"{scheme}://{label[:offset]}{name}{label[offset:]}{dot}{domain}{slash}{tail}"
    if word == "own-label":
        return f"{scheme}://{name}.{authority}{slash}{tail}"
    path, mark, query = uri.partition("?")
    if word == "path":
        return f"{path}/{name}{mark}{query}"
    item = f"{argument}={name}" if argument else name
    return f"{path}?{query}&{item}" if mark else f"{path}?{item}"


def derive(title, profile="", secret=STRONG, endpoint=ENDPOINT, time=TIME, static=STATIC):
    fields = dict(STANDARD)
    fields.update(dict(entry.split("=") for entry in profile.split(",") if entry))
    key = bytes.fromhex(secret)
    stamp = window(fields, time)
    names = [] if fields["parameters"] == "none" else fields["parameters"].split("+")
    random = mac(key, b"rv" + int(fields.get("counter", "0")).to_bytes(8, "big"))
    values = {
        "endpoint": endpoint.encode(),
        "time": str(stamp).encode() if fields["time-form"] == "decimal" else stamp.to_bytes(8, "big", signed=True),
        "random": random,
    }
    parameters = [values[name] for name in names]
    joined = b"".join(parameters)

    word, _, argument = fields["combination"].partition(":")
    message = None
    if word == "hmac":
        message = b"bs-uri/1" + b"".join(
            name[0].encode() + len(values[name]).to_bytes(2, "big") + values[name] for name in names
        )
        data = mac(key, message)
        full = data if fields["suite"] == "hmac-sha-256" else sha256(data)
    else:
        if word == "concatenation":
            place = int(argument or "0")
            data = b"".join(parameters[:place]) + key + b"".join(parameters[place:])
        elif word == "secret-into-parameters":
            data = joined[: int(argument)] + key + joined[int(argument):]
        else:
            data = key[: int(argument)] + joined + key[int(argument):]
        full = mac(key, data) if fields["suite"] == "hmac-sha-256" else sha256(data)
    derivative = full[: BITS[fields["suite"]] // 8]

    text = alphabet(fields["alphabet"], derivative)
    selected = select(fields["selection"], text)
    part = ""
    if fields["part"] != "none":
        side, name, end, count = fields["part"].split(":")
        whole = {"endpoint": endpoint, "time": str(stamp), "random": random.hex()}[name].lower()
        plain = "".join(character for character in whole if character in "0123456789abcdefghijklmnopqrstuvwxyz")
        part = plain[: int(count)] if end == "first" else plain[max(0, len(plain) - int(count)):]
        name = part + selected if side == "before" else selected + part
    else:
        name = selected
    ni = None
    if fields["suite"] != "hmac-sha-256":
        value = base64.urlsafe_b64encode(derivative).decode().rstrip("=")
        ni = f"ni:///{fields['suite']};{value}"
    return {
        "title": title, "profile": profile, "static": static, "secret": secret, "endpoint": endpoint, "time": time,
        "window": stamp, "parameters": [value.hex() for value in parameters],
        "message": message.hex() if message is not None else None, "derivative": derivative.hex(), "ni": ni,
        "text": text, "selected": selected, "part": part, "name": name,
        "uri": insert(fields["insertion"], static, name),
    }


def derivations():
    yield derive("the standard profile")
    yield derive("a secret longer than a block", secret=LONG)
    yield derive("a secret of 15 bytes in a test", "test=yes", secret="00" * 15)
    yield derive("a secret common to several devices, first", "", endpoint="a")
    yield derive("a secret common to several devices, second", "", endpoint="b")
    yield derive("an endpoint that is not ASCII", "", endpoint="Zürich-7")
    yield derive("an empty endpoint", "", endpoint="")
    # Parameters and their order.
    yield derive("no parameter", "parameters=none")
    yield derive("the endpoint alone", "parameters=endpoint")
    yield derive("the time alone", "parameters=time")
    yield derive("the time first", "parameters=time+endpoint")
    yield derive("the random variable alone", "parameters=random,counter=0")
    yield derive("all three", "parameters=endpoint+time+random,counter=7")
    yield derive("all three the other way round", "parameters=random+time+endpoint,counter=18446744073709551615")
    # Time stamps.
    yield derive("eight bytes", "time-form=binary")
    yield derive("eight bytes before 1970", "time-form=binary", time=-TIME)
    yield derive("digits before 1970", "", time=-TIME)
    yield derive("half an hour", "period=1800")
    yield derive("seven seconds, floor", "period=7,rounding=floor")
    yield derive("halfway rounds up", "", time=1_699_999_200 - 1800)
    yield derive("a second before halfway rounds down", "", time=1_699_999_200 - 1801)
    # Combinations, keyed and not.
    for suite in ("sha-256", "hmac-sha-256"):
        yield derive(f"concatenation, {suite}", f"combination=concatenation,suite={suite}")
        yield derive(f"the secret behind the endpoint, {suite}", f"combination=concatenation:1,suite={suite}")
        yield derive(f"the secret last, {suite}", f"combination=concatenation:2,suite={suite}")
        yield derive(f"the secret into the parameters, {suite}", f"combination=secret-into-parameters:5,suite={suite}")
        yield derive(f"the parameters into the secret, {suite}", f"combination=parameters-into-secret:3,suite={suite}")
        yield derive(f"behind the end of the parameters, {suite}", f"combination=secret-into-parameters:255,suite={suite}")
        yield derive(f"behind the end of the secret, {suite}", f"combination=parameters-into-secret:255,suite={suite}")
        yield derive(f"HMAC, {suite}", f"suite={suite}")
    # Two devices that concatenation cannot tell apart, and HMAC can.
    for combination in ("concatenation", "hmac"):
        profile = f"parameters=endpoint+time,combination={combination},suite=sha-256,period=1,rounding=floor"
        yield derive(f"dev1 at 0, {combination}", profile, endpoint="dev1", time=0)
        yield derive(f"dev at 10, {combination}", profile, endpoint="dev", time=10)
    # Suites and alphabets, whole.
    for suite, bits in BITS.items():
        for name in ("hex", "decimal", "base32", "base64url"):
            weak = ",short-names=yes" if bits < 64 else ""
            yield derive(
                f"{suite} in {name}",
                f"suite={suite},alphabet={name},selection=all,insertion=path{weak}",
            )
    # Selections.
    for alphabet_name in ("hex", "decimal", "base32"):
        for selection in ("first:20", "last:20", "positions:3+1+4+15+9+2+6+5+35+8+10+32+38+46+26+43+40+20"):
            yield derive(f"{selection} in {alphabet_name}", f"alphabet={alphabet_name},selection={selection}")
    yield derive("a single digit", "alphabet=decimal,selection=last:1,short-names=yes")
    # Insertions.
    for insertion in ("label-end", "label-start", "label-offset:0", "label-offset:1", "label-offset:2", "own-label"):
        yield derive(f"insertion {insertion}", f"insertion={insertion}")
    yield derive("a host of one label", "", static="coap://bs")
    yield derive("a port stays", "", static="coaps://bs.myserver.com:5694")
    for insertion in ("path", "query", "query:t"):
        for static in ("coaps://bs.myserver.com", "coaps://bs.myserver.com/base", "coaps://bs.myserver.com/base?a=b"):
            yield derive(f"insertion {insertion} into {static}", f"insertion={insertion}", static=static)
    yield derive("a path behind an address", "insertion=path,alphabet=base64url", static="coap://127.0.0.1")
    # A part of a parameter beside the name.
    for side in ("before", "after"):
        for parameter in ("endpoint", "time", "random"):
            for end in ("first", "last"):
                yield derive(
                    f"{end} characters of {parameter} {side} the name",
                    f"parameters=endpoint+time+random,counter=1,part={side}:{parameter}:{end}:5",
                )
    yield derive("a part longer than the endpoint", "part=before:endpoint:first:40", endpoint="AB-cd.1")
    yield derive("a part of an endpoint without letters and digits", "part=after:endpoint:last:4", endpoint="::--")


def named_information():
    """What the RFC says is written here by hand; the computation only confirms it."""
    hello = "Hello World!".encode()
    key = bytes.fromhex(PUBLIC_KEY)
    stated = [
        ("RFC 6920, section 8.1", hello, "sha-256", "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"),
        ("RFC 6920, section 3 (without its content type)", hello, "sha-256-32", "ni:///sha-256-32;f4OxZQ"),
        ("RFC 6920, section 8.2", key, "sha-256", "ni:///sha-256;UyaQV-Ev4rdLoHyJJWCi11OHfrYv9E1aGQAlMO2X_-Q"),
    ]
    for source, data, suite, ni in stated:
        value = sha256(data)[: BITS[suite] // 8]
        assert ni == f"ni:///{suite};" + base64.urlsafe_b64encode(value).decode().rstrip("="), source
        yield {"source": source, "input": data.hex(), "suite": suite, "derivative": value.hex(), "ni": ni}
    # Section 8.2 states these two as binary and as nih: names; their bytes are the derivative.
    for suite, stated_bytes in (("sha-256-120", "53269057e12fe2b74ba07c892560a2"), ("sha-256-32", "53269057")):
        assert sha256(key)[: BITS[suite] // 8].hex() == stated_bytes
        value = base64.urlsafe_b64encode(bytes.fromhex(stated_bytes)).decode().rstrip("=")
        yield {
            "source": "RFC 6920, section 8.2, in another form", "input": PUBLIC_KEY, "suite": suite,
            "derivative": stated_bytes, "ni": f"ni:///{suite};{value}",
        }


def write(name, items):
    lines = ",\n".join("  " + json.dumps(item, ensure_ascii=False) for item in items)
    path = pathlib.Path(__file__).parent / name
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    write("derivations.json", derivations())
    write("rfc6920-named-information.json", named_information())
