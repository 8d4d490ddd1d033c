"""Starts, pins, kills and stops the brokers that are compared. Each has its defaults, except for
its address and its data directory."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOAD = ROOT / "target/bench-load/release/ottla-load"
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 120


class BenchError(Exception):
    """A run that cannot go on; the message says what to do."""


def build_load_generator():
    """Builds ottla-load; its dependencies need a C compiler, make and bash."""
    command = ["cargo", "build", "--quiet", "--release", "--manifest-path", ROOT / "bench/load/Cargo.toml",
               "--target-dir", ROOT / "target/bench-load"]
    if subprocess.run(command).returncode != 0:
        raise BenchError("the load generator does not build; see above")


def load(arguments, core):
    """Runs ottla-load on one core and returns what it measured."""
    command = [str(LOAD), "--core", str(core), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise BenchError(f"{' '.join(command)}\n{result.stderr.strip()}")
    return json.loads(result.stdout)


class Broker:
    """One broker process. `prepare` makes its data directory, `launch` starts the process on it;
    `start` is both and waits until it answers."""

    name = ""

    def __init__(self, directory, port):
        self.directory = Path(directory)
        self.port = port
        self.pid = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def prepare(self):
        raise NotImplementedError

    def launch(self):
        """Starts the process; returns the monotonic time just before, and does not wait."""
        raise NotImplementedError

    def start(self):
        self.prepare()
        self.launch()
        self.await_answer()

    def await_answer(self):
        load(["first-metadata", "--broker", self.address, "--timeout-s", START_TIMEOUT_S], os_last_core())

    def pin(self, core):
        """Confines every thread of the process, and those that they start, to one core. After the
        start, so that a runtime sizes itself for the whole machine."""
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                os.sched_setaffinity(int(task), {core})
            except ProcessLookupError:
                pass

    def resident_mib(self):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise BenchError(f"{self.name} has ended; see {self.directory}")

    def kill(self):
        """kill -9, and waits for the end."""
        self._end(signal.SIGKILL)

    def stop(self):
        """Stops it in order and removes its data."""
        if self.pid is not None:
            self._end(signal.SIGTERM)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _end(self, signal_number):
        os.kill(self.pid, signal_number)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while alive(self.pid):
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
            self._reap()
            time.sleep(0.02)
        self.pid = None

    def _reap(self):
        """Collects the exit code where the process is a child of this one."""


def os_last_core():
    """The core of the load generator."""
    return max(os.sched_getaffinity(0)) if len(os.sched_getaffinity(0)) > 1 else (os.cpu_count() or 1) - 1


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


class Reference(Broker):
    """The reference broker, put together from its published artifacts by the tools in `tools`."""

    name = "reference"
    tools = ROOT / "tests/reference"

    @classmethod
    def install(cls):
        if not (cls.tools / "server").exists():
            raise BenchError(f"no reference broker tools in {cls.tools}; name them with --reference-tools")
        if subprocess.run([cls.tools / "install"]).returncode != 0:
            raise BenchError("the reference broker cannot be installed; see above")

    def prepare(self):
        # The tools format and start in one step; a broker that was started once is a formatted one.
        self._server("start", "--base-port", self.port)
        self._read_pid()
        self._end(signal.SIGTERM)
        (self.directory / "1/pid").unlink(missing_ok=True)

    def start(self):
        self._server("start", "--base-port", self.port)
        self._read_pid()

    def launch(self):
        before = time.monotonic()
        log = open(self.directory / "bench.log", "ab")
        # `up` also waits for the broker; the caller does that itself and closer.
        self.waiter = subprocess.Popen([self.tools / "server", "up", "1", "--dir", self.directory],
                                       stdout=log, stderr=log)
        return before

    def await_answer(self):
        super().await_answer()
        self.waiter.wait(START_TIMEOUT_S)
        self._read_pid()

    def _read_pid(self):
        self.pid = int((self.directory / "1/pid").read_text())

    def _server(self, *arguments):
        command = [str(self.tools / "server"), *map(str, arguments), "--dir", str(self.directory)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            raise BenchError(f"{' '.join(command)}\n{result.stderr.strip()}")

    def kill(self):
        super().kill()
        (self.directory / "1/pid").unlink(missing_ok=True)


class Ottla(Broker):
    """This project's broker, the release build."""

    name = "ottla"
    binary = ROOT / "target/release/ottla"

    @classmethod
    def install(cls):
        command = ["cargo", "build", "--quiet", "--release", "--package", "ottla"]
        if subprocess.run(command, cwd=ROOT).returncode != 0:
            raise BenchError("ottla does not build; see above")

    def prepare(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        self.launch()
        self.await_answer()
        self._end(signal.SIGTERM)

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        self.launch()
        self.await_answer()

    def launch(self):
        log = open(self.directory / "bench.log", "ab")
        before = time.monotonic()
        self.process = subprocess.Popen(
            [self.binary, "start", "--set", f"listeners=PLAINTEXT://{self.address}",
             "--set", f"log.dirs={self.directory}/log"],
            stdout=log, stderr=log, cwd=self.directory, start_new_session=True)
        self.pid = self.process.pid
        return before

    def _reap(self):
        self.process.poll()


BROKERS = {broker.name: broker for broker in (Reference, Ottla)}
