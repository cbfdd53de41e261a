#!/usr/bin/env python3
"""Plays QEMU for tests: a router with pages behind its ports, and machines
whose lines are in play.json beside it."""
import json
import os
import re
import socket
import sys
import threading
import time

args = sys.argv[1:]
here = os.path.dirname(os.path.abspath(sys.argv[0]))
if args == ["--version"]:
    print("QEMU emulator version 7.2.22")
    sys.exit()
with open(here + "/play.json") as file:
    play = json.load(file)
with open(here + "/calls", "a") as file:
    file.write(json.dumps(args) + "\n")


def values(option):
    return [args[i + 1] for i, arg in enumerate(args) if arg == option]


def page(port):
    if port == 9870:
        bean = {"NumLiveDataNodes": play["datanodes"], "FSState": "Operational"}
        return json.dumps({"beans": [bean]})
    if port == 8088:
        return json.dumps({"clusterMetrics": {"activeNodes": play["nodemanagers"]}})
    return "a page"


def serve(listener, port):
    while True:
        stream, _ = listener.accept()
        stream.recv(65536)
        body = page(port)
        head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        stream.sendall((head + body).encode())
        stream.close()


def plug_in(path):
    cable = socket.socket(socket.AF_UNIX)
    cable.connect(path)
    return cable


netdevs = " ".join(values("-netdev"))
cable = re.search(r"addr\.path=(\S+)", netdevs).group(1)
if "none" in values("-machine"):
    for here_port, port in re.findall(r"hostfwd=tcp:127\.0\.0\.1:(\d+)-[\d.]+:(\d+)", netdevs):
        listener = socket.create_server(("127.0.0.1", int(here_port)))
        threading.Thread(target=serve, args=(listener, int(port)), daemon=True).start()
    stream = plug_in(cable)
    while stream.recv(65536):
        pass
    sys.exit()

node = os.path.basename(cable).removesuffix(".lan")
files = {}
for chardev in values("-chardev"):
    found = re.fullmatch(r"file,id=(\w+),path=(.*?)(,append=on)?", chardev)
    files[found.group(1)] = open(found.group(2), "a", buffering=1)
stream = plug_in(cable)

# Each start of a node is one act; the last is played again and again.
acts = play["nodes"].get(node, play["nodes"]["others"])
counter = f"{here}/starts-{node}"
start = len(open(counter).read()) if os.path.exists(counter) else 0
with open(counter, "a") as file:
    file.write(".")
for line in acts[min(start, len(acts) - 1)]:
    if "report" in line:
        report = {"node": node, **line["report"]}
        files["report"].write("pidoop-report: " + json.dumps(report) + "\n")
    if "console" in line:
        files["console"].write(line["console"] + "\r\n")
    if "says" in line:
        print(line["says"], file=sys.stderr, flush=True)
    if "exit" in line:
        sys.exit(line["exit"])
while True:
    time.sleep(1)
