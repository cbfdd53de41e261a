"""The whole bench: preparation, rounds, checks, report."""

import datetime
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import clusterfile
import machine
import options
import report
from clusterfile import Refused
from content import Wrong, remove, tool
from measure import Bench
from prepare import Preparation
from scenarios import Place, Scenarios

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent.parent / "docs" / "benchmarks.md"


def say(words):
    """Progress for people."""
    print(f"bench: {datetime.datetime.now():%H:%M:%S} {words}", file=sys.stderr, flush=True)


def leave(number, _frame):
    """A signal unwinds the stack, and with it every mount and directory."""
    raise SystemExit(128 + number)


def sweep(work):
    """Unmounts what is still mounted below the work directory, and removes it."""
    mounts = [
        line.split()[4].replace("\\040", " ")
        for line in Path("/proc/self/mountinfo").read_text().splitlines()
    ]
    for point in sorted((m for m in mounts if m.startswith(f"{work}/")), key=len, reverse=True):
        subprocess.run(["umount", "--lazy", point], check=False)
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            ours = backing.read_text().startswith(f"{work}/")
        except OSError:
            continue  # somebody else's, gone meanwhile
        if ours:
            device = backing.parent.parent.name
            subprocess.run(["losetup", "-d", f"/dev/{device}"], check=False)
    remove(work)


def default_cluster(options_, work):
    """The project's own inputs, made if they are not there, in a cluster of their own."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    inputs = cache / "pidoop" / "inputs"
    arch = options_.arch or next(
        (arch for arch in ("amd64", "arm64") if (inputs / f"debian-13-{arch}.img.xz").is_file()),
        "arm64" if platform.machine() == "aarch64" else "amd64",
    )
    done = subprocess.run(
        [HERE / "inputs", options_.size, arch, inputs], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(work)}, check=False,
    )
    if done.returncode:
        raise Wrong("the inputs could not be made; docs/inputs.md says what they need")
    tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", work / "id")
    return clusterfile.generated(*done.stdout.split("\n")[:3], work / "id.pub"), work


def xfs(work, bytes_):
    """A filesystem with reflinks in a file, mounted."""
    image, point = work / "xfs.img", work / "xfs"
    with open(image, "wb") as file:
        file.truncate(bytes_)
    point.mkdir()
    tool("mkfs.xfs", "-q", "-m", "reflink=1", image)
    tool("mount", "-t", "xfs", "-o", "loop", image, point)
    return point


def places(options_, work, prepared, skipped):
    """Where is measured: a directory on this disk, and XFS in a file."""
    found = []
    if "dir" in options_.fs:
        folder = work / "dir"
        folder.mkdir()
        kind = tool("stat", "-f", "-c", "%T", folder).decode().strip().replace("ext2/ext3", "ext4")
        found.append(Place(kind, folder, None))
    if "xfs" in options_.fs:
        if not prepared.root:
            skipped.append("XFS with reflink: it needs root to mount a filesystem in a file")
        elif not shutil.which("mkfs.xfs"):
            skipped.append("XFS with reflink: mkfs.xfs is not installed (Debian: xfsprogs)")
        else:
            point = xfs(work, max(int(prepared.needed * 1.5), 4 << 30))
            found.append(Place("xfs", point, point))
    return found


def measure(options_, work):
    """Everything between the command line and the report."""
    skipped, failed = [], []
    if options_.file:
        cluster, home = clusterfile.load(options_.file)
    else:
        cluster, home = default_cluster(options_, work)
    bench = Bench(cold=os.geteuid() == 0 and not options_.quick, log=work / "log")
    about = machine.describe(options_.pidoop)
    prepared = Preparation(options_, work, cluster, home, skipped, say)
    found = places(options_, work, prepared, skipped)
    if not bench.cold:
        skipped.append(
            "a cold page cache: only root can drop it" if os.geteuid() else
            "a cold page cache: --quick leaves it as it is"
        )
    for place in found:
        place.receive(prepared)
    runs = [Scenarios(options_, place, prepared, bench, skipped, failed, say) for place in found]
    for number in range(options_.rounds + 1):
        for each in runs:
            what = "memory, disk and every byte" if number == 0 else f"of {options_.rounds}"
            say(f"round {number} ({what}) on {each.place.kind}")
            each.round(number)
    rounds = {}
    for each in runs:
        rounds |= each.figures
    cells = report.summary(rounds)
    inputs = ", ".join(
        f"{kind} {Path(source['path']).stat().st_size / 1e6:.0f} MB packed"
        for kind, source in cluster["image"].items()
    )
    return {
        "schema": 1,
        "machine": about,
        "run": {
            "size": None if options_.file else options_.size,
            "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC",
            "rounds": options_.rounds, "nodes": options_.nodes, "caches_dropped": bench.cold,
            "inputs": inputs, "image_bytes": prepared.image_bytes,
            "image_allocated_bytes": prepared.image_allocated,
            "filesystems": [place.kind for place in found],
        },
        "skipped": list(dict.fromkeys(skipped)),
        "failed": list(dict.fromkeys(failed)),
        # Tiny, warm or once is no evidence for or against a promise.
        "bars": [] if options_.quick else
                report.bars(cells, options_.nodes, [place.kind for place in found], bench.cold),
        "cells": cells,
    }


def main():
    """Runs it; the exit status is that of pidoop's own commands."""
    options_ = options.parse(sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    work = Path(tempfile.mkdtemp(prefix="pidoop-bench.", dir=options_.work)).resolve()
    try:
        document = measure(options_, work)
    except Refused as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except (Wrong, OSError, subprocess.SubprocessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 3
    finally:
        sweep(work)
    text = report.markdown(document)
    options_.out.write_text(text)
    options_.out.with_suffix(".json").write_text(json.dumps(document, indent=2) + "\n")
    print(text)
    if options_.update_docs:
        DOCS.write_text(report.replaced(DOCS.read_text(), text, options_.size))
        say(f"wrote the tables into {DOCS.name}")
    return 1 if document["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
