"""Damaged directories and configurations under the real broker: damage.py BROKER WORK [CASE...].

Every case damages a copy of a directory that was left cleanly, or by a kill, and starts the broker on it. Either it
serves: then every record before the damage is there, the group's offsets too, more records are taken, and a second start
finds all of that again. Or it ends: then with exit code 5 and a last line that names the file and the remedy, no file
that holds data has changed, and once the remedy was taken everything is there.

`kafka` says what the reference release does there, where that differs.
"""

import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import typing

from node import PARTITIONS, TOPIC, Node, value

CLEAN, KILLED = 250, 260
COMMITTED = [100, 200]
META = "__cluster_metadata-0"
METADATA_LOG = f"{META}/00000000000000000000.log"


@dataclasses.dataclass
class Case:
    name: str
    damage: typing.Callable
    # Where each partition ends then; `None` if the broker refuses to start.
    ends: list = None
    # What its log, or its last line, must say.
    says: str = ""
    # The remedy, for a broker that refuses.
    mend: typing.Callable = None
    # The directory was left by a kill.
    killed: bool = False
    # Values of partition 0 that cannot be read.
    unreadable: bool = False
    # Offsets of the group are lost.
    forgets: bool = False
    kafka: str = ""


class Copy:
    """A copy of the directory, its node, and ways to damage it."""

    def __init__(self, program, origin, folder):
        shutil.copytree(origin, folder)
        folder.chmod(0o755)
        self.origin, self.folder, self.data = origin / "data", folder, folder / "data"
        self.node, self.others, self.sockets = Node(program, folder), [], []

    def segments(self):
        return sorted((self.data / f"{TOPIC}-0").glob("*.log"))

    def each(self, pattern, content):
        for path in self.data.glob(pattern):
            path.write_bytes(content)

    def remove(self, pattern):
        for path in self.data.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def cut(self, path, size):
        os.truncate(path, path.stat().st_size - size)

    def invert(self, path, position, size):
        with path.open("r+b") as file:
            file.seek(position)
            content = file.read(size)
            file.seek(position)
            file.write(bytes(255 - byte for byte in content))

    def append(self, path, content):
        with path.open("ab") as file:
            file.write(content)

    def restore(self, name):
        """Puts a file or directory back as it was."""
        self.remove(name)
        source = self.origin / name
        shutil.copytree(source, self.data / name) if source.is_dir() else shutil.copy2(source, self.data / name)

    def owned_by_nobody(self, *roots_own):
        """Runs the broker as nobody, who owns all but these."""
        self.node.as_nobody = True
        if os.getuid() == 0:
            for path in (self.data, *self.data.rglob("*")):
                shutil.chown(path, "nobody")
            for path in roots_own:
                shutil.chown(path, "root")
        for path in roots_own:
            path.chmod(0o555 if path.is_dir() else 0o400)

    def lock(self):
        other = Node(self.node.program, self.folder / "other")
        other.folder.mkdir()
        other.log_dirs = self.node.log_dirs
        assert other.start(), other.text()
        self.others.append(other)

    def take_port(self):
        taker = socket.socket()
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taker.bind(("127.0.0.1", self.node.port))
        taker.listen()
        self.sockets.append(taker)

    def stale_files(self):
        directory, (first, second, _) = self.data / f"{TOPIC}-0", self.segments()
        shutil.copy(first, f"{first}.deleted")
        shutil.copy(second, f"{second}.cleaned")
        (directory / f"{first.stem}.index.swap").write_bytes(b"")
        (directory / "leader-epoch-checkpoint.tmp").write_bytes(b"half")
        shutil.copytree(directory, self.data / f"{TOPIC}-0.0123456789abcdef0123456789abcdef-delete")

    def finished_by_a_cleaner(self):
        first = self.segments()[0]
        shutil.copy(first, f"{first}.swap")

    def second_directory(self, name, *, holds=None, first=False):
        path = self.folder / name
        self.node.log_dirs = [path, self.data] if first else [self.data, path]
        if holds:
            path.mkdir()
            holds(path)

    def of_cluster(self, cluster_id):
        return lambda path: (path / "meta.properties").write_text(f"version=1\ncluster.id={cluster_id}\nnode.id=1\n")

    def with_partition_0(self, path):
        text = (self.data / "meta.properties").read_text()
        (path / "meta.properties").write_text(re.sub(r"directory.id=.*\n", "", text))
        shutil.copytree(self.data / f"{TOPIC}-0", path / f"{TOPIC}-0")

    def moved_to_lost_directory(self):
        """Partition 0 was in a second directory, whose disk is gone."""
        second = self.folder / "second"
        self.second_directory("second", holds=self.with_partition_0)
        shutil.rmtree(self.data / f"{TOPIC}-0")
        second.rename(self.folder / "kept")
        second.write_text("")

    def disk_is_back(self):
        self.node.end()
        (self.folder / "second").unlink()
        (self.folder / "kept").rename(self.folder / "second")

    def format(self, cluster_id):
        subprocess.run([self.node.program, "format", "--config", self.folder / "server.properties", "--cluster-id", cluster_id],
                       check=True, capture_output=True)

    def cluster_id(self):
        return re.search(r"cluster.id=(.*)", (self.origin / "meta.properties").read_text()).group(1)

    def file_in_the_way(self):
        """A path under a file, which no right lets anybody make."""
        (self.folder / "file").write_text("")
        self.node.log_dirs = [self.folder / "file" / "data"]

    def right_directory(self):
        self.node.log_dirs = [self.data]


