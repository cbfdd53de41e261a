#!/usr/bin/env python3
"""Files that make a small input as large as a real one.

    filler.py base ROOT [SCALE]    below ROOT, the tree of a base image
    filler.py hadoop TREE [SCALE]  below TREE, an unpacked Hadoop

What is in them are pieces of what is there, so they compress as it does; never
the same piece in the same place twice. The same tree gets the same files. SCALE
is a part of their number, for tests: 1 is all."""

import random
import re
import sys
import zipfile
from pathlib import Path

# How large the files of a system's root are: (of a thousand, bytes at least, less than).
SIZES = (
    (215, 60, 1_000), (325, 1_000, 4_000), (250, 4_000, 12_000), (142, 12_000, 40_000),
    (55, 40_000, 150_000), (11, 150_000, 900_000), (2, 900_000, 5_000_000),
)
BASE_FILES = 60_000
PER_FOLDER = 9


def size(chance):
    """Bytes of one file."""
    at = chance.randrange(sum(share for share, _, _ in SIZES))
    for share, low, high in SIZES:
        if at < share:
            return chance.randrange(low, high)
        at -= share
    raise AssertionError("the shares of SIZES cover every chance")


def pieces(pool, length, chance, low, high):
    """Pieces of a pool, behind some bytes that are nowhere else."""
    found, total = [], 0
    while total < length:
        count = min(chance.randrange(low, high), len(pool))
        at = chance.randrange(len(pool) - count + 1)
        found.append(chance.randbytes(6))
        found.append(pool[at:at + count])
        total += count + 6
    return b"".join(found)[:length]


