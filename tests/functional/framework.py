"""framework.py - starts nodes in scratch folders, talks RPC to them, and reports on tests.

A test file ends with `framework.main(globals())`: each function named test_* gets a Context. It
fails by raising (assert, Failure), is skipped by raising Skip. Random choices come from
context.random, whose seed is printed and can be given again. Standard library only.
"""
import argparse
import base64
import glob
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(os.path.dirname(ROOT), "shared")
SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer"
                       r"|runtime error:|assertion failed")
SKIP_STATUS = 77
# How many times as much time and memory a build may take as an ordinary one (ThreadSanitizer: 4).
SLOWDOWN = float(os.environ.get("CAIRN_TESTS_SLOWDOWN", "1"))
NODES_SHOWN = 4  # of a failed test, the last ones: what they said at the end
DATA_SUBDIR = {"main": "", "test": "testnet3", "testnet4": "testnet4", "signet": "signet",
               "regtest": "regtest"}


class Failure(Exception):
    """What was seen is not what was expected."""


class Skip(Exception):
    """The test cannot run here; the message says why."""


class RpcError(Exception):
    """An error answer of the node."""

    def __init__(self, code, message, status=None):
        super().__init__(f"{message} ({code})")
        self.code, self.message, self.status = code, message, status


def equal(got, want, what="value"):
    if got != want:
        raise Failure(f"{what}: got {got!r}, want {want!r}")


def rpc_fails(code, pattern, function, *args, **named):
    """The call must answer with that error code and a message that matches pattern."""
    try:
        answer = function(*args, **named)
    except RpcError as error:
        if code is not None:
            equal(error.code, code, f"error code (message {error.message!r})")
        if not re.search(pattern, error.message):
            raise Failure(f"message {error.message!r} does not match {pattern!r}") from error
        return
    raise Failure(f"no error, but {str(answer)[:200]}")


def wait_until(predicate, seconds=60, what="condition", pause=0.02):
    """Ask again and again until predicate() is true. Returns its value."""
    end = time.monotonic() + seconds * SLOWDOWN
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(pause)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Listener:
    """Takes every connection at a port of this machine, or at a path, and hands each to
    serve(stream) of a subclass in a thread of its own. What goes wrong there fails close()."""

    def __init__(self, path=None):
        self.streams, self.problems = [], []
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.socket.bind(path or ("127.0.0.1", 0))
        self.socket.listen()
        self.port = None if path else self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.socket.close()
        for stream in self.streams:
            stream.close()
        equal(self.problems, [])

    def _accept(self):
        while True:
            try:
                stream, _ = self.socket.accept()
            except OSError:
                return
            self.streams.append(stream)
            threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

    def _serve(self, stream):
        try:
            self.serve(stream)
        except OSError:
            pass
        except Exception as problem:  # pylint: disable=broad-except
            self.problems.append(repr(problem))
            stream.close()

    def serve(self, stream):
        raise NotImplementedError


class Rpc:
    """Calls methods by attribute: rpc.getblock(hash, 2), rpc.echo(arg0=1)."""

    def __init__(self, port, credentials, timeout=120):
        self.port, self.credentials, self.timeout = port, credentials, timeout
        self.connection = None

    def post(self, body, headers=None, path="/"):
        """One HTTP request. Returns (status, headers, body)."""
        if isinstance(body, str):
            body = body.encode()
        fields = {"Content-Type": "application/json"}
        if self.credentials:
            token = base64.b64encode(self.credentials.encode()).decode()
            fields["Authorization"] = "Basic " + token
        fields.update(headers or {})
        fresh = self.connection is None
        if fresh:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                         timeout=self.timeout)
        try:
            self.connection.request("POST", path, body, fields)
            answer = self.connection.getresponse()
            content = answer.read()
        except (http.client.HTTPException, OSError):
            self.close()
            if fresh:
                raise
            return self.post(body, headers, path)  # the server closed an idle connection
        if answer.will_close:
            self.close()
        return answer.status, dict(answer.getheaders()), content

    def call(self, method, *args, **named):
        request = {"jsonrpc": "1.0", "id": "f", "method": method, "params": named or list(args)}
        status, _, body = self.post(json.dumps(request))
        if status == 401:
            raise RpcError(None, "unauthorized", status)
        try:
            answer = json.loads(body)
        except ValueError as error:
            raise Failure(f"{method}: HTTP {status}, not JSON: {body[:200]!r}") from error
        if answer.get("error") is not None:
            raise RpcError(answer["error"]["code"], answer["error"]["message"], status)
        return answer["result"]

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def __getattr__(self, method):
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *args, **named: self.call(method, *args, **named)


