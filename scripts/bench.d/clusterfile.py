"""The clusters that are built: variants of one cluster file."""

import copy
import ipaddress
import json
import re
import tomllib
from pathlib import Path

PROPERTY = "dfs.blocksize"
NODE_PROPERTY = "dfs.datanode.handler.count"


class Refused(Exception):
    """What the user asked for cannot be measured; the words say why."""


def load(path):
    """Reads a cluster file; relative paths become absolute."""
    path = Path(path).resolve()
    try:
        cluster = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Refused(f"{path}: {error}") from error
    here = path.parent

    def absolute(text):
        return str(here / Path(text).expanduser())

    for kind in ("base", "java", "hadoop"):
        source = cluster.get("image", {}).get(kind)
        if not isinstance(source, dict) or "path" not in source:
            raise Refused(
                f"{path}: image.{kind} must be a file, {{ path = \"…\" }}: the other"
                " ways of making images read the same files"
            )
        source["path"] = absolute(source["path"])
    access = cluster.get("access", {})
    access["authorized_keys"] = [
        key if re.match(r"(ssh|ecdsa|sk)-\S+ ", key) else absolute(key)
        for key in access.get("authorized_keys", [])
    ]
    wifi = cluster.get("network", {}).get("wifi")
    if wifi and "passphrase_file" in wifi:
        wifi["passphrase_file"] = absolute(wifi["passphrase_file"])
    return cluster, here


def generated(base, java, hadoop, public_key):
    """The cluster that is measured when the user gives none."""
    return {
        "schema": 1,
        "cluster": {"name": "bench"},
        "image": {
            "base": {"path": str(base)},
            "java": {"path": str(java)},
            "hadoop": {"path": str(hadoop)},
        },
        "access": {"user": "pi", "authorized_keys": [str(public_key)]},
        "network": {"subnet": "192.168.1.0/24", "gateway": "192.168.1.1", "dns": ["192.168.1.1"]},
        "node": [
            {"name": "master", "role": "master", "board": "pi4-4gb", "address": "192.168.1.10"},
            {"name": "worker1", "role": "worker", "board": "pi4-4gb", "address": "192.168.1.11"},
        ],
    }


def sized(cluster, count):
    """The cluster with that many nodes: workers are added, or the last left out."""
    cluster = copy.deepcopy(cluster)
    nodes = cluster["node"]
    masters = [node for node in nodes if node["role"] == "master"]
    workers = [node for node in nodes if node["role"] != "master"]
    if not masters or not workers:
        raise Refused("the cluster file needs a master and a worker")
    workers = workers[: max(count - 1, 1)]
    model = {
        key: value for key, value in workers[-1].items() if key not in ("mac", "hadoop")
    }
    names = {node["name"] for node in masters + workers}
    taken = {node["address"] for node in masters + workers}
    taken.add(cluster["network"].get("gateway"))
    taken.update(cluster["network"].get("dns", []))
    free = (
        str(address)
        for address in list(ipaddress.ip_network(cluster["network"]["subnet"]).hosts())[9:]
        if str(address) not in taken
    )
    number = 1
    while len(workers) + 1 < count:
        while f"worker{number}" in names:
            number += 1
        names.add(f"worker{number}")
        try:
            address = next(free)
        except StopIteration:
            raise Refused(f"the subnet has no room for {count} nodes") from None
        workers.append({**model, "name": f"worker{number}", "address": address})
    cluster["node"] = masters + workers
    return cluster


def with_property(cluster):
    """One property of all nodes is another."""
    cluster = copy.deepcopy(cluster)
    properties = cluster.setdefault("hadoop", {}).setdefault("properties", {})
    site = properties.setdefault("hdfs-site.xml", {})
    site[PROPERTY] = other(site.get(PROPERTY), "134217728", "67108864")
    return cluster


def other(old, first, second):
    """The first of two values, unless it is there already."""
    return second if str(old) == str(first) else first


def with_node_property(cluster, name):
    """One property of one node is another."""
    cluster = copy.deepcopy(cluster)
    node = next(node for node in cluster["node"] if node["name"] == name)
    properties = node.setdefault("hadoop", {}).setdefault("properties", {})
    site = properties.setdefault("hdfs-site.xml", {})
    site[NODE_PROPERTY] = other(site.get(NODE_PROPERTY), 11, 12)
    return cluster


def written(table, prefix=""):
    """A cluster as TOML text."""
    lines, tables = [], []
    for key, value in table.items():
        word = key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)
        name = f"{prefix}{word}"
        if isinstance(value, dict) and not prefix.startswith("image."):
            if prefix == "image.":
                lines.append(f"{word} = {inline(value)}")
            else:
                tables.append(f"\n[{name}]\n{written(value, name + '.')}")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            tables += [f"\n[[{name}]]\n{written(item, name + '.')}" for item in value]
        else:
            lines.append(f"{word} = {inline(value)}")
    return "".join(line + "\n" for line in lines) + "".join(tables)


def inline(value):
    """A value on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {inline(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    # Strings, numbers and booleans are written as in JSON.
    return json.dumps(value, ensure_ascii=False)