GARBAGE = b"\xfe\xffgar bage\n\nx y z\n"
ALL = [CLEAN, CLEAN]
REFUSED = None
TORN = "0000200.log.*cut"
REBUILT = "0000000.log.*0000100.log.*0000200.log"


def cases():
    directory = f"{TOPIC}-0/"
    yield Case("a corrupt offset index", lambda c: c.each(directory + "*.index", b"\xff" * 80), ALL, REBUILT)
    yield Case("an offset index of an odd size", lambda c: c.each(directory + "*.index", b"\0" * 13), ALL, REBUILT)
    yield Case("a corrupt time index", lambda c: c.each(directory + "*.timeindex", b"\xff" * 120), ALL, REBUILT)
    yield Case("no index files", lambda c: (c.remove(directory + "*.index"), c.remove(directory + "*.timeindex")), ALL, REBUILT)
    yield Case("no snapshots of producers", lambda c: c.remove(directory + "*.snapshot"), ALL)
    yield Case("garbage in snapshots of producers", lambda c: c.each(directory + "*.snapshot", GARBAGE), ALL, "snapshot of the producers is damaged")
    yield Case("a torn last batch after a kill", lambda c: c.cut(c.segments()[-1], 5000), [255, KILLED], TORN, killed=True)
    yield Case("a torn last batch after a clean stop", lambda c: c.cut(c.segments()[-1], 5000), [245, CLEAN], TORN,
               kafka="forgets the whole segment")
    yield Case("zeros behind the last batch after a kill", lambda c: c.append(c.segments()[-1], bytes(100_000)), [KILLED, KILLED], TORN, killed=True)
    yield Case("zeros behind the last batch after a clean stop", lambda c: c.append(c.segments()[-1], bytes(100_000)), ALL, TORN,
               kafka="ends: CorruptRecordException")
    yield Case("garbage behind the last batch", lambda c: c.append(c.segments()[-1], os.urandom(5000)), ALL, TORN)
    yield Case("garbage in the middle of the last segment after a kill", lambda c: c.invert(c.segments()[-1], 300_000, 100), [225, KILLED], TORN, killed=True)
    yield Case("garbage in the middle of a log", lambda c: c.invert(c.segments()[1], 300_000, 100), ALL, unreadable=True)
    yield Case("a truncated segment in the middle", lambda c: c.cut(c.segments()[0], 5000), ALL, unreadable=True,
               kafka="goes on behind the hole and says nothing")
    yield Case("an emptied last segment", lambda c: c.segments()[-1].write_bytes(b""), [200, CLEAN])
    yield Case("no partition directory", lambda c: c.remove(directory), [0, CLEAN], "no log and begins empty.*partition=t-0")

    for name in "recovery-point-offset-checkpoint", "replication-offset-checkpoint", "log-start-offset-checkpoint", directory + "leader-epoch-checkpoint", f"{META}/leader-epoch-checkpoint":
        yield Case(f"no {name}", lambda c, name=name: c.remove(name), ALL)
        yield Case(f"an empty {name}", lambda c, name=name: c.each(name, b""), ALL, f"{name}, line 1: not a checkpoint")
        yield Case(f"garbage in {name}", lambda c, name=name: c.each(name, GARBAGE), ALL, f"{name}, line 1: not a checkpoint",
                   kafka="ends, its log directory having failed")
    yield Case("no mark of a clean stop", lambda c: c.remove(".kafka_cleanshutdown"), ALL, "not stopped cleanly")
    yield Case("garbage in the mark of a clean stop", lambda c: c.each(".kafka_cleanshutdown", GARBAGE), ALL)
    yield Case("no bootstrap.checkpoint", lambda c: c.remove("bootstrap.checkpoint"), ALL)
    yield Case("garbage in bootstrap.checkpoint", lambda c: c.each("bootstrap.checkpoint", GARBAGE), ALL, kafka="ends")

    yield Case("no meta.properties", lambda c: c.remove("meta.properties"), REFUSED, r"holds logs and has no meta.properties.*ottla format",
               mend=lambda c: c.format(c.cluster_id()))
    for content in b"", GARBAGE, b"version=1\ncluster.id=x\nnode.id=one\n", b"version=0\nbroker.id=1\ncluster.id=x\n":
        yield Case(f"meta.properties of {content!r}", lambda c, content=content: c.each("meta.properties", content), REFUSED,
                   r"meta.properties: .* is missing or wrong; restore the file", mend=lambda c: c.restore("meta.properties"))
    yield Case("the directory of another node", lambda c: c.node.properties.update({"node.id": "7"}), REFUSED,
               r"belongs to node 1 of cluster .*, and this is node 7; name the right", mend=lambda c: c.node.properties.clear())
    yield Case("a second directory of another cluster", lambda c: c.second_directory("second", holds=c.of_cluster("AAAAAAAAAAAAAAAAAAAAAA")), REFUSED,
               r"second belongs to cluster AAAAAAAAAAAAAAAAAAAAAA.*take it out of log.dirs", mend=Copy.right_directory)
    yield Case("no partition.metadata", lambda c: c.remove(directory + "partition.metadata"), ALL, kafka="the log is a stray and begins empty")
    yield Case("an empty partition.metadata", lambda c: c.each(directory + "partition.metadata", b""), ALL, kafka="ends: NullPointerException")
    yield Case("garbage in partition.metadata", lambda c: c.each(directory + "partition.metadata", GARBAGE), REFUSED,
               r"t-0/partition.metadata does not name a topic's id; .*delete it", mend=lambda c: c.remove(directory + "partition.metadata"))
    yield Case("the partition of another topic of that name", lambda c: c.each(directory + "partition.metadata", b"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAQQ"),
               [0, CLEAN], r"put aside.*t-0\.[0-9a-f]{32}-stray")

    yield Case("no metadata log", lambda c: c.remove(META), REFUSED, f"{META} is empty, .* 4 partitions.*restore it", mend=lambda c: c.restore(META))
    yield Case("no segment of the metadata log", lambda c: c.remove(METADATA_LOG), REFUSED, f"{META} is empty, .* 4 partitions.*restore it",
               mend=lambda c: c.restore(META), kafka="every topic is gone, every log a stray")
    yield Case("garbage in the middle of the metadata log", lambda c: c.invert(c.data / METADATA_LOG, 300, 50), REFUSED,
               f"{METADATA_LOG}, byte [0-9]+: damaged, .*restore the file", mend=lambda c: c.restore(METADATA_LOG),
               kafka="every topic is gone, every log a stray")
    yield Case("a torn last batch of the metadata log", lambda c: c.cut(c.data / METADATA_LOG, 20), ALL, f"{METADATA_LOG}.*cut")
    yield Case("no quorum-state", lambda c: c.remove(f"{META}/quorum-state"), ALL)
    for content in b"", GARBAGE, b'{"leaderId":"x"}':
        yield Case(f"quorum-state of {content!r}", lambda c, content=content: c.each(f"{META}/quorum-state", content), REFUSED,
                   r"quorum-state: not a quorum state: .*; restore it from a copy, or delete it", mend=lambda c: c.remove(f"{META}/quorum-state"))
    yield Case("no first snapshot of the metadata", lambda c: c.remove(f"{META}/*.checkpoint"), ALL)
    yield Case("garbage in a snapshot of the metadata", lambda c: (c.data / META / "00000000000000000005-0000000001.checkpoint").write_bytes(GARBAGE), REFUSED,
               r"5-0000000001.checkpoint holds damaged metadata.*restore", mend=lambda c: c.remove(f"{META}/*5-0000000001.checkpoint"))
    yield Case("an empty snapshot of the metadata", lambda c: (c.data / META / "00000000000000000005-0000000001.checkpoint").touch(), REFUSED,
               r"5-0000000001.checkpoint is half a snapshot.*restore", mend=lambda c: c.remove(f"{META}/*5-0000000001.checkpoint"))

    yield Case("a directory that another broker uses", Copy.lock, REFUSED, r"data is in use by another broker; stop that one",
               mend=lambda c: c.others[0].end())
    yield Case("a taken port", Copy.take_port, REFUSED, r"cannot listen on 127.0.0.1:[0-9]+ .*the port is taken; stop the process", mend=lambda c: c.sockets.pop().close())
    yield Case("log.dirs that is a file", lambda c: (shutil.rmtree(c.data), c.data.write_text("")), REFUSED, r"Not a directory.*move it away",
               mend=lambda c: (c.data.unlink(), shutil.copytree(c.origin, c.data)))
    yield Case("log.dirs under a file", Copy.file_in_the_way, REFUSED, r"file/data.*Not a directory.*name another directory", mend=Copy.right_directory)
    yield Case("a directory that may not be written", lambda c: c.owned_by_nobody(c.data), REFUSED, r"Permission denied.*let the user that runs the broker",
               mend=lambda c: (c.data.chmod(0o755), c.owned_by_nobody()))
    yield Case("a segment that may not be written", lambda c: c.owned_by_nobody(c.segments()[-1]), REFUSED, r"0000200.log: Permission denied.*let the user",
               mend=lambda c: (c.segments()[-1].chmod(0o644), c.owned_by_nobody()))
    yield Case("meta.properties that may not be read", lambda c: (c.owned_by_nobody(c.data / "meta.properties"), (c.data / "meta.properties").chmod(0)), REFUSED,
               r"meta.properties: Permission denied.*let the user", mend=lambda c: ((c.data / "meta.properties").chmod(0o600), c.owned_by_nobody()))
    yield Case("a bad directory beside a good one", lambda c: (c.file_in_the_way(), c.second_directory("file/data")), ALL, r"file/data.*Not a directory")
    yield Case("a bad directory before a good one", lambda c: (c.file_in_the_way(), c.second_directory("file/data", first=True)), REFUSED,
               r"file/data.*Not a directory", mend=Copy.right_directory)
    yield Case("a new directory beside an old one", lambda c: c.second_directory("second"), ALL, "formatted a new directory")
    yield Case("an empty directory in the place of the metadata's", lambda c: c.second_directory("second", first=True), REFUSED,
               r"second is to hold the metadata of cluster .* and is empty; mount or restore", mend=Copy.right_directory)
    yield Case("a partition in two directories", lambda c: c.second_directory("second", holds=c.with_partition_0), REFUSED,
               r"t-0 is in .*t-0 and in .*t-0; move one of them away", mend=lambda c: shutil.rmtree(c.folder / "second/t-0"))
    yield Case("a partition whose directory is gone", Copy.moved_to_lost_directory, [None, CLEAN], r"t-0.*stays unavailable", mend=Copy.disk_is_back)

    yield Case("unknown files and folders", lambda c: ((c.data / "notes.txt").touch(), (c.data / "lost+found").mkdir(), (c.data / directory / "notes").touch(), (c.data / "-0").mkdir()),
               ALL, r"lost\+found.*|-0.*left alone", kafka="ends: 'lost+found' is not in the form of topic-partition")
    yield Case("the log of a topic that is not there", lambda c: shutil.copytree(c.data / directory, c.data / "ghost-0"), ALL, r"put aside.*ghost-0\.[0-9a-f]{32}-stray")
    yield Case("stale .deleted, .cleaned, .swap, .tmp and -delete", Copy.stale_files, ALL)
    yield Case("a .swap that a cleaner had finished", Copy.finished_by_a_cleaner, ALL)
    yield Case("garbage in the group's offsets", lambda c: [c.invert(log, 70, 10) for log in c.data.glob("__consumer_offsets-*/*.log") if log.stat().st_size], ALL,
               r"groups of this partition cannot be loaded.*restore its files", forgets=True)

    def line(text):
        return lambda c: c.node.lines.append(text)

    def fixed(c):
        c.node.lines.clear()

    yield Case("a line with a bad escape", line("name=\\u12"), REFUSED, r"server.properties, line [0-9]+: '\\u' must be followed", mend=fixed)
    yield Case("a line of garbage", line("\x01\x02 !!! garbage"), ALL, "unknown property .* is ignored")
    yield Case("an unknown property", line("num.partition=3"), ALL, "unknown property num.partition is ignored; did you mean num.partitions")
    yield Case("a value of the wrong type", line("num.partitions=many"), REFUSED, "Invalid value many for configuration num.partitions: Not a number", mend=fixed)
    yield Case("a value out of range", line("num.partitions=0"), REFUSED, "Invalid value 0 for configuration num.partitions: Value must be at least 1", mend=fixed)
    yield Case("a listener that does not parse", line("listeners=PLAINTEXT//127.0.0.1:1"), REFUSED, "listeners: 'PLAINTEXT//127.0.0.1:1' must have the form", mend=fixed)


