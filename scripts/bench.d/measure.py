"""One command measured: time with a final sync, memory, temporary disk."""

import ctypes
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

from content import Wrong

LIBC = ctypes.CDLL(None, use_errno=True)
SAMPLE_SECONDS = 0.02
DISK_SAMPLE_SECONDS = 0.1


def sync_filesystem(folder):
    """syncfs(2): everything written to this filesystem is on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        if LIBC.syncfs(handle):
            raise OSError(ctypes.get_errno(), "syncfs", str(folder))
    finally:
        os.close(handle)


def drop_caches():
    """Nothing of any file is in memory afterwards. Needs root."""
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3\n")


class Memory:
    """Peak memory of a process and all it starts.

    With a memory cgroup (as root) that is what the kernel counts, the page
    cache told apart; else the sum over the processes, sampled."""

    def __init__(self):
        self.group = None
        self.own = 0
        self.total = None
        for base, stat, peak, key in (
            ("/sys/fs/cgroup", "memory.stat", "memory.peak", "anon"),
            ("/sys/fs/cgroup/memory", "memory.stat", "memory.max_usage_in_bytes", "total_rss"),
        ):
            group = Path(base) / f"pidoop-bench-{os.getpid()}"
            try:
                group.mkdir()
            except OSError:
                continue
            if (group / stat).exists() and (group / peak).exists():
                self.group, self.stat, self.peak, self.key = group, group / stat, group / peak, key
                return
            group.rmdir()

    def wrap(self, words):
        """The command that runs the words inside the group."""
        if self.group is None:
            return words
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(self.group / "cgroup.procs"), *words]

    def sample(self, process):
        """Looks once."""
        if self.group is not None:
            for line in self.stat.read_text().splitlines():
                if line.startswith(self.key + " "):
                    self.own = max(self.own, int(line.split()[1]))
            return
        self.own = max(self.own, sum(anonymous(pid) for pid in family(process)))

    def finish(self):
        """Takes the last figures and removes the group."""
        if self.group is None:
            return
        self.total = int(self.peak.read_text())
        for _ in range(50):
            try:
                self.group.rmdir()
                return
            except OSError:
                time.sleep(0.1)


def family(root):
    """A process and its descendants."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children.get(pid, [])
    return found


def anonymous(pid):
    """Bytes that belong to one process and to no file."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


class Disk:
    """High water of what lies in some directories more than at first. On a filesystem that is ours
    alone its own count is taken, because shared blocks are there only once."""

    def __init__(self, folders, filesystem):
        self.folders, self.filesystem = folders, filesystem
        self.high = 0
        self.start = self.used()

    def used(self):
        """Bytes in use now."""
        if self.filesystem:
            info = os.statvfs(self.filesystem)
            return (info.f_blocks - info.f_bfree) * info.f_frsize
        return sum(allocated(folder) for folder in self.folders)

    def sample(self):
        """Looks once."""
        self.high = max(self.high, self.used() - self.start)


def allocated(folder):
    """Bytes of the disk's blocks below a directory."""
    total = 0
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return 0
    for entry in entries:
        try:
            total += entry.stat(follow_symlinks=False).st_blocks * 512
            if entry.is_dir(follow_symlinks=False) and not os.path.ismount(entry.path):
                total += allocated(entry.path)
        except OSError:
            continue
    return total


class Bench:
    """How commands are run and timed."""

    def __init__(self, cold, log):
        self.cold, self.log = cold, log
        self.child = None

    def run(self, words, env, target, cold=True, folders=None, filesystem=None, warm=()):
        """Runs a command and gives its figures; with folders, memory and disk
        too, whose sampling costs time, so that those rounds do not count.
        Files that are to be warm are read before."""
        sync_filesystem(target)
        if self.cold and cold:
            drop_caches()
        for file in warm:
            subprocess.run(["dd", f"if={file}", "of=/dev/null", "bs=1M", "status=none"], check=True)
        memory = Memory() if folders else None
        disk = Disk(folders, filesystem) if folders else None
        command = memory.wrap(words) if memory else words
        with open(self.log, "wb") as log:
            start = time.perf_counter()
            self.child = subprocess.Popen(
                command, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )
            try:
                watcher = self.watch(memory, disk) if folders else None
                status = self.child.wait()
                sync_filesystem(target)
                seconds = time.perf_counter() - start
            finally:
                self.stop()
                if folders:
                    self.ended = True
                    watcher.join()
                    memory.finish()
                self.child = None
        if status:
            lines = Path(self.log).read_text(errors="replace").strip().splitlines()
            raise Wrong(f"exit status {status}: {' / '.join(lines[-3:])}")
        figures = {"seconds": seconds}
        if folders:
            figures |= {"memory": memory.own, "memory_with_cache": memory.total, "disk": disk.high}
        return figures

    def watch(self, memory, disk):
        """Samples until the command has ended."""
        self.ended = False
        pid = self.child.pid

        def loop():
            looked = 0
            while not self.ended:
                memory.sample(pid)
                if time.perf_counter() - looked > DISK_SAMPLE_SECONDS:
                    disk.sample()
                    looked = time.perf_counter()
                time.sleep(SAMPLE_SECONDS)

        thread = threading.Thread(target=loop)
        thread.start()
        return thread

    def stop(self):
        """Ends what still runs: kindly, then not."""
        if self.child is None or self.child.poll() is not None:
            return
        for number, wait in ((signal.SIGTERM, 20), (signal.SIGKILL, 5)):
            try:
                os.killpg(self.child.pid, number)
                self.child.wait(wait)
                return
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue
