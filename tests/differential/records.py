"""Record batches, good and bad, and what a fetched one says."""

import gzip
import struct
import zlib

HEADER = struct.Struct(">qiibIhiqqqhii")
"""Base offset, length, leader epoch, magic, CRC, attributes, last offset delta, base and maximal timestamp, producer
id and epoch, base sequence, number of records."""
AFTER_LENGTH, AFTER_CRC = 12, 21
NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
LOG_APPEND_TIME, TRANSACTIONAL, CONTROL = 8, 16, 32
THEN = 1_700_000_000_000
"""A time in the past, in ms."""


def _crc_table():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        yield value


_TABLE = tuple(_crc_table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(value):
    value = value << 1 ^ value >> 63
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def sized(data):
    return varint(-1) if data is None else varint(len(data)) + data


def record(index, key=None, value=b"v", headers=(), timestamp_delta=0, offset_delta=None, attributes=0):
    """One record of a batch."""
    delta = index if offset_delta is None else offset_delta
    body = bytes([attributes]) + varint(timestamp_delta) + varint(delta) + sized(key) + sized(value)
    body += varint(len(headers)) + b"".join(sized(name) + sized(content) for name, content in headers)
    return sized(body)


def compress(codec, data):
    """At most 255 bytes of `data` in one of the codecs; the last three keep it as it is, in a valid frame."""
    size = len(data)
    frames = {
        GZIP: lambda: gzip.compress(data, mtime=0),
        SNAPPY: lambda: bytes([size & 127 | 128, size >> 7, 60 << 2, size - 1]) + data,
        LZ4: lambda: bytes.fromhex("04224d18604082") + struct.pack("<I", size | 1 << 31) + data + bytes(4),
        ZSTD: lambda: bytes.fromhex("28b52ffd20") + bytes([size]) + (size << 3 | 1).to_bytes(3, "little") + data,
    }
    return frames[codec]() if codec in frames else data


def batch(values=(b"v",), *, raw=None, base_offset=0, leader_epoch=-1, magic=2, attributes=0, codec=NONE, producer=-1,
          epoch=-1, sequence=-1, timestamp=THEN, max_timestamp=None, count=None, last_delta=None, crc=None, length=None,
          key=b"k"):
    """A batch of one record for each value; what is named replaces what would be right. `raw` are its records."""
    values = list(values)
    payload = b"".join(record(i, key, value) for i, value in enumerate(values)) if raw is None else raw
    payload = compress(codec, payload)
    size = HEADER.size - AFTER_LENGTH + len(payload)
    head = HEADER.pack(base_offset, size if length is None else length, leader_epoch, magic, 0, attributes | codec,
                       len(values) - 1 if last_delta is None else last_delta, timestamp,
                       timestamp if max_timestamp is None else max_timestamp, producer, epoch, sequence,
                       len(values) if count is None else count)
    check = crc32c(head[AFTER_CRC:] + payload) if crc is None else crc
    return head[:AFTER_CRC - 4] + struct.pack(">I", check) + head[AFTER_CRC:] + payload


def message(magic, value=b"v", key=None):
    """A message of the formats before batches."""
    body = struct.pack(">bb", magic, 0) + (struct.pack(">q", THEN) if magic else b"")
    for part in (key, value):
        body += struct.pack(">i", -1 if part is None else len(part)) + (part or b"")
    return struct.pack(">qiI", 0, len(body) + 4, zlib.crc32(body)) + body


def describe(data):
    """Fetched batches, field by field. The reference release cuts the last one off where the limit is; no client reads
    that, and so it is left out here, unless nothing else is there."""
    found = []
    while data:
        size = AFTER_LENGTH + int.from_bytes(data[8:AFTER_LENGTH], "big") if len(data) >= AFTER_LENGTH else 0
        if len(data) < HEADER.size or size > len(data):
            return found or [{"CutOff": len(data)}]
        names = ("BaseOffset Length LeaderEpoch Magic Crc Attributes LastOffsetDelta Timestamp MaxTimestamp ProducerId "
                 "ProducerEpoch BaseSequence Count").split()
        this = dict(zip(names, HEADER.unpack_from(data)))
        this["Crc"] = "right" if this["Crc"] == crc32c(data[AFTER_CRC:size]) else "wrong"
        found.append(this | {"Payload": data[HEADER.size:size].hex()})
        data = data[size:]
    return found