def what_threads_do(pid):
    """Where a process that does not go on is: how loaded the machine is, and each thread's name,
    state, CPU time and the kernel function that it waits in; its stacks where gdb is installed."""
    lines = [f"load {os.getloadavg()}"]
    for task in sorted(glob.glob(f"/proc/{pid}/task/*")):
        try:
            with open(f"{task}/stat", encoding="ascii") as stat:
                name, rest = stat.read().rsplit(")", 1)
            with open(f"{task}/wchan", encoding="ascii") as file:
                wchan = file.read()
        except OSError:
            continue  # it has ended meanwhile
        fields = rest.split()
        lines.append(f"{name}) {fields[0]} user {fields[11]} system {fields[12]} ticks, {wchan}")
    if shutil.which("gdb"):
        done = subprocess.run(["timeout", "60", "gdb", "-p", str(pid), "-batch", "-ex",
                               "set print frame-arguments none", "-ex",
                               "thread apply all backtrace 16"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        lines.append(done.stdout.decode("utf-8", "replace"))
    return "\n".join(lines)


class Node:
    """One cairnd in a folder of its own."""

    def __init__(self, context, name, options=(), chain="regtest"):
        self.context, self.name, self.chain = context, name, chain
        self.options = list(options)
        self.datadir = os.path.join(context.scratch, name)
        os.makedirs(self.datadir, exist_ok=True)
        self.port = free_port()
        self.process, self.rpc = None, None
        self.output_path = os.path.join(context.scratch, name + ".out")

    @property
    def netdir(self):
        return os.path.join(self.datadir, DATA_SUBDIR[self.chain])

    def path(self, *parts):
        return os.path.join(self.netdir, *parts)

    def plain(self, name):
        """What a file of the folder of blocks holds, without the key that it is written with."""
        with open(self.path("blocks", "xor.dat"), "rb") as file:
            key = file.read()
        with open(self.path("blocks", name), "rb") as file:
            held = file.read()
        mask = int.from_bytes((key * (len(held) // len(key) + 1))[:len(held)], "big")
        return (int.from_bytes(held, "big") ^ mask).to_bytes(len(held), "big")

    def command(self, extra=()):
        options = [*self.options, *extra]
        alone = not any(option.startswith(("-connect=", "-seednode=")) for option in options)
        return [os.path.join(self.context.bin, "cairnd"), f"-datadir={self.datadir}",
                f"-chain={self.chain}", f"-rpcport={self.port}", "-listen=0",
                *(["-connect=0"] if alone else []), *options]

    def launch(self, *extra, preexec=None, env=None):
        """Start the process; do not wait."""
        assert self.process is None or self.process.poll() is not None, "already running"
        with open(self.output_path, "ab") as out:
            self.process = subprocess.Popen(self.command(extra), stdout=out, stderr=out,
                                            stdin=subprocess.DEVNULL, preexec_fn=preexec,
                                            env=dict(os.environ, **(env or {})))
        self.context.nodes.append(self)
        return self

    def start(self, *extra, seconds=60, **how):
        """Start and wait until RPC answers. Returns self."""
        self.launch(*extra, **how)
        self.wait_rpc(seconds)
        return self

    def connect_rpc(self, timeout=120):
        """An RPC client with the cookie; None if there is no cookie yet."""
        try:
            with open(self.path(".cookie"), encoding="ascii") as file:
                return Rpc(self.port, file.read(), timeout)
        except FileNotFoundError:
            return None

    def try_rpc(self):
        if self.process.poll() is not None:
            raise Failure(f"{self.name} ended with {self.process.returncode}: "
                          f"{self.output()[-800:]}")
        self.rpc = self.connect_rpc()
        if not self.rpc:
            return False
        try:
            self.rpc.uptime()
            self.rpc.getblockcount()
            return True
        except (OSError, http.client.HTTPException):
            return False
        except RpcError as error:
            if error.code == -28 or error.status == 401:  # warming up; an old cookie
                return False
            raise

    def wait_rpc(self, seconds=60):
        wait_until(self.try_rpc, seconds, f"RPC of {self.name}")

    def stop(self, seconds=60):
        """A clean stop by RPC; the exit status must be 0 and no sanitizer may have spoken."""
        self.rpc.stop()
        self.wait_exit(0, seconds)

    def wait_exit(self, status=0, seconds=60):
        try:
            got = self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"{self.name} did not end within {seconds} s:\n"
                          f"{what_threads_do(self.process.pid)}") from error
        finally:
            if self.rpc:
                self.rpc.close()
        self.check_sanitizers()
        if status is not None:
            equal(got, status, f"exit status of {self.name} ({self.output()[-500:]!r})")
        return got

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        self.process.wait(60)
        if self.rpc:
            self.rpc.close()
        self.check_sanitizers()

    def restart(self, *extra):
        self.stop()
        return self.start(*extra)

    def output(self):
        with open(self.output_path, errors="replace", encoding="utf-8") as file:
            return file.read()

    def log(self):
        """The contents of debug.log, empty if there is none."""
        try:
            with open(self.path("debug.log"), errors="replace", encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def check_sanitizers(self):
        text = self.output()
        if SANITIZER.search(text):
            at = SANITIZER.search(text).start()
            raise Failure(f"{self.name}: {text[at:at + 3000]}")

    def wait_tip(self, block_hash, seconds=120):
        def there():
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended: {self.output()[-800:]}")
            return self.rpc.getbestblockhash() == block_hash
        try:
            wait_until(there, seconds, "tip")
        except Failure as error:
            raise Failure(f"{error}; at {self.rpc.getblockcount()} "
                          f"{self.rpc.getbestblockhash()}, want {block_hash}") from error

    def refuses_to_start(self, pattern, *extra, seconds=30, **how):
        """Must end by itself, status not 0, saying why in one line that matches pattern."""
        before = len(self.output()) if os.path.exists(self.output_path) else 0
        self.launch(*extra, **how)
        status = self.wait_exit(None, seconds)
        text = self.output()[before:]
        if status <= 0:
            raise Failure(f"exit status {status}: {text[-500:]}")
        lines = [line for line in text.splitlines() if re.search(pattern, line)]
        if not lines:
            raise Failure(f"no line matches {pattern!r} in {text[-800:]!r}")
        return lines[0]

    def coins(self):
        """What the set of coins is, as a digest."""
        info = self.rpc.gettxoutsetinfo("muhash")
        return info["bestblock"], info["muhash"], info["txouts"], info["total_amount"]


class Context:
    """What a test function gets."""

    def __init__(self, args, name):
        self.build = os.path.abspath(os.path.join(ROOT, args.build))
        self.bin = os.path.join(self.build, "bin")
        self.seed, self.soak = args.seed, args.size == "soak"
        self.random = random.Random(f"{args.seed}/{name}")
        # Peers of p2p.connect() encrypt, if they do not say otherwise.
        self.v2 = args.transport == "v2" or (args.transport == "lot" and
                                             random.Random(f"{args.seed}/{name}/v2").random() < 0.5)
        self.scratch = tempfile.mkdtemp(prefix="cairn." + name + ".")
        self.nodes = []
        self.cleanups = []

    def node(self, name="node", options=(), chain="regtest"):
        return Node(self, name, options, chain)

    def started(self, *options, name="node", chain="regtest"):
        return self.node(name, options, chain).start()

    def cli(self, node, *args, stdin=None, seconds=60):
        """Run cairn-cli against a node. Returns (status, stdout, stderr)."""
        command = [os.path.join(self.bin, "cairn-cli"), f"-datadir={node.datadir}",
                   f"-chain={node.chain}", f"-rpcport={node.port}", *args]
        done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.PIPE, text=True, timeout=seconds)
        return done.returncode, done.stdout, done.stderr

    def vector(self, name):
        """The path of a vector file; Skip if there is none."""
        folder = os.environ.get("CAIRN_VECTORS", os.path.join(SHARED, "vectors"))
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            raise Skip(f"no {name} in {folder}")
        return path

    def chain_file(self, kind, blocks, inputs, pool, pick="random"):
        """A chain by chaingen, made once for each set of arguments.

        Returns (path, tip hash, height, inputs)."""
        stem = f"{kind}-{blocks}-{inputs}-{pool}-{pick}"
        folder = os.path.join(ROOT, "build", "chains")
        path, note = os.path.join(folder, stem + ".dat"), os.path.join(folder, stem + ".txt")
        if not os.path.exists(note):
            os.makedirs(folder, exist_ok=True)
            part = f"{path}.{os.getpid()}"
            text = subprocess.run(
                [self.chaingen(), f"--kind={kind}", f"--blocks={blocks}", f"--inputs={inputs}",
                 f"--pool={pool}", f"--pick={pick}", f"--out={part}"],
                check=True, stdout=subprocess.PIPE, text=True).stdout
            os.rename(part, path)
            with open(f"{note}.{os.getpid()}", "w", encoding="ascii") as file:
                file.write(text)
            os.rename(f"{note}.{os.getpid()}", note)
        with open(note, encoding="ascii") as file:
            words = file.read().split()
        facts = dict(zip(words[::2], words[1::2]))
        return path, facts["tip"], int(facts["blocks"]), int(facts["inputs"])

    @staticmethod
    def chaingen():
        """The chain generator, compiled when first needed; Skip without its source."""
        source = os.path.join(SHARED, "tools", "chaingen.c")
        if not os.path.exists(source):
            raise Skip("no ../shared/tools/chaingen.c")
        program = os.path.join(ROOT, "build", "chaingen")
        if not os.path.exists(program) or os.path.getmtime(program) < os.path.getmtime(source):
            part = f"{program}.{os.getpid()}"
            os.makedirs(os.path.dirname(program), exist_ok=True)
            subprocess.run(["cc", "-O2", "-w", "-o", part, source, "-lsecp256k1", "-lcrypto"],
                           check=True)
            os.rename(part, program)
        return program

    def close(self, keep):
        for node in self.nodes:
            if node.process.poll() is None:
                node.process.kill()
                node.process.wait()
            if node.rpc:
                node.rpc.close()
        for cleanup in reversed(self.cleanups):
            cleanup()
        if not keep:
            shutil.rmtree(self.scratch, ignore_errors=True)


def run_one(args, name, function):
    """Returns "OK", "FAILED" or "SKIPPED"."""
    context = Context(args, name)
    start, state, note = time.monotonic(), "OK", ""
    try:
        function(context)
        for node in context.nodes:
            node.check_sanitizers()
    except Skip as skip:
        state, note = "SKIPPED", f" ({skip})"
    except Exception:  # pylint: disable=broad-except
        state = "FAILED"
        for node in list(dict.fromkeys(context.nodes))[-NODES_SHOWN:]:
            print(f"--- {node.name}: exit status {node.process.poll()}, output:")
            print(node.output()[-4000:])
            print(f"--- debug.log of {node.name}:\n{node.log()[-1500:]}")
        traceback.print_exc(file=sys.stdout)  # last: who cuts the output cuts its beginning
    context.close(args.keep)
    print(f"[ {state:^8} ] {name} {time.monotonic() - start:.1f} s{note}", flush=True)
    return state


def main(names):
    parser = argparse.ArgumentParser(description=names.get("__doc__"))
    parser.add_argument("--build", default="build/dev", help="build folder whose programs to test")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1 << 31))
    parser.add_argument("--size", choices=("short", "soak"), default="short")
    parser.add_argument("--transport", choices=("v1", "v2", "lot"), default="v1",
                        help="of peers: plain, encrypted, or by lot for each function")
    parser.add_argument("--keep", action="store_true", help="keep the scratch folders")
    parser.add_argument("only", nargs="*", help="only functions whose name contains one of these")
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    os.environ.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=1")
    os.environ.setdefault("TSAN_OPTIONS", f"suppressions={ROOT}/tests/tsan.supp")
    os.environ.setdefault("TSAN_OPTIONS", f"suppressions={ROOT}/tests/tsan.supp")
    if not os.path.exists(os.path.join(ROOT, args.build, "bin", "cairnd")):
        print(f"no cairnd in {args.build}")
        sys.exit(SKIP_STATUS)
    tests = [(name, function) for name, function in names.items()
             if name.startswith("test_") and callable(function)]
    if args.only:
        tests = [t for t in tests if any(word in t[0] for word in args.only)]
    states = [run_one(args, name, function) for name, function in tests]
    sys.exit(1 if "FAILED" in states or not states
             else SKIP_STATUS if set(states) == {"SKIPPED"} else 0)
