#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Raw requests to a web server: malformed ones, cut anywhere, pipelined, and half-open ones.

Usage: malformed.py ADDRESS COUNT SEED     each answer is well-formed, what is malformed is refused and
                                           its connection closed
       malformed.py --pipeline ADDRESS N   N requests in one go get N answers in order
       malformed.py --slow ADDRESS SECONDS a request that does not end is given up within SECONDS
       malformed.py --same-port ADDRESS N  N connections, each closed by the server, from one port
       malformed.py --syn DEVICE MAC ADDRESS COUNT  SYNs of sources that never answer
"""
import errno
import random
import socket
import struct
import sys
import time

MODEL = b"GET /64.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
STATUSES = {200, 400, 404, 405, 413, 414, 501, 505}


def connect(address):
    return socket.create_connection((address, 80), timeout=10)


def read_to_end(sock):
    data = b""
    while True:
        part = sock.recv(65536)
        if not part:
            return data
        data += part


def mutate(rng):
    data = bytearray(MODEL)
    for _ in range(rng.randint(1, 4)):
        kind = rng.randint(0, 3)
        at = rng.randrange(len(data)) if data else 0
        if kind == 0 and data:
            data[at] = rng.randrange(256)
        elif kind == 1:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 30)))
        elif kind == 2 and data:
            del data[at : at + rng.randint(1, 10)]
        else:
            data[at:at] = rng.choice([b"\r\n", b"\n", b"\0", b" ", b": ", b"a" * 2000])
    return bytes(data)


def send_malformed(address, count, seed):
    rng = random.Random(seed)
    refused = 0
    for i in range(count):
        data = mutate(rng)
        with connect(address) as sock:
            at = rng.randint(0, len(data))
            sock.sendall(data[:at])
            sock.sendall(data[at:])
            sock.shutdown(socket.SHUT_WR)
            try:
                answer = read_to_end(sock)
            except ConnectionResetError:
                sys.exit(f"request {i} of seed {seed}: reset: {data!r}")
        if not answer:
            continue  # It was no whole request.
        line = answer.split(b"\r\n", 1)[0].split(b" ", 2)
        if line[0] != b"HTTP/1.1" or int(line[1]) not in STATUSES:
            sys.exit(f"request {i} of seed {seed}: {answer[:80]!r} to {data!r}")
        refused += int(line[1]) >= 400
    print(refused)


def pipeline(address, count):
    sizes = [1 + i * 7919 % 5000 for i in range(count)]
    requests = b"".join(b"GET /bytes/%d HTTP/1.1\r\nHost: a\r\n\r\n" % size for size in sizes)
    with connect(address) as sock:
        sock.sendall(requests)
        sock.shutdown(socket.SHUT_WR)
        data = read_to_end(sock)
    for size in sizes:
        head, _, data = data.partition(b"\r\n\r\n")
        if b"Content-Length: %d\r\n" % size not in head + b"\r\n":
            sys.exit(f"answer out of order: {head!r}")
        data = data[size:]
    print(len(data))


def slow(address, seconds):
    start = time.monotonic()
    with connect(address) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost:")
        sock.settimeout(seconds)
        read_to_end(sock)
    print(f"{time.monotonic() - start:.1f}")


def connect_from(sock, port, address, deadline):
    """The port is taken until the last connection's end has been acknowledged."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", port))
    sock.settimeout(10)
    while True:
        try:
            return sock.connect((address, 80))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL or time.monotonic() > deadline:
                raise


def same_port(address, count):
    start = time.monotonic()
    for i in range(count):
        with socket.socket() as sock:
            connect_from(sock, 40000, address, start + 20)
            sock.sendall(MODEL)
            if not read_to_end(sock).startswith(b"HTTP/1.1 200 "):
                sys.exit(f"connection {i}: no answer")
    print(f"{time.monotonic() - start:.1f}")


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def send_syns(device, mac, address, count):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    raw.bind((device, 0))
    ethernet = bytes.fromhex(mac.replace(":", "")) + b"\x02\0\0\0\0\x01\x08\0"
    to = socket.inet_aton(address)
    for i in range(count):
        source = to[:3] + bytes([100 + i % 100])
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, source, to)
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        tcp = struct.pack("!HHIIBBHHH", 1024 + i, 80, i, 0, 0x50, 2, 64240, 0, 0)
        pseudo = source + to + struct.pack("!HH", 6, 20)
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
        raw.send(ethernet + header + tcp)
    print(count)


def main(args):
    if args[0] == "--pipeline":
        pipeline(args[1], int(args[2]))
    elif args[0] == "--slow":
        slow(args[1], float(args[2]))
    elif args[0] == "--same-port":
        same_port(args[1], int(args[2]))
    elif args[0] == "--syn":
        send_syns(args[1], args[2], args[3], int(args[4]))
    else:
        send_malformed(args[0], int(args[1]), int(args[2]))


main(sys.argv[1:])
