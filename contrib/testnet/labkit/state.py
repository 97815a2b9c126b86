"""state.py - the folder that holds a laboratory, its lock, and what a laboratory that ended badly
has left: processes are known by their number and the moment at which they started."""
import errno
import fcntl
import json
import os
import re
import shutil
import signal
import tarfile
import time

from labkit.units import LabError

STOP_S = 20  # for a node to write what it has
NODE_BYTES = 18 << 20  # what a young node takes of a disk: its block files are made in advance
LEFT_S = 3  # for one that a lab has left, and that has had its SIGTERM with the lab's end
KEPT = re.compile(r"(lab\.json|n\d+(/[^/]+)*)")
NOT_KEPT = re.compile(r"n\d+/(output|regtest/(\.cookie|\.lock|debug\.log|[a-z]+\.pid))")


def write_json(path, value):
    """Replaced as a whole: who reads it sees the old or the new one."""
    part = f"{path}.{os.getpid()}.new"
    with open(part, "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(part, path)


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def started_at(pid):
    """When a process started, in the kernel's ticks; None if there is none, or a dead one."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


class Folder:
    """The state folder. It need not exist yet."""

    def __init__(self, path):
        self.path = os.path.abspath(path)
        self.lock_fd = None

    def at(self, *parts):
        return os.path.join(self.path, *parts)

    def exists(self):
        return os.path.exists(self.at("lab.json"))

    def config(self):
        try:
            return read_json(self.at("lab.json"))
        except FileNotFoundError as error:
            raise LabError(f"there is no lab in {self.path}: begin with 'lab up'") from error
        except (OSError, ValueError) as error:
            raise LabError(f"cannot read {self.at('lab.json')}: {error}") from error

    def make(self):
        """Make it, if what is there is empty or a lab's."""
        try:
            os.makedirs(self.path, exist_ok=True)
            names = set(os.listdir(self.path)) - {"lock", "lab.log"}
        except OSError as error:
            raise LabError(f"cannot make {self.path}: {error.strerror}") from error
        if names and "lab.json" not in names and "pids" not in names:
            raise LabError(f"{self.path} holds something that is no lab: "
                           "name another folder with --state")

    def lock(self):
        """Hold the folder until this process ends. Raises LabError if another does."""
        fd = os.open(self.at("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise LabError(f"{self.path} is in use: a lab is running in it "
                           "('lab down' ends it, --state names another)") from error
        self.lock_fd = fd

    def unlock(self):
        if self.lock_fd is not None:
            os.close(self.lock_fd)
        self.lock_fd = None

    def is_running(self):
        """Does a laboratory hold the lock?"""
        if not os.path.exists(self.at("lock")):
            return False
        try:
            self.lock()
        except LabError:
            return True
        except FileNotFoundError:
            return False  # removed meanwhile
        self.unlock()
        return False

    # -- Processes -------------------------------------------------------------------------

    def note_process(self, pid):
        with open(self.at("pids"), "a", encoding="ascii") as file:
            file.write(f"{pid} {started_at(pid) or 0}\n")

    def noted_processes(self):
        """Those of the list that live and are the same."""
        try:
            with open(self.at("pids"), encoding="ascii") as file:
                rows = [line.split() for line in file]
        except OSError:
            return []
        rows = [(int(row[0]), int(row[1])) for row in rows if len(row) == 2]
        return [pid for pid, start in rows if started_at(pid) == start]

    def sweep(self):
        """End what a laboratory has left that ended badly. Call with the lock. Returns how many
        processes."""
        left = self.noted_processes()
        for how, seconds in ((signal.SIGTERM, LEFT_S), (signal.SIGKILL, STOP_S)):
            self._end(how, seconds)
        for name in ("pids", "control", "link"):
            if os.path.lexists(self.at(name)):
                os.unlink(self.at(name))
        return len(left)

    def _end(self, how, seconds):
        for pid in self.noted_processes():
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                pass
        end = time.monotonic() + seconds
        while self.noted_processes() and time.monotonic() < end:
            time.sleep(0.02)

    def need_disk(self, n):
        """For so many nodes more. Raises LabError."""
        free = shutil.disk_usage(self.path).free
        if free < n * NODE_BYTES:
            raise LabError(f"disk full: {n} nodes need {n * NODE_BYTES >> 20} MB at {self.path}, "
                           f"{free >> 20} MB are free")

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)

    # -- Export and import -----------------------------------------------------------------

    def pack(self, path):
        """Write the network with its chains to a file; its nodes must be at rest."""
        part = f"{path}.{os.getpid()}.part"

        def keep(member):
            is_kept = KEPT.fullmatch(member.name) and not NOT_KEPT.fullmatch(member.name)
            return member if is_kept and (member.isfile() or member.isdir()) else None

        try:
            with tarfile.open(part, "w:gz", compresslevel=3) as archive:
                names = sorted(n for n in os.listdir(self.path) if KEPT.fullmatch(n))
                for name in names:
                    archive.add(self.at(name), name, filter=keep)
            os.replace(part, path)
        except OSError as error:
            if os.path.exists(part):
                os.unlink(part)
            raise LabError(f"cannot write {path}: {error.strerror}") from error

    def unpack(self, path):
        """Make the folder from such a file. Nothing of the file gets outside of the folder."""
        try:
            with tarfile.open(path, "r:*") as archive:
                members = archive.getmembers()
                odd = [m.name for m in members if not is_sound(m)]
                if odd or "lab.json" not in [m.name for m in members]:
                    raise LabError(f"{path} is no lab's export"
                                   + (f": it holds {odd[0]!r}" if odd else ""))
                archive.extractall(self.path, members)
        except (OSError, tarfile.TarError, EOFError) as error:
            if getattr(error, "errno", None) == errno.ENOSPC:
                raise
            raise LabError(f"cannot read {path}: {str(error).splitlines()[0]}") from error


def is_sound(member):
    parts = member.name.split("/")
    return (KEPT.fullmatch(member.name) and ".." not in parts and "" not in parts
            and (member.isfile() or member.isdir()))
