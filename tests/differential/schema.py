"""Messages of the wire by the schema files of crates/protocol: a second implementation, apart from the broker's.

A message is a dict from field names to values: None for null, bytes for bytes and records, a list for an array, a
dict for a struct, `uuid.UUID` for a uuid. In a request a field that is left out has its default, and one that the
version lacks is left away; null is written wherever it is asked for, allowed or not.
"""

import struct
import uuid
from pathlib import Path

WIRE = Path(__file__).resolve().parents[2] / "crates/protocol/schemas/wire"
ZERO = uuid.UUID(int=0)
INTEGERS = {"int8": "b", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q"}
FIXED = {name: struct.Struct(">" + code) for name, code in {**INTEGERS, "float64": "d"}.items()}


class Malformed(Exception):
    """Bytes that are not what the schema says."""


def versions(text):
    """Kafka's notation of a range of versions, as a range."""
    if text == "none":
        return range(0)
    lowest, dash, highest = text.rstrip("+").partition("-")
    return range(int(lowest), int(highest or lowest) + 1 if not text.endswith("+") else 1 << 15)


class Field:
    """One field of a struct; `fields` are those of the struct that it introduces."""

    def __init__(self, line):
        self.name, self.type, present, *attributes = line.split(" ")
        self.versions, self.fields = versions(present), []
        given = dict(attribute.partition("=")[::2] for attribute in attributes)
        self.nullable = versions(given.get("null", "none"))
        tag, _, tagged = given.get("tag", ":none").partition(":")
        self.tag, self.tagged = int(tag or -1), versions(tagged)
        self.entity, self.never_flexible = given.get("entity"), "never-flexible" in given
        self.written_default = given.get("default")

    def default(self, version):
        """The value of the field when nothing is said."""
        if self.written_default == "null" and version in self.nullable:
            return None
        if self.type in INTEGERS:
            return int(self.written_default or "0", 0)
        if self.type.startswith("[]"):
            return []
        values = {"bool": self.written_default == "true", "string": self.written_default or "", "bytes": b"",
                  "records": b"", "uuid": ZERO, "float64": 0.0}
        return values.get(self.type, {})


class Schema:
    """One message."""

    def __init__(self, name):
        lines = (WIRE / f"{name}.schema").read_text().splitlines()
        self.name, self.fields, self.structs = name, [], {}
        blank = lines.index("")
        header = dict(line.partition(" ")[::2] for line in lines[1:blank])
        self.key, self.versions = int(header.get("api", -1)), versions(header["versions"])
        self.flexible = versions(header["flexible"])
        top = self.fields
        for line in filter(None, lines[blank:]):
            if line.startswith("struct "):
                top = self.structs[line.split(" ")[1]] = []
                continue
            words, place = line.lstrip(), top
            for _ in range((len(line) - len(words)) // 2):
                place = place[-1].fields
            place.append(Field(words))

    def encode(self, value, version):
        """The bytes of `value`."""
        out = bytearray()
        Writer(self, version, out).fields(self.fields, value)
        return bytes(out)

    def decode(self, data, version):
        """The value that `data` is, to its last byte; Malformed if it is not."""
        reader = Reader(self, version, data)
        value = reader.fields(self.fields)
        if reader.position != len(data):
            raise Malformed(f"{len(data) - reader.position} bytes too many")
        return value


class Codec:
    """What reading and writing have in common."""

    def __init__(self, schema, version):
        self.structs, self.version, self.flexible = schema.structs, version, version in schema.flexible

    def present(self, fields):
        """The plain fields and the tagged ones of this version."""
        here = [field for field in fields if self.version in field.versions]
        plain = [field for field in here if self.version not in field.tagged]
        return plain, [field for field in here if self.version in field.tagged]

    def struct_fields(self, field, name):
        return field.fields or self.structs[name]


class Writer(Codec):
    def __init__(self, schema, version, out):
        super().__init__(schema, version)
        self.out = out

    def fields(self, fields, value):
        strange = set(value) - {field.name for field in fields}
        assert not strange, f"no such fields: {strange}"
        plain, tagged = self.present(fields)
        for field in plain:
            given = value[field.name] if field.name in value else field.default(self.version)
            self.value(field, field.type, given, self.flexible and not field.never_flexible)
        if not self.flexible:
            return
        given = [(field, value.get(field.name, field.default(self.version))) for field in tagged]
        given = [(field, this) for field, this in given if not self.is_default(field, this)]
        self.varint(len(given))
        for field, this in sorted(given, key=lambda pair: pair[0].tag):
            inner = bytearray()
            outer, self.out = self.out, inner
            self.value(field, field.type, this, True)
            self.out = outer
            self.varint(field.tag)
            self.varint(len(inner))
            self.out += inner

    def is_default(self, field, value):
        """Whether a tagged field need not be written."""
        if isinstance(value, dict):
            inner = {one.name: one for one in self.struct_fields(field, field.type)}
            return all(self.is_default(inner[name], this) for name, this in value.items())
        return value == field.default(self.version)

    def value(self, field, kind, value, flexible):
        if kind in FIXED:
            self.out += FIXED[kind].pack(value)
        elif kind == "bool":
            self.out.append(value)
        elif kind == "uuid":
            self.out += value.bytes
        elif kind.startswith("[]"):
            self.length(value, "int32", flexible)
            for element in value or []:
                self.value(field, kind[2:], element, flexible)
        elif kind in ("string", "bytes", "records"):
            data = value.encode() if isinstance(value, str) else value
            self.length(data, "int16" if kind == "string" else "int32", flexible)
            self.out += data or b""
        else:
            if self.version in field.nullable and not field.type.startswith("[]"):
                self.out += b"\xff" if value is None else b"\x01"
            if value is not None:
                self.fields(self.struct_fields(field, kind), value)

    def length(self, value, kind, flexible):
        if flexible:
            self.varint(0 if value is None else len(value) + 1)
        else:
            self.out += FIXED[kind].pack(-1 if value is None else len(value))

    def varint(self, value):
        while value > 127:
            self.out.append(value & 127 | 128)
            value >>= 7
        self.out.append(value)


class Reader(Codec):
    def __init__(self, schema, version, data):
        super().__init__(schema, version)
        self.data, self.position = data, 0

    def take(self, count):
        if count > len(self.data) - self.position:
            raise Malformed(f"{count} bytes expected at {self.position} of {len(self.data)}")
        self.position += count
        return self.data[self.position - count:self.position]

    def fields(self, fields):
        plain, tagged = self.present(fields)
        value = {field.name: self.value(field, field.type, self.flexible and not field.never_flexible)
                 for field in plain}
        value |= {field.name: field.default(self.version) for field in tagged}
        known, last = {field.tag: field for field in tagged}, -1
        for _ in range(self.varint() if self.flexible else 0):
            tag, size = self.varint(), self.varint()
            end = self.position + size
            if tag <= last or tag not in known:
                raise Malformed(f"tag {tag} is out of order or unknown")
            last = tag
            value[known[tag].name] = self.value(known[tag], known[tag].type, True)
            if self.position != end:
                raise Malformed(f"tag {tag} has another size than it says")
        return value

    def value(self, field, kind, flexible):
        if kind in FIXED:
            return FIXED[kind].unpack(self.take(FIXED[kind].size))[0]
        if kind == "bool":
            return {b"\0": False, b"\1": True}[bytes(self.take(1))]
        if kind == "uuid":
            return uuid.UUID(bytes=bytes(self.take(16)))
        if kind.startswith("[]"):
            count = self.length(field, "int32", flexible)
            return None if count is None else [self.value(field, kind[2:], flexible) for _ in range(count)]
        if kind in ("string", "bytes", "records"):
            count = self.length(field, "int16" if kind == "string" else "int32", flexible)
            data = None if count is None else bytes(self.take(count))
            return data.decode() if kind == "string" and data is not None else data
        if self.version in field.nullable and not field.type.startswith("[]") and self.take(1) == b"\xff":
            return None
        return self.fields(self.struct_fields(field, kind))

    def length(self, field, kind, flexible):
        count = self.varint() - 1 if flexible else FIXED[kind].unpack(self.take(FIXED[kind].size))[0]
        if count >= 0:
            return count
        if count < -1 or self.version not in field.nullable:
            raise Malformed(f"{field.name} has length {count}")
        return None

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value


def load():
    """Every API: name to (request, response)."""
    names = sorted(path.name[:-len("Request.schema")] for path in WIRE.glob("*Request.schema"))
    return {name: (Schema(name + "Request"), Schema(name + "Response")) for name in names}


APIS = load()
