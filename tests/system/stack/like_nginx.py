#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The same requests to two web servers that serve the same files; says where their answers differ.

Usage: like_nginx.py REFERENCE[:PORT] SERVER[:PORT] FOLDER    prints how many requests were alike
       like_nginx.py --show SERVER[:PORT] FOLDER              prints one server's answers

Behind each request goes one more that has the connection closed, so that the number of answers tells whether
the server kept it open.  What may differ is in PRIVATE, answers() and alike_enough().
"""
import email.utils
import os
import re
import socket
import sys
import urllib.parse

LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
TIMEOUT_S = 20
# Allow is the one that RFC 9110, 15.5.6, wants and nginx leaves out.
PRIVATE = {"server", "date", "allow"}
BOUNDARY = re.compile(rb"(?<![0-9])[0-9]{20}(?![0-9])")
SIGNATURE = re.compile(rb"<hr><center>[^<]*</center>\r\n")


def request(line, *headers, body=b"", host=True):
    lines = [line] + (["Host: a"] if host else []) + list(headers)
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def get(*headers, target="/64.txt", method="GET", version="HTTP/1.1", **more):
    return request(f"{method} {target} {version}", *headers, **more)


def date(stamp, form="imf"):
    parts = email.utils.formatdate(stamp, usegmt=True)
    day, number, month, year, time, _ = parts.split(" ")
    if form == "rfc850":
        full = {"Mon": "Monday", "Tue": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
                "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday"}[day[:3]]
        return f"{full}, {number}-{month}-{year[2:]} {time} GMT"
    if form == "asctime":
        return f"{day[:3]} {month} {int(number):2} {time} {year}"
    return parts


def conditions(folder):
    """Rows of conditional requests, which need the file's own validators."""
    stat = os.stat(os.path.join(folder, "64.txt"))
    at = int(stat.st_mtime)
    tag = f'"{at:x}-{stat.st_size:x}"'
    values = {
        "If-None-Match": [tag, "W/" + tag, "*", '"x"', f'"x", {tag}', f'"x",W/{tag} , "y"', tag[:-1],
                          f"{tag}x", f"x{tag}"],
        "If-Match": [tag, "W/" + tag, "*", '"x"', f'"x" , {tag}'],
        "If-Modified-Since": [date(at), date(at, "rfc850"), date(at, "asctime"), date(at + 1),
                              date(at - 1), "yesterday"],
        "If-Unmodified-Since": [date(at), date(at, "rfc850"), date(at, "asctime"), date(at + 1),
                                date(at - 1), "yesterday"],
    }
    for name, list_of in values.items():
        for value in list_of:
            yield f"{name}: {value}", get(f"{name}: {value}")
            yield f"HEAD, {name}: {value}", get(f"{name}: {value}", method="HEAD")
        yield f"{name} twice", get(f"{name}: {list_of[0]}", f"{name}: {list_of[0]}")
        yield f"{name} of nothing", get(f"{name}: {list_of[0]}", target="/none")
    for tags, since in (tag, at), (tag, at - 1), ('"x"', at), ('"x"', at - 1):
        pair = f"If-None-Match: {tags}", f"If-Modified-Since: {date(since)}"
        yield ", ".join(pair), get(*pair)
    yield "304 before a range", get(f"If-None-Match: {tag}", "Range: bytes=0-3")
    yield "412 before a range", get('If-Match: "x"', "Range: bytes=0-3")
    for value in (tag, '"x"', "W/" + tag, date(at), date(at, "asctime"), date(at + 1), date(at - 1), "x"):
        yield f"If-Range: {value}", get(f"If-Range: {value}", "Range: bytes=0-3")
        yield f"If-Range: {value}, alone", get(f"If-Range: {value}")


RANGES = """bytes=0-0|bytes=0-63|bytes=0-64|bytes=10-19|bytes=63-63|bytes=64-64|bytes=64-|bytes=0-|bytes=5-
bytes=-1|bytes=-64|bytes=-65|bytes=-0|bytes=20-10|bytes=|bytes=-|bytes=x|bytes=1|bytes=1-x|bytes=1-2x|BYTES=1-2
lines=1-2|bytes 1-2|bytes=1-2,|bytes=,1-2|bytes= 1 - 2 |bytes=1-2,4-5|bytes=1-2, 4-5, -3|bytes=0-63,0-0
bytes=0-31,32-63|bytes=0-31,16-47|bytes=70-80,1-2|bytes=70-80,90-|bytes=1-2,x|bytes=-0,1-2|bytes=5-,-3
bytes=18446744073709551616-|bytes=0-18446744073709551616|bytes=9223372036854775807-|bytes=0-9223372036854775807|bytes=0-9223372036854775808
bytes=1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2|bytes=4-5,1-2""".replace("\n", "|").split("|")

