"""The machine, in words that let others compare theirs."""

import os
import platform
import re
import subprocess
from pathlib import Path


def first_line(*words):
    """What a program says of itself, or nothing."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return None
    said = (done.stdout + done.stderr).strip()
    return said.splitlines()[0] if said else None


def version(*words):
    """The first thing in it that looks like a version."""
    found = re.search(r"\d+\.[\w.+-]*\w", first_line(*words) or "")
    return found.group() if found else "none"


def describe(pidoop):
    """Everything but the name and the paths of this machine."""
    text = Path("/proc/cpuinfo").read_text()
    cpu = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", text, re.M)
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    virtual = first_line("systemd-detect-virt", "--vm")
    return {
        "cpu": cpu.group(1).strip() if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": int(memory.group(1)) // 1024,
        "virtual": virtual if virtual not in (None, "none") else None,
        "kernel": platform.release(),
        "load_at_start": os.getloadavg()[0],
        "nice": os.nice(0),
        "tools": {
            "pidoop": first_line(pidoop, "--version"),
            "e2fsprogs": version("mke2fs", "-V"),
            "coreutils": version("cp", "--version"),
            "tar": version("tar", "--version"),
            "gzip": version("gzip", "--version"),
            "xz": version("xz", "--version"),
            "mtools": version("mtools", "--version"),
            "xfsprogs": version("mkfs.xfs", "-V"),
            "virt-customize": version("virt-customize", "--version"),
        },
    }
