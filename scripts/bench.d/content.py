"""What an image holds, by the kernel's ext4, mtools and e2fsck; and kits, the
files that make one image from the base."""

import concurrent.futures
import contextlib
import hashlib
import os
import shutil
import stat
import struct
import subprocess
import tarfile
import time
from pathlib import Path, PurePath

# Not compared: e2fsck's directory, and what libguestfs writes of its own accord.
LEFT_OUT = ("lost+found", "var/lib/systemd/random-seed")


class Wrong(Exception):
    """A command failed, or a result is not what it has to be."""


def tool(*words, variables=None, **options):
    """Runs a program that must succeed and gives its output."""
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        env={**os.environ, "LC_ALL": "C", "MTOOLS_SKIP_CHECK": "1", **(variables or {})},
        **options,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Wrong(f"{words[0]} failed: {said[-1] if said else done.returncode}")
    return done.stdout


def partitions(image):
    """First byte of the two partitions of an MBR, and the disk id."""
    with open(image, "rb") as file:
        sector = file.read(512)
    first, second = (struct.unpack_from("<I", sector, 446 + 16 * n + 8)[0] * 512 for n in (0, 1))
    return first, second, sector[440:444]


@contextlib.contextmanager
def mounted(image, scratch):
    """The root filesystem, read-only; the loop device goes with the mount."""
    point = Path(scratch)
    point.mkdir(parents=True, exist_ok=True)
    offset = partitions(image)[1]
    tool("mount", "-t", "ext4", "-o", f"ro,noload,loop,offset={offset}", image, point)
    try:
        yield point
    finally:
        unmount(point)


def unmount(point):
    """Unmounts; a program being started elsewhere may hold a file for a moment."""
    for _ in range(50):
        if subprocess.run(["umount", point], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    tool("umount", "--lazy", point)


def remove(folder):
    """Removes a directory, never what is mounted below it."""
    tool("rm", "-rf", "--one-file-system", "--", folder)


def entry(path):
    """What counts of one inode: everything but its times and number."""
    info = os.lstat(path)
    kind = stat.S_IFMT(info.st_mode)
    what = None
    if kind == stat.S_IFREG:
        with open(path, "rb") as file:
            what = (info.st_size, hashlib.file_digest(file, "sha256").hexdigest())
    elif kind == stat.S_IFLNK:
        what = os.readlink(path)
    elif kind in (stat.S_IFCHR, stat.S_IFBLK):
        what = info.st_rdev
    xattrs = tuple(
        (name, os.getxattr(path, name, follow_symlinks=False))
        for name in sorted(os.listxattr(path, follow_symlinks=False))
        if name.startswith("security.capability")
    )
    return (kind, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, what, xattrs)


def listing(root):
    """Every path below a directory, with what counts of it."""
    paths = []
    for folder, folders, files in os.walk(root):
        paths += [os.path.join(folder, name) for name in folders + files]
    return {
        name: entry(path)
        for path in paths
        if (name := os.path.relpath(path, root)) not in LEFT_OUT
    }


def boot_tree(image, folder):
    """The firmware partition's files, copied out by mtools."""
    folder = Path(folder)
    remove(folder)
    folder.mkdir(parents=True)
    offset = partitions(image)[0]
    if tool("mdir", "-b", "-i", f"{image}@@{offset}", "::").strip():
        tool("mcopy", "-s", "-n", "-Q", "-i", f"{image}@@{offset}", "::*", folder)
    return {
        name: (what[0], what[4]) for name, what in listing(folder).items()
    }


def read(image, scratch):
    """All that a finished image holds: root, firmware partition, disk id."""
    scratch = Path(scratch)
    offset = partitions(image)[1]
    tool("e2fsck", "-fn", f"{image}?offset={offset}")
    with mounted(image, scratch / "root") as root:
        files = listing(root)
    boot = boot_tree(image, scratch / "boot")
    remove(scratch / "boot")
    return {"root": files, "boot": boot, "disk id": partitions(image)[2]}


def difference(wanted, found):
    """The first ways in which an image is not as wanted, in words."""
    words = []
    for part in ("root", "boot"):
        for path in sorted(wanted[part].keys() | found[part].keys()):
            if wanted[part].get(path) != found[part].get(path):
                words.append(
                    f"{part}:/{path} is {found[part].get(path)}, wanted {wanted[part].get(path)}"
                )
    if wanted["disk id"] != found["disk id"]:
        words.append(f"disk id is {found['disk id'].hex()}, wanted {wanted['disk id'].hex()}")
    return words


def check(images, wanted, scratch):
    """Reads images and compares them; {node: image}, {node: content}."""
    def one(node):
        found = read(images[node], Path(scratch) / node)
        remove(Path(scratch) / node)
        words = difference(wanted[node], found)
        if words:
            raise Wrong(f"{node}: {len(words)} paths differ: {'; '.join(words[:3])}")

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, images))