TARGETS = """/|/64.txt|/64.txt?x=1|/64.txt?|/64.txt?a=%zz|/64.txt#x|/%36%34.txt|/64%2etxt|/%2f64.txt|/64.txt%3fx
/a%20b.txt|/a+b.txt|/a%2bb.txt|/%E4%BD%A0.txt|/none|/64.txt/|//64.txt|/./64.txt|/../64.txt|/..|/.|/a/..|/a/../64.txt
/a/b/../../64.txt|/a/../../64.txt|/%2e%2e/64.txt|/a/%2e%2E/64.txt|/a//../64.txt|/.../64.txt|/..64.txt|/64.txt/.
/64.txt/..|/%00|/%|/%4|/%zz|/64.txt%00|/a%2|64.txt|*|http://a/64.txt|HTTP://a:80/64.txt|http://a|http://a?x|http:///64.txt
https://a/64.txt|ftp://a/64.txt|http:/64.txt|http://a/../64.txt|/empty|/index.html|/index.html?x|/none?64.txt|/64.txt;x
/64.TXT|/\\64.txt|/"|/{x}|/~""".replace("\n", "|").split("|")

METHODS = "GET HEAD POST PUT DELETE OPTIONS PATCH TRACE CONNECT FOO PROPFIND get Get G(T".split()

CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"


def connections():
    for version in "HTTP/1.0", "HTTP/1.1":
        for header in ("close", "keep-alive", "Keep-Alive", "CLOSE", "x", "keep-alive, x", "x, close", ""):
            yield f"{version}, Connection: {header}", get(f"Connection: {header}", version=version)
        yield f"{version} without Connection", get(version=version)
        yield f"{version} without Host", get(version=version, host=False)
        yield f"{version} of nothing", get(version=version, target="/none")
    for version in "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "HTTP/1", "HTP/1.1", "http/1.1", "HTTP/1.1x":
        yield version, get(version=version)
    for host in ("", "a:80", "A", "a/b", "a b", "[::1]", "[::1]:80", "a.", ".", "a..b", "a,b", "_", ":80"):
        yield f"Host: {host}", get(f"Host: {host}", host=False)
    yield "Host twice", get("Host: a")
    yield "absolute target without Host", get(target="http://a/64.txt", host=False)
    yield "bare LF", b"GET /64.txt HTTP/1.1\nHost: a\n\n"
    yield "empty lines before", b"\r\n\r\n" + get()
    yield "many headers", get(*[f"X-{i}: {i}" for i in range(150)])
    yield "unknown headers", get("Accept: */*", "User-Agent: x", "Cookie: a=b", "X_Y: 1", "Empty:")
    yield "folded header", get("X: a\r\n b")
    yield "space before colon", get("X : a")
    yield "pipelined", get() * 5 + get(target="/none") + get(method="HEAD")
    for size in 1000, 2000, 8000, 9000, 40000:
        yield f"path of {size} bytes", get(target="/" + "x" * size)
        yield f"query of {size} bytes", get(target="/64.txt?" + "x" * size)
        yield f"header of {size} bytes", get("X: " + "x" * size)
    yield "headers of 20000 bytes", get(*["X: " + "x" * 1000] * 20)
    yield "headers of 60000 bytes", get(*["X: " + "x" * 1000] * 60)


def bodies():
    for method in "GET", "HEAD", "POST", "PUT":
        for target in "/64.txt", "/none":
            name = f"{method} {target}"
            yield f"{name}, a body", get("Content-Length: 5", method=method, target=target, body=b"abcde")
            yield f"{name}, chunks", get(CHUNKED, method=method, target=target, body=CHUNKS)
            yield f"{name}, no body", get("Content-Length: 0", method=method, target=target)
            yield (f"{name}, expect", get("Expect: 100-continue", "Content-Length: 5", method=method,
                                          target=target), b"abcde")
            yield (f"{name}, expect, chunks", get("Expect: 100-continue", CHUNKED, method=method,
                                                  target=target), CHUNKS)
            yield (f"{name}, body after the answer", get("Content-Length: 5", method=method,
                                                         target=target), b"abcde")
    yield "expect without a body", get("Expect: 100-continue")
    yield "expect, 304", get("Expect: 100-continue", "If-None-Match: *")
    yield "expect, 412", get("Expect: 100-continue", 'If-Match: "x"')
    yield "expect in 1.0", get("Expect: 100-continue", "Connection: keep-alive", version="HTTP/1.0")
    yield "expect something else", get("Expect: x")
    yield "expect twice", get("Expect: 100-continue", "Expect: 100-continue")
    yield "pipelined bodies", get("Content-Length: 5", method="POST", body=b"GET /") * 3
    yield "too long a body", get("Content-Length: 1048577", method="POST")
    yield "too long a body, expect", get("Content-Length: 1048577", "Expect: 100-continue", method="POST")
    for length in "", "x", "-1", "+1", "1 2", "1,1", "18446744073709551617":
        yield f"Content-Length: {length}", get(f"Content-Length: {length}", method="POST")
    yield "Content-Length twice", get("Content-Length: 1", "Content-Length: 1", body=b"a")
    yield "both lengths", get("Content-Length: 5", CHUNKED, body=CHUNKS)
    yield "both lengths, the other way", get(CHUNKED, "Content-Length: 5", body=CHUNKS)
    for coding in "gzip", "identity", "gzip, chunked", "chunked, chunked", "Chunked", "":
        yield f"Transfer-Encoding: {coding}", get(f"Transfer-Encoding: {coding}", body=CHUNKS)
    yield "Transfer-Encoding twice", get(CHUNKED, CHUNKED, body=CHUNKS)
    yield "chunks in 1.0", get(CHUNKED, version="HTTP/1.0", body=CHUNKS)


