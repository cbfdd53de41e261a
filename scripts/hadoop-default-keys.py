#!/usr/bin/env python3
"""Writes the keys of Hadoop's *-default.xml files as tab-separated lines.

    scripts/hadoop-default-keys.py 3.5.0 > tests/fixtures/hadoop-3.5.0-keys.tsv

Each line has the site file, the key and what its default looks like: boolean,
integer, quantity (an integer with a unit), decimal, or text. The tests hold the
keys pidoop writes against the list. The jars come from Maven Central, through
mvn as configured on the machine.
"""

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

SOURCES = {
    "core": "hadoop-common",
    "hdfs": "hadoop-hdfs",
    "yarn": "hadoop-yarn-common",
    "mapred": "hadoop-mapreduce-client-core",
}


def shape(value: str) -> str:
    if value in ("true", "false"):
        return "boolean"
    if re.fullmatch(r"[-+]?\d+", value):
        return "integer"
    if re.fullmatch(r"[-+]?\d+(k|m|g|t|p|e|ns|us|ms|s|h|d)", value, re.IGNORECASE):
        return "quantity"
    if re.fullmatch(r"[-+]?(\d+\.\d*|\.\d+)[fFdD]?", value):
        return "decimal"
    return "text"


def defaults(version: str, file: str, artifact: str, scratch: str) -> dict[str, str]:
    subprocess.run(
        [
            "mvn",
            "--quiet",
            "--batch-mode",
            "dependency:copy",
            f"-Dartifact=org.apache.hadoop:{artifact}:{version}",
            f"-DoutputDirectory={scratch}",
        ],
        check=True,
        stdout=sys.stderr,
        cwd=scratch,
    )
    with zipfile.ZipFile(Path(scratch) / f"{artifact}-{version}.jar") as jar:
        root = ET.fromstring(jar.read(f"{file}-default.xml"))
    return {
        (prop.findtext("name") or "").strip(): (prop.findtext("value") or "").strip()
        for prop in root.iter("property")
    }


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} VERSION")
    version = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch:
        lines = [
            f"{file}-site.xml\t{key}\t{shape(value)}"
            for file, artifact in SOURCES.items()
            for key, value in defaults(version, file, artifact, scratch).items()
            if key
        ]
    print("\n".join(sorted(lines)))


if __name__ == "__main__":
    main()
