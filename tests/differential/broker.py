"""One of the two brokers: connections to it, and what it advertises."""

import socket
import struct

from schema import APIS, Malformed, Schema

REQUEST_HEADER, RESPONSE_HEADER = Schema("RequestHeader"), Schema("ResponseHeader")
BY_KEY = {request.key: name for name, (request, _) in APIS.items()}
CORRELATION_ID = 7
CLOSED = "the connection was closed"
PATIENCE_S = 30
"""How long an answer may take; only a broker that never answers makes it matter."""


def frame(api, version, body=b"", key=None, correlation_id=CORRELATION_ID, client_id="differential"):
    """A whole frame; `body` is bytes or a message."""
    request = APIS[api][0]
    data = body if isinstance(body, bytes) else request.encode(body, version)
    header = {"RequestApiKey": request.key if key is None else key, "RequestApiVersion": version,
              "CorrelationId": correlation_id, "ClientId": client_id}
    data = REQUEST_HEADER.encode(header, 2 if version in request.flexible else 1) + data
    return struct.pack(">i", len(data)) + data


class Connection:
    """A connection on which requests are answered in order."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        """Sends bytes; whether the broker still takes them shows when an answer is read."""
        try:
            self.socket.sendall(data)
        except ConnectionError:
            pass

    def receive(self, api, version):
        """The next answer: a message, or a text that says what came instead."""
        try:
            size = self.exactly(4)
            data = size and self.exactly(struct.unpack(">i", size)[0])
        except (ConnectionError, BrokenPipeError):
            return CLOSED
        except TimeoutError:
            return f"no answer in {PATIENCE_S} s"
        if not data:
            return CLOSED
        response = APIS[api][1]
        header_version = 1 if version in response.flexible and api != "ApiVersions" else 0
        header = 5 if header_version else 4
        try:
            correlation_id = RESPONSE_HEADER.decode(data[:header], header_version)["CorrelationId"]
            if correlation_id != CORRELATION_ID:
                return f"an answer with correlation id {correlation_id}"
            answer = response.decode(data[header:], version)
        except Malformed as problem:
            return f"not {response.name} {version}: {problem}: {data.hex()}"
        if response.encode(answer, version) != data[header:]:
            return f"written in an unusual way: {data.hex()}"
        return answer

    def exactly(self, count):
        data = bytearray()
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                return b""
            data += more
        return bytes(data)

    def ask(self, api, version, body):
        self.send(frame(api, version, body))
        return self.receive(api, version)

    def close(self):
        self.socket.close()


class Broker:
    """A running broker; `hidden` are the texts that differ by nature, with what stands for them."""

    def __init__(self, name, work):
        self.name = name
        self.port = int((work / name / "port").read_text())
        properties = dict(line.partition("=")[::2] for line in (work / name / "server.properties").read_text().split())
        self.connection = Connection(self.port)
        advertised = self.connection.ask("ApiVersions", 3, {"ClientSoftwareName": "a", "ClientSoftwareVersion": "1"})
        self.versions = {BY_KEY[api["ApiKey"]]: (api["MinVersion"], api["MaxVersion"]) for api in advertised["ApiKeys"]}
        cluster_id = self.connection.ask("Metadata", 9, {"Topics": []})["ClusterId"]
        self.hidden = {properties["log.dirs"]: "<data>", cluster_id: "<cluster>", str(self.port): "<port>",
                       properties["controller.quorum.bootstrap.servers"].rpartition(":")[2]: "<controller port>"}