def rows(folder):
    """Name, what is sent, and what is sent only after the first answer."""
    for name in sorted(os.listdir(folder)):
        for method in "GET", "HEAD":
            yield f"{method} /{name}", get(target="/" + urllib.parse.quote(name), method=method)
    for method in METHODS:
        for target in "/64.txt", "/none", "/", "*":
            yield f"{method} {target}", get(target=target, method=method)
    for target in TARGETS:
        yield f"target {target}", get(target=target)
    for value in RANGES:
        yield f"Range: {value}", get(f"Range: {value}")
        yield f"HEAD, Range: {value}", get(f"Range: {value}", method="HEAD")
        yield f"empty file, Range: {value}", get(f"Range: {value}", target="/empty")
    for value in "bytes=1000-,5-9,-4096", "bytes=1-300000,600000-", "bytes=-300000":
        yield f"1 MiB, Range: {value}", get(f"Range: {value}", target="/1048576.txt")
    yield "Range twice", get("Range: bytes=1-2", "Range: bytes=3-4")
    yield "Range of nothing", get("Range: bytes=1-2", target="/none")
    yield "Range in 1.0", get("Range: bytes=1-2", version="HTTP/1.0")
    yield from conditions(folder)
    yield from connections()
    yield from bodies()


def split_answer(data, method):
    """One answer in front of data: status line, headers, body, the rest."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        return None
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = [tuple(line.split(": ", 1)) for line in lines]
    length = int(dict((n.lower(), v) for n, v in headers).get("content-length", 0))
    code = status.split(" ")[1]
    size = 0 if method == b"HEAD" or code in ("304", "100") else length
    return (status, headers, rest[:size], rest[size:]) if len(rest) >= size else None


def receive(sock, data):
    part = sock.recv(65536)
    if not part:
        raise EOFError(f"closed after {data[:200]!r}")
    return data + part


def transcript(server, sent, later):
    """All that a server says until it closes the connection."""
    host, _, port = server.partition(":")
    method = sent.lstrip().split(b" ", 1)[0]
    data = b""
    with socket.create_connection((host, int(port or 80)), timeout=TIMEOUT_S) as sock:
        if later is None:
            sock.sendall(sent + LAST)
        else:
            sock.sendall(sent)
            while not split_answer(data, method):
                data = receive(sock, data)
            try:
                sock.sendall(later + LAST)
            except (BrokenPipeError, ConnectionResetError):
                pass  # It may have closed after its answer.
        try:
            while True:
                data = receive(sock, data)
        except (EOFError, ConnectionResetError):
            return data


def answers(data, sent):
    """Each answer as (status line, headers, body), those that may differ taken out."""
    methods = re.findall(rb"(?m)^(GET|HEAD|POST|PUT) ", sent + LAST)
    method = methods.pop(0) if methods else b""
    found = []
    while data:
        answer = split_answer(data, method)
        if not answer:
            return found + [("incomplete", [], data)]
        status, headers, body, data = answer
        code = status.split(" ")[1]
        if code >= "400":
            body = SIGNATURE.sub(b"", body)
            headers = [(n, v) for n, v in headers if n != "Content-Length"]
        headers = [(n, BOUNDARY.sub(b"N", v.encode("latin-1")).decode("latin-1")) for n, v in headers
                   if n.lower() not in PRIVATE]
        if "boundary=" in str(headers):
            body = BOUNDARY.sub(b"N", body)
        found.append((status, headers, body))
        if code != "100":
            method = methods.pop(0) if methods else b""
    return found


def shown(found):
    return "\n".join(f"    {status}  {headers}  {body[:300]!r} ({len(body)})" for status, headers, body in found)


def alike_enough(wanted, got):
    """nginx says keep-alive with a 412 and closes all the same."""
    if wanted and " 412 " in wanted[-1][0]:
        got = got[: len(wanted)]
    return wanted == got


def compare(reference, server, folder):
    alike = differ = 0
    for name, sent, *later in rows(folder):
        later = later[0] if later else None
        wanted, got = (answers(transcript(who, sent, later), sent) for who in (reference, server))
        if alike_enough(wanted, got):
            alike += 1
            continue
        differ += 1
        print(f"{name}:\n  reference\n{shown(wanted)}\n  server\n{shown(got)}", file=sys.stderr)
    print(alike)
    return 1 if differ else 0


def show(server, folder):
    for name, sent, *later in rows(folder):
        later = later[0] if later else None
        print(f"{name}:\n{shown(answers(transcript(server, sent, later), sent))}")
    return 0


if sys.argv[1] == "--show":
    sys.exit(show(*sys.argv[2:]))
sys.exit(compare(*sys.argv[1:]))
