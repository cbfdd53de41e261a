"""What is measured, in which order, and how each result is checked."""

from functools import partial
from pathlib import Path

from content import Wrong, check, remove, tool
from prepare import digest

HERE = Path(__file__).resolve().parent
METHODS = ("pidoop", "naive", "copy-once", "in-place", "virt-customize", "floor", "copies", "clones")


def scenarios(sizes):
    """Names of all there are."""
    return [f"cold-{count}" for count in sizes] + [
        "rebuild-all", "rebuild-one", "unchanged", "unchanged-warm", "one-node-new",
        f"copies-{sizes[0]}", "copies-1",
    ]


def asked(only, scenario, method):
    """Whether --only lets it through."""
    names = [name for name in only if name not in METHODS]
    methods = [name for name in only if name in METHODS]
    return (not names or scenario in names) and (not methods or method in methods)


# Each starts from what the one before it, or the first cold build, has left.
CHANGES = ("rebuild-all", "rebuild-one", "unchanged", "unchanged-warm", "one-node-new")


def used_later(only, method, after=None):
    """Whether a scenario behind this one, or any of them, needs what a way has left."""
    later = CHANGES[CHANGES.index(after) + 1:] if after else CHANGES
    users = (method,) if method == "pidoop" else ("copy-once", "in-place")
    return any(asked(only, each, user) for each in later for user in users)


class Place:
    """A directory on the filesystem that is measured."""

    def __init__(self, kind, folder, own_filesystem):
        self.kind, self.folder, self.own = kind, folder, own_filesystem

    def receive(self, prepared):
        """The finished image that the floor copies."""
        self.sample = self.folder / "sample.img"
        if self.own:
            tool("cp", "--sparse=always", prepared.sample, self.sample)
        else:
            self.sample.hardlink_to(prepared.sample)

    def trim(self):
        """Gives the blocks of what was removed back to the disk."""
        if self.own:
            tool("fstrim", self.own)


