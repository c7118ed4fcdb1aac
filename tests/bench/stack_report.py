#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The lines of stack.sh as a list, tables and pictures.

Usage: stack_report.py [--json] [--svg FILE] < lines
       stack_report.py --beaten < lines   succeeds if the last flood took the unprotected stack to
                                          1/3.9 of its peace
       stack_report.py --worst < lines    the rate at which it keeps just that, or the worst there was
"""
import json
import statistics
import sys

TITLES = {
    2: ("requests per second by cores", "cores"),
    3: ("CPU per cent of the server by load", "connections that ask at a time"),
    4: ("requests for the primes below N, the stack and its application on one core", "N"),
    5: ("requests per second under a flood of UDP", "packets per second of the flood"),
}
COLOURS = ["#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#b7791f", "#444444", "#d6337c"]
WIDTH, HEIGHT, MARGIN = 460, 300, 60


def value_of(row):
    return row["cpu_percent"] if row["figure"] == 3 else row["requests_per_s"]


def series(rows):
    """variant -> [(x, value)], in the order that they came; of several rounds the median."""
    found = {}
    for row in rows:
        found.setdefault(row["variant"], {}).setdefault(row["x"], []).append(value_of(row))
    return {variant: [(x, statistics.median(values)) for x, values in points.items()]
            for variant, points in found.items()}


LEGEND = """
lwip-wait sleeps in poll(); lwip-busy and lwip-spin are our own busy polling: SO_BUSY_POLL and a system
call a round, and spinning on the ring without one.  DPDK's net_af_packet is not measured."""


def print_table(figure, rows, out):
    lines = series(rows)
    xs = sorted({row["x"] for row in rows})
    print(f"\nFigure {figure}: {TITLES[figure][0]}", file=out)
    print(f"{TITLES[figure][1]:<34}" + "".join(f"{x:>11}" for x in xs), file=out)
    for variant, points in lines.items():
        values = dict(points)
        cells = "".join(f"{values[x]:>11.0f}" if x in values else f"{'-':>11}" for x in xs)
        print(f"  {variant:<32}{cells}", file=out)


WORST_SHARE = 1 / 3.9  # P2's worst point.
UNPROTECTED, BARE_DROP = "lwip-bare", "lwip-bare-drop"


def unprotected(rows):
    """The unprotected stack's curve [(rate, share of peace)] by rising rate, each beside the peace that
    was measured just before: machines change their speed from second to second."""
    curve, peace = [], 0
    for row in rows:
        if row["figure"] != 5 or row["variant"] != UNPROTECTED or "round" in row:
            continue
        if not row["x"]:
            peace = row["requests_per_s"]
        elif peace:
            curve.append((row["x"], row["requests_per_s"] / peace))
    return sorted(curve)


def worst_rate(rows):
    """Where the curve comes down to 1/3.9, between its points; else its lowest point."""
    curve = unprotected(rows)
    before = (0, 1.0)
    for x, share in curve:
        if share <= WORST_SHARE:
            way = (before[1] - WORST_SHARE) / (before[1] - share)
            return round(before[0] + way * (x - before[0]))
        before = (x, share)
    return min(curve, key=lambda point: point[1])[0] if curve else 0


def verdict(name, value, target, out):
    missed = "" if value >= target else "   MISSED"
    print(f"  {name:<58}{value:>7.2f}   target {target}{missed}", file=out)


def judge_sleeping(rows, out):
    four = {variant: dict(points) for variant, points in
            series([row for row in rows if row["figure"] == 4]).items()}
    for other in ("lwip-spin", "lwip-busy"):
        if four.get(other, {}).get(800) and four.get("lwip-wait", {}).get(800):
            verdict(f"figure 4, N = 800: lwip-wait / {other}",
                    four["lwip-wait"][800] / four[other][800], 1.3, out)


def rounds_of(rows):
    """Of each round variant -> requests/s at the flood's rate; "peace" is the unprotected stack without
    a flood."""
    found = {}
    for row in rows:
        if "round" in row:
            name = row["variant"] if row["x"] else "peace"
            found.setdefault(row["round"], {})[name] = row["requests_per_s"]
    return list(found.values())


def share(rounds, variant, other):
    """The median of the rounds' ratios."""
    return statistics.median(one[variant] / max(one[other], 1) for one in rounds)


def judge_flood(rows, others, out):
    rounds = rounds_of(rows)
    if not rounds:
        return
    x = max(row["x"] for row in rows if "round" in row)
    arrived = [row["arrived"] for row in others if row.get("asked") == x]
    print(f"  a flood of {x} packets/s ({statistics.median(arrived):.0f} arrived) leaves the "
          f"unprotected stack 1/{share(rounds, 'peace', UNPROTECTED):.1f} of its peace, the median of "
          f"{len(rounds)} rounds, as all that follows", file=out)
    for variant in ("lwip-rule", "lwip-detect"):
        for other, name, target in ((UNPROTECTED, "unprotected", 2.87), ("peace", "peace", 0.74),
                                    (BARE_DROP, "bare drop", 0.9)):
            verdict(f"figure 5: {variant} / {name}", share(rounds, variant, other), target, out)
    print(f"  behind sluiced without rules and detectors: 1/{share(rounds, 'peace', 'lwip-wait'):.1f} "
          f"of peace", file=out)
    print(f"  for comparison, a bare drop: {share(rounds, BARE_DROP, UNPROTECTED):.2f} x unprotected, "
          f"{share(rounds, BARE_DROP, 'peace'):.2f} of peace", file=out)
    windows = [row["windows"] for row in others if "windows" in row]
    late = "" if max(windows) <= 2 else "   MISSED"
    print(f"  {'figure 5: windows until all sources were found, at most':<58}"
          f"{max(windows):>7}   target 2{late}", file=out)


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
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in sorted(points)))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                     f'stroke-width="2"/><text x="{WIDTH - 24}" y="{36 + 14 * i}" '
                     f'text-anchor="end" fill="{colour}">{variant}</text>')
    return "\n".join(parts + ["</g>"])


def write_svg(path, figures):
    groups = [picture(f, rows, i * WIDTH) for i, (f, rows) in enumerate(figures.items())]
    with open(path, "w", encoding="utf-8") as out:
        out.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * len(groups)}" '
                  f'height="{HEIGHT}">\n' + "\n".join(groups) + "\n</svg>\n")


def read_lines():
    """Measurements, and what was noted beside them."""
    lines = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    return [x for x in lines if "figure" in x], [x for x in lines if "figure" not in x]


def main(args):
    rows, others = read_lines()
    if "--worst" in args:
        print(worst_rate(rows))
        return
    if "--beaten" in args:
        sys.exit(0 if unprotected(rows)[-1][1] <= WORST_SHARE else 1)
    if not rows:
        sys.exit("stack_report.py: nothing was measured")
    as_json = "--json" in args
    out = sys.stderr if as_json else sys.stdout
    figures = {}
    for row in rows:
        figures.setdefault(row["figure"], []).append(row)
    for figure, its_rows in figures.items():
        print_table(figure, its_rows, out)
    print(LEGEND, file=out)
    print("\nTargets", file=out)
    judge_sleeping(rows, out)
    judge_flood(rows, others, out)
    if "--svg" in args:
        write_svg(args[args.index("--svg") + 1], figures)
    if as_json:
        json.dump([{key: row[key] for key in row if key != "round"} for row in rows],
                  sys.stdout, indent=1)
        print()


main(sys.argv[1:])