def archive_paths(archive):
    """Members of an archive: (name as tar matches it, path without the top folder)."""
    with tarfile.open(archive) as file:
        names = [member.name for member in file]
    return [(name, "/".join(name.removeprefix("./").split("/")[1:])) for name in names]


class Kits:
    """Makes kits: what to remove, write and leave out to make a cluster's
    images from the base image and the archives."""

    def __init__(self, base_image, archives, scratch):
        self.scratch = Path(scratch)
        self.base_image = base_image
        with mounted(base_image, self.scratch / "base") as root:
            self.base = listing(root)
        self.base_boot = boot_tree(base_image, self.scratch / "base-boot")
        self.archives = {}
        for kind, (archive, into) in archives.items():
            tree = self.scratch / kind
            tree.mkdir(parents=True)
            tool("tar", "-xf", archive, "--no-same-owner", "--strip-components=1", "-C", tree)
            into = into.strip("/")
            files = {f"{into}/{path}": what for path, what in listing(tree).items()}
            self.archives[kind] = (archive, into, files)
            remove(tree)

    def make(self, kit, images, contents):
        """Writes the kit of a cluster into a directory; {node: image}."""
        kit = Path(kit)
        (kit / "nodes").mkdir(parents=True)
        first = next(iter(contents.values()))
        start = dict(self.base)
        for kind, (archive, into, files) in self.archives.items():
            members = archive_paths(archive)
            gone = [name for name, path in members if path and f"{into}/{path}" not in first["root"]]
            (kit / f"{kind}.exclude").write_text("".join(name + "\n" for name in gone))
            start.update({path: what for path, what in files.items() if path in first["root"]})
        written, removed, boot_written, boot_removed = {}, {}, {}, {}
        for node, content in contents.items():
            written[node] = {p for p, what in content["root"].items() if start.get(p) != what}
            removed[node] = {
                p for p, what in start.items()
                if p not in content["root"] or content["root"][p][0] != what[0]
            }
            boot_written[node] = {
                p for p, what in content["boot"].items() if self.base_boot.get(p) != what
            }
            boot_removed[node] = self.base_boot.keys() - content["boot"].keys()

        def shared(sets, part):
            same = set.intersection(*map(set, sets.values()))
            alike = contents.values()
            return {p for p in same if all(c[part].get(p) == first[part].get(p) for c in alike)}

        common = shared(written, "root"), shared(removed, "root")
        common_boot = shared(boot_written, "boot"), shared(boot_removed, "boot")
        self.part(kit / "shared", next(iter(images.values())), *common, *common_boot)
        for node, image in images.items():
            self.part(
                kit / "nodes" / node, image,
                written[node] - common[0], removed[node] - common[1],
                boot_written[node] - common_boot[0], boot_removed[node] - common_boot[1],
            )
            (kit / "nodes" / node / "disk-id").write_bytes(contents[node]["disk id"])
        (kit / "boot-start").write_text(str(partitions(self.base_image)[0]))

    def change(self, kit, images, before, after):
        """Adds what turns the images of one cluster file into those of another."""
        for node, image in images.items():
            old, new = before[node], after[node]
            if old["boot"] != new["boot"] or old["disk id"] != new["disk id"]:
                raise Wrong(f"{node}: the change is more than files of the root filesystem")
            written = {p for p, what in new["root"].items() if old["root"].get(p) != what}
            removed = old["root"].keys() - new["root"].keys()
            if written or removed:
                self.part(Path(kit) / "changed" / node, image, written, removed, set(), set())

    def part(self, folder, image, written, removed, boot_written, boot_removed):
        """One directory of a kit."""
        (folder / "boot").mkdir(parents=True)

        def names(paths):
            return b"".join(os.fsencode(path) + b"\0" for path in sorted(paths))

        # Directories above come along: not every way has them from the base.
        above = {str(parent) for path in written for parent in PurePath(path).parents} - {"."}
        (folder / "remove").write_bytes(names(removed))
        (folder / "boot-remove").write_bytes(names("::" + path for path in boot_removed))
        with mounted(image, self.scratch / "image") as root:
            tool("tar", "-C", root, "--numeric-owner", "--no-recursion", "--null", "-T", "-",
                 "-cf", folder / "root.tar", input=names(written | above))
        boot_tree(image, self.scratch / "boot")
        for path in sorted(boot_written):
            source, target = self.scratch / "boot" / path, folder / "boot" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                target.mkdir(exist_ok=True)
            else:
                shutil.copy2(source, target)