def text(lines, words, length, chance):
    """Lines of a pool, some as they are, most with other words in them."""
    found, total = [], 0
    while total < length:
        at = chance.randrange(len(lines))
        for line in lines[at:at + chance.randrange(2, 12)]:
            parts = line.split(b" ")
            for number in range(chance.randrange(len(parts) + 1) // 4):
                parts[number] = words[chance.randrange(len(words))]
            line = b" ".join(parts) + b"\n"
            found.append(line)
            total += len(line)
    return b"".join(found)[:length]


def write(path, content, mode=0o644):
    """One file, its folders with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def files(folder):
    """Regular files below a folder, always in the same order."""
    found = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix().encode())


def pools(root):
    """What programs hold, and lines and words of texts."""
    programs, texts = [], []
    for path in files(root):
        content = path.read_bytes()
        if content.startswith(b"\x7fELF"):
            programs.append(content)
        elif b"\0" not in content[:4096]:
            texts.append(content[:200_000])
    lines = [line for line in b"\n".join(texts).split(b"\n") if 0 < len(line) < 400]
    words = sorted(set(re.findall(rb"[A-Za-z_]{3,14}", b"\n".join(lines))))
    if not programs or not words:
        sys.exit(f"filler: {root}: no programs or no texts to take pieces of")
    return b"".join(programs), lines, words


def base(root, scale):
    """Programs, texts and packed files, as a system has them, beside those there."""
    programs, lines, words = pools(root)
    placed = dict.fromkeys(("usr/lib/filler", "usr/lib/firmware/filler", "usr/share/filler"), 0)
    for number in range(round(BASE_FILES * scale)):
        chance = random.Random(f"pidoop base {number}")
        length = size(chance)
        kind = chance.random()
        if number % 20 == 0:
            # One large folder, as dpkg has one.
            write(root / f"var/lib/filler/info/{number:05}.list", text(lines, words, length, chance))
            continue
        if length > 150_000 and kind < 0.05:
            folder, content, mode = "usr/lib/firmware/filler", chance.randbytes(length), 0o644
        elif kind < (0.15 if length < 12_000 else 0.7):
            content = b"\x7fELF" + pieces(programs, length - 4, chance, 10_000, 100_000)
            folder, mode = "usr/lib/filler", 0o755
        else:
            folder, content, mode = "usr/share/filler", text(lines, words, length, chance), 0o644
        group = placed[folder] // PER_FOLDER
        placed[folder] += 1
        path = root / f"{folder}/{group // 40:03}/{group % 40:02}/{number:05}"
        write(path, content, mode)
        if number % 10 == 9:
            path.with_suffix(".link").symlink_to(path.name)


# What a release has besides: (folder, name, files, bytes at least, less than). All
# but the first is what pidoop's recipe leaves out.
JARS = (
    ("share/hadoop/hdfs/lib", "also-{}.jar", 110, 100_000, 1_200_000),
    ("share/hadoop/client", "hadoop-client-{}.jar", 3, 18_000_000, 36_000_000),
    ("share/hadoop/tools/lib", "connector-{}.jar", 130, 100_000, 1_900_000),
    ("share/hadoop/yarn/timelineservice/lib", "store-{}.jar", 30, 200_000, 1_600_000),
    ("share/hadoop/common/sources", "common-{}-sources.jar", 8, 500_000, 4_000_000),
    ("share/hadoop/hdfs/sources", "hdfs-{}-sources.jar", 8, 500_000, 4_000_000),
    ("share/hadoop/yarn/sources", "yarn-{}-sources.jar", 14, 100_000, 2_000_000),
    ("share/hadoop/common", "hadoop-{}-tests.jar", 2, 2_000_000, 5_000_000),
    ("share/hadoop/hdfs", "hadoop-{}-tests.jar", 4, 1_000_000, 6_500_000),
)
PAGES = 17_000


def page(names, number, chance):
    """A page of programmers' documentation."""
    title = names[number % len(names)]
    rows = [f"<!DOCTYPE HTML>\n<html lang=\"en\">\n<head>\n<title>{title}</title>\n</head>\n<body>\n"]
    for _ in range(chance.randrange(4, 40)):
        name, result = (names[chance.randrange(len(names))] for _ in range(2))
        short = name.rsplit("/", 1)[-1]
        rows.append(
            f"<tr class=\"altColor\" id=\"i{chance.randrange(200)}\">\n"
            f"<td class=\"colFirst\"><code>static <a href=\"../{result}.html\">{result}</a></code></td>\n"
            f"<th class=\"colSecond\" scope=\"row\"><code><a href=\"../{name}.html#{short.lower()}\">"
            f"{short}</a></code></th>\n<td class=\"colLast\">{chance.getrandbits(48):x}</td>\n</tr>\n"
        )
    return "".join([*rows, "</body>\n</html>\n"]).encode()


def hadoop(tree, scale):
    """Jars and pages of documentation."""
    jars = [path for path in files(tree) if path.suffix == ".jar"]
    names = set()
    for jar in jars:
        with zipfile.ZipFile(jar) as archive:
            names.update(
                name.removesuffix(".class") for name in archive.namelist()
                if name.startswith("org/apache/hadoop/") and name.endswith(".class") and "$" not in name
            )
    if not names:
        sys.exit(f"filler: {tree}: no jars of Hadoop below it")
    names = sorted(names)
    pool = b"".join(jar.read_bytes() for jar in jars)
    for folder, name, count, low, high in JARS:
        for number in range(max(1, round(count * scale))):
            chance = random.Random(f"pidoop hadoop {folder} {number}")
            content = pieces(pool, chance.randrange(low, high), chance, 20_000, 200_000)
            write(tree / folder / name.format(number), content)
    for number in range(round(PAGES * scale)):
        chance = random.Random(f"pidoop hadoop page {number}")
        place = tree / f"share/doc/hadoop/api/{number // 400:02}/{number % 400 // 20:02}"
        write(place / f"{number:05}.html", page(names, number, chance))


def main(words):
    """The command line."""
    kinds = {"base": base, "hadoop": hadoop}
    if len(words) not in (2, 3) or words[0] not in kinds:
        sys.exit(__doc__)
    kinds[words[0]](Path(words[1]), float(words[2]) if len(words) == 3 else 1.0)


if __name__ == "__main__":
    main(sys.argv[1:])