def require(condition, what):
    if not condition:
        raise AssertionError(what)


def fingerprint(folder):
    """Every file that holds data, and what is in it."""
    names = [path for path in folder.rglob("*") if path.is_file() and path.suffix in (".log", ".checkpoint", ".metadata", ".properties")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in names}


def serves(case, node, ends, more):
    """Everything is there up to `ends`; then `more` records are appended to each partition."""
    require(TOPIC in node.topics(), "the topic is gone")
    if None not in ends:
        require(node.ends() == ends, f"the partitions end at {node.ends()} instead of {ends}")
    for partition, end in enumerate(ends):
        if end is None:
            continue
        try:
            found = node.read(partition)
        except Exception as error:
            require(case.unreadable and partition == 0, f"partition {partition}: {error}")
            continue
        require(not (case.unreadable and partition == 0), "the damaged records were read")
        require(sorted(found) == list(range(end)), f"partition {partition}: {len(found)} records instead of {end}")
        wrong = [offset for offset, content in found.items() if content != value(partition, offset)]
        require(not wrong, f"partition {partition}: wrong values at {wrong[:3]}")
    if not case.forgets:
        require(node.committed() == COMMITTED, f"the group is at {node.committed()}")
    if None not in ends:
        node.produce(more, ends)


def check_start(case, copy):
    node = copy.node
    case.damage(copy)
    before = fingerprint(copy.data)
    started = node.start()
    text = node.text()
    require("panicked" not in text, "it panicked")
    if case.ends is None:
        require(not started, "it serves")
        require(node.end() == 5, f"exit code {node.end()}")
        last = text.splitlines()[-1]
        require(last.startswith("ottla: ") and re.search(case.says, last), f"it says: {last}")
        require(before.items() <= fingerprint(copy.data).items(), "it has changed files")
        case.mend(copy)
        require(node.start(), "after the remedy it does not start: " + node.text()[-300:])
        return ALL
    require(started, "it does not start: " + text[-300:])
    return case.ends


