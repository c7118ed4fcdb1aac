#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""sums.py INTERFACE URL [URL...]: fetches each URL and looks at the sums of the TCP segments that came for
it through the interface: "full" are right, "left" have the pseudo header's alone, and the kernel says that
the rest is still to be made (TP_STATUS_CSUMNOTREADY).  Prints how many are full, left and wrong."""
import socket
import struct
import sys
import urllib.request

SOL_PACKET, PACKET_AUXDATA, CSUMNOTREADY = 263, 8, 1 << 3


def add_up(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def kind(frame, not_ready):
    """None if it is no TCP segment from port 80."""
    if frame[12:14] == b"\x08\x00":
        protocol, addresses, start = frame[23], frame[26:34], 14 + (frame[14] & 15) * 4
        end = 14 + struct.unpack("!H", frame[16:18])[0]
    elif frame[12:14] == b"\x86\xdd":
        protocol, addresses, start = frame[20], frame[22:54], 54
        end = 54 + struct.unpack("!H", frame[18:20])[0]
    else:
        return None
    segment = frame[start:end]
    if protocol != 6 or segment[:2] != struct.pack("!H", 80):
        return None
    pseudo = add_up(addresses + struct.pack("!HH", protocol, len(segment)))
    if add_up(struct.pack("!H", pseudo) + segment) == 0xFFFF:
        return "full"
    left = struct.unpack("!H", segment[16:18])[0] == pseudo
    return "left" if left and not_ready else "wrong"


def main():
    counts = {"full": 0, "left": 0, "wrong": 0}
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    tap.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    tap.bind((sys.argv[1], 0))
    for url in sys.argv[2:]:
        urllib.request.urlopen(url, timeout=10).read()
    # What was read has passed the interface before.
    tap.setblocking(False)
    while True:
        try:
            frame, ancillary, _, address = tap.recvmsg(65536, 256)
        except BlockingIOError:
            break
        status = struct.unpack("=I", ancillary[0][2][:4])[0]
        what = kind(frame, status & CSUMNOTREADY)
        if address[2] != socket.PACKET_OUTGOING and what:
            counts[what] += 1
    print(*counts.values())


main()
