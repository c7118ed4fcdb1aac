#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The lines of stack.sh as a list, tables and pictures.

Usage: stack_report.py [--json] [--svg FILE] < lines
"""
import json
import sys

TITLES = {
    2: ("requests per second by cores", "cores"),
    3: ("CPU per cent of the server by load", "connections that ask at a time"),
    4: ("requests for the primes below N, on one shared core", "N"),
    5: ("requests per second under a flood of UDP", "packets per second of the flood"),
}
COLOURS = ["#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#b7791f"]
WIDTH, HEIGHT, MARGIN = 460, 300, 60


def value_of(row):
    return row["cpu_percent"] if row["figure"] == 3 else row["requests_per_s"]


def series(rows):
    """variant -> [(x, value)], in the order that they came."""
    found = {}
    for row in rows:
        found.setdefault(row["variant"], []).append((row["x"], value_of(row)))
    return found


def print_table(figure, rows, out):
    lines = series(rows)
    xs = list(dict.fromkeys(row["x"] for row in rows))
    print(f"\nFigure {figure}: {TITLES[figure][0]}", file=out)
    print(f"{TITLES[figure][1]:<34}" + "".join(f"{x:>11}" for x in xs), file=out)
    for variant, points in lines.items():
        values = dict(points)
        cells = "".join(f"{values[x]:>11.0f}" if x in values else f"{'-':>11}" for x in xs)
        print(f"  {variant:<32}{cells}", file=out)


def print_ratios(rows, out):
    """What the figures are to show."""
    four = {(r["variant"], r["x"]): r["requests_per_s"] for r in rows if r["figure"] == 4}
    if four.get(("lwip-busy", 800)):
        ratio = four[("lwip-poll", 800)] / four[("lwip-busy", 800)]
        print(f"\nsleeping / spinning at N = 800: {ratio:.2f} (P2: 1.64)", file=out)
    five = {(r["variant"], r["x"]): r["requests_per_s"] for r in rows if r["figure"] == 5}
    peace = five.get(("lwip-poll", 0))
    worst = [x for (v, x), rate in five.items() if v == "lwip-poll" and x and peace
             and rate <= peace / 3.9]
    if not peace:
        return
    if not worst:
        print("no flood took the unprotected stack to 1/3.9 of its peace rate", file=out)
        return
    x = min(worst)
    plain, bare = five[("lwip-poll", x)], five.get(("lwip-poll-drop", x), 0)
    print(f"at {x} packets/s the unprotected stack keeps 1/{peace / max(plain, 1):.1f}", file=out)
    for variant in ("lwip-poll-drop", "lwip-sluice-rule", "lwip-sluice-detect"):
        rate = five.get((variant, x))
        if rate is not None:
            print(f"  {variant}: {rate / max(plain, 1):.2f} x that (target 2.87), "
                  f"{rate / peace:.2f} of peace (0.74), {rate / max(bare, 1):.2f} of a bare drop "
                  f"(0.9)", file=out)


def picture(figure, rows, left):
    lines = series(rows)
    highest_x = max(row["x"] for row in rows) or 1
    highest = max(value_of(row) for row in rows) or 1
    parts = [f'<g transform="translate({left},0)" font-family="sans-serif" font-size="11">',
             f'<text x="{WIDTH / 2}" y="18" text-anchor="middle">{TITLES[figure][0]}</text>',
             f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
             f"{TITLES[figure][1]}</text>"]

    def place(x, value):
        return (MARGIN + x / highest_x * (WIDTH - MARGIN - 20),
                HEIGHT - MARGIN + 20 - value / highest * (HEIGHT - MARGIN - 20))

    for share in (0, 0.5, 1):
        y = place(0, share * highest)[1]
        parts.append(f'<line x1="{MARGIN}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" '
                     f'stroke="#ccc"/><text x="{MARGIN - 6}" y="{y + 4:.1f}" '
                     f'text-anchor="end">{share * highest:.0f}</text>')
    for x in sorted({row["x"] for row in rows}):
        at = place(x, 0)
        parts.append(f'<text x="{at[0]:.1f}" y="{at[1] + 14:.1f}" text-anchor="middle">{x}</text>')
    for i, (variant, points) in enumerate(lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                     f'stroke-width="2"/><text x="{WIDTH - 24}" y="{36 + 14 * i}" '
                     f'text-anchor="end" fill="{colour}">{variant}</text>')
    return "\n".join(parts + ["</g>"])


def write_svg(path, figures):
    groups = [picture(f, rows, i * WIDTH) for i, (f, rows) in enumerate(figures.items())]
    with open(path, "w", encoding="utf-8") as out:
        out.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * len(groups)}" '
                  f'height="{HEIGHT}">\n' + "\n".join(groups) + "\n</svg>\n")


def main(args):
    rows = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    if not rows:
        sys.exit("stack_report.py: nothing was measured")
    as_json = "--json" in args
    out = sys.stderr if as_json else sys.stdout
    figures = {}
    for row in rows:
        figures.setdefault(row["figure"], []).append(row)
    for figure, its_rows in figures.items():
        print_table(figure, its_rows, out)
    print_ratios(rows, out)
    if "--svg" in args:
        write_svg(args[args.index("--svg") + 1], figures)
    if as_json:
        json.dump(rows, sys.stdout, indent=1)
        print()


main(sys.argv[1:])