class Scenarios:
    """The rounds on one filesystem."""

    def __init__(self, options, place, prepared, bench, skipped, failed, say):
        self.options, self.place, self.prepared = options, place, prepared
        self.bench, self.skipped, self.failed, self.say = bench, skipped, failed, say
        self.figures = {}
        self.broken = set()
        self.nodes = options.nodes[0]

    # The order of a round: what one scenario leaves is what the next changes.

    def round(self, number):
        """All scenarios once."""
        self.number = number
        small = self.nodes
        one = self.prepared.names[small][-1:]
        self.each(f"cold-{small}", {
            "pidoop": partial(self.build, small, "first", fresh=True, keep=self.later("pidoop")),
            "naive": partial(self.script, "naive", small, "first", keep=False),
            "copy-once": partial(self.script, "copy-once", small, "first", ["cold"],
                                 keep=self.later("copy-once")),
            "virt-customize": partial(self.script, "virt-customize", small, "first", keep=False),
            "floor": partial(self.floor, small, "cold"),
        })
        for scenario, variant, nodes in (("rebuild-all", "all", None), ("rebuild-one", "one", one)):
            self.each(scenario, {
                "pidoop": partial(self.build, small, variant),
                # The one changes what the other made before, which then makes it anew.
                "in-place": partial(self.again, "in-place", small, variant, nodes),
                "copy-once": partial(self.again, "copy-once", small, variant, nodes),
            }, rotate=False)
        self.each("unchanged", {"pidoop": partial(self.build, small, "one")})
        self.each("unchanged-warm", {"pidoop": partial(self.build, small, "one", cold=False)})
        self.each("one-node-new", {
            "pidoop": partial(self.build, small, "one", nodes=one, anew=True),
            "copy-once": partial(self.again, "copy-once", small, "one", one),
        })
        self.remove("pidoop", "copy-once")
        for scenario, count in ((f"copies-{small}", small), ("copies-1", 1)):
            self.each(scenario, {
                "copies": partial(self.floor, count, "copies"),
                "clones": partial(self.floor, count, "clones"),
            })
        for count in self.options.nodes[1:]:
            self.each(f"cold-{count}", {
                "pidoop": partial(self.build, count, "first", fresh=True, keep=False),
                "copy-once": partial(self.script, "copy-once", count, "first", ["cold"], keep=False),
                "floor": partial(self.floor, count, "cold"),
            })

    def each(self, scenario, ways, rotate=True):
        """Runs the ways of one scenario, another one first in each round."""
        order = list(ways.items())
        if rotate:
            turn = self.number % len(order)
            order = order[turn:] + order[:turn]
        for method, way in order:
            if (scenario, method) in self.broken or not self.possible(scenario, method):
                continue
            try:
                figures = way()
            except Wrong as error:
                self.broken.add((scenario, method))
                self.failed.append(f"{scenario} by {method} on {self.place.kind}: {error}")
                self.say(self.failed[-1])
                continue
            if self.asked(scenario, method):
                self.say(f"  {scenario:15} {method:15} {figures['seconds']:7.2f} s")
                key = (self.place.kind, scenario, method)
                self.figures.setdefault(key, []).append(figures)

    def asked(self, scenario, method):
        """Whether --only lets it through."""
        return asked(self.options.only, scenario, method)

    def later(self, method):
        """Whether the images of the first scenario are used again."""
        return used_later(self.options.only, method)

    def possible(self, scenario, method):
        """Whether a way exists here and is wanted or needed."""
        prepared = self.prepared
        if method in ("naive", "copy-once", "in-place") and not prepared.root:
            return False
        if method == "virt-customize" and not (prepared.root and prepared.virt):
            return False
        if method == "clones" and self.place.kind not in ("xfs", "btrfs"):
            return False
        # What a later scenario changes is made in any case.
        first = scenario == f"cold-{self.nodes}"
        if method in ("pidoop", "copy-once") and (first or scenario in CHANGES):
            after = None if first else scenario
            return self.asked(scenario, method) or used_later(self.options.only, method, after)
        return self.asked(scenario, method)

    # The ways.

    def folders(self, method):
        """Images, cache and temporary files of one way."""
        top = self.place.folder / method
        folders = {name: top / name for name in ("out", "cache", "tmp")}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        return folders

    def remove(self, *methods):
        """Forgets what these ways made."""
        for method in methods:
            remove(self.place.folder / method)
        self.place.trim()

    def run(self, words, env, folders, cold=True, warm=()):
        """One measured command; the first round looks at memory and disk."""
        sampled = self.number == 0
        figures = self.bench.run(
            [str(word) for word in words],
            {**env, "TMPDIR": str(folders["tmp"])}, folders["out"], cold,
            list(folders.values()) if sampled else None, self.place.own, warm,
        )
        return {**figures, "sampled": sampled}

    def build(self, count, variant, fresh=False, cold=True, nodes=None, anew=False, keep=True):
        """pidoop, as its user calls it."""
        if fresh:
            self.remove("pidoop")
        folders = self.folders("pidoop")
        if anew:
            for image in self.prepared.images(folders["out"], count, nodes).values():
                image.unlink()
        cluster = self.prepared.folder / f"cluster-{count}" / "cluster.toml"
        cluster.write_text(self.prepared.texts[count, variant])
        words = [self.prepared.pidoop, "build", "--quiet", "-f", cluster, "-o", folders["out"],
                 "--cache-dir", folders["cache"]]
        for node in nodes or []:
            words += ["--node", node]
        return self.judged("pidoop", words, {}, folders, count, variant, cold, keep)

    def script(self, name, count, variant, words=(), nodes=None, owner=None, keep=True):
        """A root script from the beginning."""
        if owner is None:
            self.remove(name)
        folders = self.folders(owner or name)
        prepared = self.prepared
        env = self.environment(folders, nodes or prepared.names[count]) | {
            "KIT": str(prepared.kits[count, variant]),
            "JAVA_INTO": prepared.into["java"], "HADOOP_INTO": prepared.into["hadoop"],
        }
        command = [HERE / name, *words]
        return self.judged(owner or name, command, env, folders, count, variant, True, keep)

    def judged(self, owner, words, env, folders, count, variant, cold, keep):
        """Runs a command and looks at what it made, which goes if nobody needs it."""
        try:
            figures = self.run(words, env, folders, cold)
            self.judge(folders, count, variant)
        finally:
            if not keep:
                self.remove(owner)
        return figures

    def again(self, name, count, variant, nodes):
        """A root script on what copy-once has made before."""
        words = ["again"] if name == "copy-once" else []
        return self.script(name, count, variant, words, nodes, owner="copy-once")

    def floor(self, count, what):
        """Reading and writing alone; the images are copies of one."""
        self.remove("floor")
        folders = self.folders("floor")
        env = self.environment(folders, [f"copy{n}" for n in range(count)])
        # Beside the inputs only the outputs cost, not where their bytes come from.
        warm = [self.place.sample] if what == "cold" else []
        try:
            return self.run([HERE / "floor", what], env, folders, warm=warm)
        finally:
            self.remove("floor")

    def environment(self, folders, nodes):
        """What the scripts are told; see lib.sh."""
        prepared = self.prepared
        return {
            "BASE": prepared.base, "JAVA": prepared.archives["java"],
            "HADOOP": prepared.archives["hadoop"], "CLUSTER": prepared.cluster_name,
            "NODES": " ".join(nodes), "IMAGE_BYTES": str(prepared.image_bytes),
            "ROOT_START": str(prepared.root_start), "SAMPLE": str(self.place.sample),
            "OUT": str(folders["out"]), "TMP": str(folders["tmp"]), **prepared.libguestfs,
        }

    def judge(self, folders, count, variant):
        """Every image must hold what it has to, whoever made it."""
        prepared = self.prepared
        names = prepared.names[count]
        if self.number > 0 and count > self.nodes:
            names = [names[0], names[-1]]
        images = prepared.images(folders["out"], count, names)
        wanted = prepared.wanted[count, variant]
        if prepared.root:
            check(images, wanted, self.place.folder / "check")
            remove(self.place.folder / "check")
            return
        for node, image in images.items():
            tool("e2fsck", "-fn", f"{image}?offset={prepared.root_start}")
            if digest(image) != wanted[node]:
                raise Wrong(f"{node}: not the bytes of the first build")
