"""What was asked for on the command line; the help is in scripts/bench."""

import argparse
from pathlib import Path

from scenarios import METHODS, asked, scenarios, used_later

SIZES = ("small", "real")


def sizes(text):
    """Numbers of nodes, ascending."""
    numbers = sorted({int(word) for word in text.split(",")})
    if numbers[0] < 2 or numbers[-1] > 200:
        raise argparse.ArgumentTypeError("from 2 to 200 nodes")
    return numbers


def parse(words):
    """The options of a run."""
    parser = argparse.ArgumentParser(prog="bench", add_help=False, allow_abbrev=False)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--nodes", type=sizes)
    parser.add_argument("--fs", action="append", choices=("dir", "xfs"))
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--arch", choices=("amd64", "arm64"))
    parser.add_argument("--size", choices=SIZES)
    parser.add_argument("-f", "--file", type=Path)
    parser.add_argument("--pidoop", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("/var/tmp"))
    parser.add_argument("--out", type=Path, default=Path("bench.md"))
    parser.add_argument("--update-docs", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(words)
    if options.rounds is None:
        options.rounds = 0 if options.quick else 3
    if options.rounds < 0:
        parser.error("--rounds: 0 or more")
    options.nodes = options.nodes or ([2, 3] if options.quick else [3, 10, 30])
    options.fs = options.fs or (["dir"] if options.quick else ["dir", "xfs"])
    known = [*METHODS, *scenarios(options.nodes)]
    for name in options.only:
        if name not in known:
            parser.error(f"--only {name}: not one of {', '.join(known)}")
    # Which images are changed again, and so are kept meanwhile.
    options.kept = [way for way in ("pidoop", "copy-once") if used_later(options.only, way)]
    options.virt = asked(options.only, f"cold-{options.nodes[0]}", "virt-customize")
    if options.file and options.size:
        parser.error("--size: with -f the inputs are those of the cluster file")
    if options.file and options.update_docs:
        parser.error("--update-docs: the page has the project's own inputs, not those of -f")
    options.size = options.size or SIZES[0]
    if options.out.suffix != ".md":
        parser.error("--out: a name ending in .md; the JSON goes beside it")
    return options
