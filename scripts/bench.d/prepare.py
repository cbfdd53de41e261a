"""Everything that is made before the clock starts: reference images, what is in
them, and from that the kits the root scripts write."""

import concurrent.futures
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import clusterfile
from content import Kits, Wrong, mounted, partitions, read, remove, tool
from measure import allocated


class Preparation:
    """Cluster files, kits and wanted contents of every size and variant."""

    def __init__(self, options, work, cluster, home, skipped, say):
        self.options, self.work, self.say = options, work, say
        self.pidoop = str(options.pidoop.resolve())
        self.cluster, self.home = cluster, home
        self.cluster_name = cluster["cluster"]["name"]
        self.folder = work / "prepared"
        self.folder.mkdir()
        self.archives = {kind: cluster["image"][kind]["path"] for kind in ("java", "hadoop")}
        self.base = cluster["image"]["base"]["path"]
        self.wanted, self.kits, self.texts, self.names = {}, {}, {}, {}
        raw = self.raw_base()
        # An image is more than the base; how much more is known when one is there.
        self.room(raw.stat().st_blocks * 512)
        self.root = self.can_mount(raw, skipped)
        self.maker = None
        self.clusters()
        raw.unlink()
        remove(self.folder / "cache")
        self.libguestfs = {}
        self.virt = self.root and self.can_virt(skipped)

    def raw_base(self):
        """The base image, decompressed."""
        raw = self.folder / "base.img"
        reader = {".xz": ["xz", "-T0"], ".zst": ["zstd", "-q"], ".gz": ["gzip"]}
        words = reader.get(Path(self.base).suffix)
        with open(raw, "wb") as file:
            subprocess.run(
                [*words, "-dc", self.base] if words else ["cat", self.base], stdout=file, check=True
            )
        return raw

    def can_mount(self, raw, skipped):
        """Whether the root scripts can run here; else it is said."""
        if os.geteuid():
            skipped.append("naive, copy-once, in-place: root scripts, and this is not root")
            return False
        try:
            with mounted(raw, self.folder / "trial"):
                return True
        except Wrong as error:
            skipped.append(f"naive, copy-once, in-place: no loop mounts here ({error})")
            return False

    def can_virt(self, skipped):
        """Whether libguestfs can run here, if need be by emulation; else it is said."""
        if self.options.quick:
            skipped.append("virt-customize: --quick leaves it out, as it can take minutes")
            return False
        if not (shutil.which("virt-customize") and shutil.which("guestfish")):
            skipped.append("virt-customize: it is not installed (scripts/setup virt-customize)")
            return False
        if not self.options.virt:
            return False
        # The appliance is made here and now, not within the time.
        direct = {"LIBGUESTFS_BACKEND": "direct", "LIBGUESTFS_CACHEDIR": str(self.folder)}
        slow = {**direct, "LIBGUESTFS_BACKEND_SETTINGS": "force_tcg"}
        # Where it can use KVM it hangs or stops if KVM does not work.
        for variables, limit in ((direct, 120), (slow, 600)):
            try:
                tool("guestfish", "--ro", "-a", "/dev/null", "run", variables=variables, timeout=limit)
            except (Wrong, subprocess.TimeoutExpired) as error:
                why = error
                continue
            if variables is slow:
                skipped.append("virt-customize with KVM, which does not work here: it emulates")
            self.libguestfs = variables
            return True
        skipped.append(f"virt-customize: its appliance does not start ({why})")
        return False

    def clusters(self):
        """Builds every variant once, and keeps what has to come out."""
        small = self.options.nodes[0]
        for count in self.options.nodes:
            self.say(f"preparing {count} nodes")
            folder = self.cluster_folder(count)
            first = clusterfile.sized(self.cluster, count)
            variants = {"first": first}
            if count == small and self.options.kept:
                one = first["node"][-1]["name"]
                variants["all"] = clusterfile.with_property(first)
                variants["one"] = clusterfile.with_node_property(variants["all"], one)
            self.names[count] = [node["name"] for node in first["node"]]
            for variant, cluster in variants.items():
                key = (count, variant)
                self.texts[key] = clusterfile.written(cluster)
                (folder / "cluster.toml").write_text(self.texts[key])
                self.variant(key, folder)

    def cluster_folder(self, count):
        """A directory for cluster files of one size."""
        folder = self.folder / f"cluster-{count}"
        folder.mkdir()
        for name in ("recipes", "overlays"):
            if (self.home / name).is_dir():
                (folder / name).symlink_to(self.home / name)
        return folder

    def variant(self, key, folder):
        """One build for reference, its contents and its kit."""
        count, variant = key
        out, kit = self.folder / "out", self.folder / "kits" / f"{count}-{variant}"
        command = [self.pidoop, "build", "-f", folder / "cluster.toml", "-o", out,
                   "--cache-dir", self.folder / "cache", "--quiet"]
        tool(*command)
        if not self.wanted:
            self.facts(out, folder)
        if self.root:
            scratch = self.folder / "scratch"
            images = self.images(out, count)
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                found = pool.map(lambda node: read(images[node], scratch / node), images)
                contents = dict(zip(images, found))
            if self.maker is None:
                places = self.places(folder)
                self.maker = Kits(
                    self.folder / "base.img",
                    {kind: (self.archives[kind], places[kind]) for kind in places}, scratch,
                )
                self.into = places
            self.maker.make(kit, images, contents)
            before = {"all": "first", "one": "all"}.get(variant)
            if before:
                self.maker.change(kit, images, self.wanted[count, before], contents)
        else:
            contents = {node: digest(image) for node, image in self.images(out, count).items()}
        self.wanted[key], self.kits[key] = contents, kit
        remove(out)

    def facts(self, out, folder):
        """Sizes, from the first image that was built; one is kept for copies."""
        image = next(iter(self.images(out, self.options.nodes[0]).values()))
        info = image.stat()
        self.image_bytes, self.image_allocated = info.st_size, info.st_blocks * 512
        self.root_start = partitions(image)[1]
        self.sample = self.folder / "sample.img"
        tool("cp", "--reflink=auto", "--sparse=always", image, self.sample)
        self.room(self.image_allocated)
        self.say(f"an image takes {self.image_allocated / 2**30:.1f} GiB, all of it at most"
                 f" {self.needed / 2**30:.0f} GiB of disk")

    def room(self, image):
        """Refuses what the disk has no room for, images being that large."""
        small, most = self.options.nodes[0], self.options.nodes[-1]
        # A way makes its images and has two more to work with; what later scenarios
        # change stays beside the others; a finished image, the base and kits are kept.
        kept = len(self.options.kept) * (small + 2)
        count = 3 + max(most + 2, kept + small + 2)
        # Filesystems are measured in turn, but each has the finished image.
        count += len(self.options.fs) - 1
        self.needed = image * count
        free = shutil.disk_usage(self.work).free + allocated(self.work)
        if free < self.needed:
            raise Wrong(
                f"{most} nodes need {self.needed / 2**30:.0f} GiB of disk, and {free / 2**30:.0f} GiB"
                f" are free; use --nodes with fewer, --only, or --work on another disk"
            )

    def places(self, folder):
        """Where java and hadoop go, from the plan."""
        plan = json.loads(tool(self.pidoop, "plan", "-f", folder / "cluster.toml", "--json",
                               "--cache-dir", self.folder / "cache", "--offline"))
        return {each["kind"]: each["into"] for each in plan["components"]}

    def images(self, out, count, nodes=None):
        """{node: image} below a directory."""
        return {
            node: Path(out) / f"{self.cluster_name}-{node}.img"
            for node in (nodes or self.names[count])
        }


def digest(image):
    """For whom cannot mount: every byte of the image."""
    with open(image, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
