"""Writes a Java trust store (JKS, password "changeit") from PEM certificates.

Usage: jks.py OUT CERTIFICATE...

The Java tools would take half a second for each certificate and stamp the
current time on it; the format is simple and the result is the same every time.
"""

import hashlib
import pathlib
import ssl
import struct
import sys

PASSWORD = "changeit"
SALT = b"Mighty Aphrodite"  # part of the format
DATE = 1767225600000  # of each entry, in milliseconds


def utf(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def main() -> None:
    out, *names = sys.argv[1:]
    entries = {}
    for name in names:
        path = pathlib.Path(name)
        der = ssl.PEM_cert_to_DER_cert(path.read_text())
        entries[path.stem.lower().replace(" ", "_")] = der
    store = struct.pack(">III", 0xFEEDFEED, 2, len(entries))
    for alias, der in sorted(entries.items()):
        store += struct.pack(">I", 2) + utf(alias) + struct.pack(">q", DATE)
        store += utf("X.509") + struct.pack(">I", len(der)) + der
    digest = hashlib.sha1(PASSWORD.encode("utf-16-be") + SALT + store).digest()
    pathlib.Path(out).write_bytes(store + digest)


main()
