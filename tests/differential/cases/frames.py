"""Frames that are no request, or no request of a version that is served: every API."""

import struct

from broker import frame
from case import CASES, case
from schema import APIS

OTHERS = [api for api in APIS if api != "ApiVersions"]


def every_api(name, make):
    """A case of every API: `make` gives the frame."""
    for api in OTHERS:
        CASES.append((api, name, None, lambda c: c.raw(make(c))))


every_api("body of zero bytes", lambda c: frame(c.api, c.version))
every_api("body cut off", lambda c: frame(c.api, c.version, default_body(c)[:-1]))
every_api("bytes after the body", lambda c: frame(c.api, c.version, default_body(c) + b"\0\1\2"))
every_api("unknown tag", lambda c: frame(c.api, c.version, tagged(c)))
every_api("lengths below null", lambda c: frame(c.api, c.version, b"\xff\xfe" * 20))
every_api("lengths beyond the frame", lambda c: frame(c.api, c.version, b"\x7f" * 40))
every_api("version too new", lambda c: frame(c.api, c.latest[c.api] + 1))
every_api("version negative", lambda c: frame(c.api, -1))


def default_body(c):
    return APIS[c.api][0].encode({}, c.version)


def tagged(c):
    body = default_body(c)
    return body[:-1] + b"\1\x64\3abc" if c.version in APIS[c.api][0].flexible else body


@case("ApiVersions")
def unknown_api_key(c):
    c.raw(frame("ApiVersions", c.version, b"", key=999))


@case("ApiVersions")
def negative_api_key(c):
    c.raw(frame("ApiVersions", c.version, b"", key=-1))


@case("ApiVersions")
def empty_frame(c):
    c.raw(bytes(4))


@case("ApiVersions")
def frame_of_negative_size(c):
    c.raw(struct.pack(">i", -1))


@case("ApiVersions")
def frame_larger_than_allowed(c):
    c.raw(struct.pack(">i", 104_857_601))


@case("ApiVersions")
def header_cut_off(c):
    c.raw(struct.pack(">ihh", 4, 18, c.version))

@case("ApiVersions")
def client_id_of_null(c):
    c.raw(frame("ApiVersions", c.version, {"ClientSoftwareName": "a", "ClientSoftwareVersion": "1"}, client_id=None))


@case("ApiVersions")
def versions_that_do_not_exist(c):
    for version in (5, 99, 32767, -1):
        c.connection.send(frame("ApiVersions", 3, {}).replace(struct.pack(">hh", 18, 3), struct.pack(">hh", 18, version), 1))
        c.receive("ApiVersions", 0)


@case("ApiVersions")
def software(c):
    for name, version in (("a", "1"), ("", ""), ("a b", "1"), ("-a", "1"), ("a-", "1"), ("a.b-C9", "1.0"), ("a", "é"), ("a", "1 ")):
        c.ask({"ClientSoftwareName": name, "ClientSoftwareVersion": version})


@case("ApiVersions")
def null_software(c):
    c.ask({"ClientSoftwareName": None, "ClientSoftwareVersion": "1"})


@case("ApiVersions")
def bytes_after_the_body(c):
    c.raw(frame("ApiVersions", c.version, APIS["ApiVersions"][0].encode(
        {"ClientSoftwareName": "a", "ClientSoftwareVersion": "1"}, c.version) + b"\0\1\2"))