def check(case, program, origins, work, number):
    copy = Copy(program, origins[case.killed], work / f"case-{number}")
    try:
        ends = check_start(case, copy)
        serves(case, copy.node, ends, 5)
        require(case.ends is None or re.search(case.says, copy.node.text(), re.DOTALL), f"it does not say {case.says}")
        require(copy.node.end() == 0, f"it stops with exit code {copy.node.end()}")
        if None in ends:
            case.mend(copy)
        require(copy.node.start(), "the second start fails: " + copy.node.text()[-300:])
        serves(case, copy.node, ALL if None in ends else [end + 5 for end in ends], 1)
        require(copy.node.end() == 0, "the second stop is not clean")
        return None
    except Exception as error:
        return f"{type(error).__name__}: {error}\n{copy.node.text()[-1500:]}"
    finally:
        for node in (copy.node, *copy.others):
            if node.process:
                node.end(signal.SIGKILL)
        for taker in copy.sockets:
            taker.close()
        shutil.rmtree(copy.folder, ignore_errors=True)


def make_origins(program, work):
    """A directory that was left cleanly and one that was left by a kill."""
    node = Node(program, work / "node")
    node.folder.mkdir()
    require(node.start(), node.text())
    node.create_topic()
    node.produce(CLEAN)
    node.commit(COMMITTED)
    require(node.end() == 0, node.text())
    shutil.copytree(node.folder, work / "clean")
    require(node.start(), node.text())
    node.produce(KILLED - CLEAN, [CLEAN] * PARTITIONS)
    node.end(signal.SIGKILL)
    shutil.copytree(node.folder, work / "killed")
    return {False: work / "clean", True: work / "killed"}


def main(program, work, *wanted):
    work = pathlib.Path(work)
    work.chmod(0o755)
    # Whom the broker runs as must be able to run it.
    program = shutil.copy2(program, work / "ottla")
    origins = make_origins(program, work)
    chosen = [case for case in cases() if not wanted or any(word in case.name for word in wanted)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = pool.map(lambda numbered: check(numbered[1], program, origins, work, numbered[0]), enumerate(chosen))
        for case, failure in zip(chosen, results):
            failed += failure is not None
            print(f"ok      {case.name}" if failure is None else f"FAILED  {case.name}: {failure}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


main(*sys.argv[1:])
