#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The lines of stack.sh as a list, tables and pictures.

Usage: stack_report.py [--json] [--svg FILE] < lines
       stack_report.py --beaten < lines   succeeds if the last flood took the unprotected stack to
                                          1/3.9 of its peace
       stack_report.py --next < lines     the rate to try next, to come nearer to that; none: no more
       stack_report.py --worst < lines    the rate at which it keeps just that, or next to it
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
COLOURS = ["#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#b7791f", "#444444", "#d6337c", "#17a2a2",
           "#7a4a1d"]
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
call a round, and spinning on the ring without one."""
WITH_DPDK = """lwip-dpdk is the same stack on DPDK's net_af_packet, which spins."""
WITHOUT_DPDK = """lwip-dpdk was not measured: the build makes sluice-stack-dpdk where DPDK is (Debian: libdpdk-dev)."""


def print_legend(rows, out):
    print(LEGEND, file=out)
    print(WITH_DPDK if any(row["variant"] == "lwip-dpdk" for row in rows) else WITHOUT_DPDK,
          file=out)


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
NEAR = 0.1  # By so much the ratio may be off.
PAIRS = 3  # Of a rate that was tried to come near it; those of the rising rates have one.
MOST_TRIED = 4
UNPROTECTED, BARE_DROP = "lwip-bare", "lwip-bare-drop"


def unprotected(rows):
    """The unprotected stack's curve {rate: [share of peace]}, each beside the peace that was measured
    just before: machines change their speed from second to second."""
    curve, peace = {}, 0
    for row in rows:
        if row["figure"] != 5 or row["variant"] != UNPROTECTED or "round" in row:
            continue
        if not row["x"]:
            peace = row["requests_per_s"]
        elif peace:
            curve.setdefault(row["x"], []).append(row["requests_per_s"] / peace)
    return curve


def is_beaten(rows):
    curve = unprotected(rows)
    return statistics.median(curve[max(curve)]) <= WORST_SHARE


def distance(share):
    """Of a share of peace from the one that is sought, as a ratio: 1 is there."""
    off = max(share, 1e-6) / WORST_SHARE
    return max(off, 1 / off)


def next_rate(rows):
    """In the middle between the lowest rate that beats the stack and the one below; None: it would come
    no nearer, or there is no such rate."""
    curve = unprotected(rows)
    medians = {rate: statistics.median(shares) for rate, shares in curve.items()}
    tried = [rate for rate in curve if len(curve[rate]) >= PAIRS]
    beating = [rate for rate in medians if medians[rate] <= WORST_SHARE]
    if (not beating or len(tried) >= MOST_TRIED
            or any(distance(medians[rate]) <= 1 + NEAR for rate in tried)):
        return None
    below = max((rate for rate in medians if rate < min(beating)), default=0)
    return (below + min(beating)) // 2


def worst_rate(rows):
    """Of the rates that were tried, or of all, if none had to be, that which comes nearest."""
    curve = unprotected(rows)
    tried = {rate: shares for rate, shares in curve.items() if len(shares) >= PAIRS} or curve
    return min(tried, key=lambda rate: distance(statistics.median(tried[rate])), default=0)


class Targets:
    """What is printed of them, and of how many each figure reached."""

    def __init__(self, out):
        self.out = out
        self.reached = {}

    def say(self, text):
        print(f"  {text}", file=self.out)

    def judge(self, figure, name, value, target, reached):
        self.reached.setdefault(figure, []).append(reached)
        self.say(f"{f'figure {figure}: {name}':<58}{value:>7}   target {target}"
                 f"   {'reached' if reached else 'MISSED'}")

    def at_least(self, figure, name, value, target):
        self.judge(figure, name, f"{value:.2f}", target, value >= target)

    def sum_up(self, figures):
        for figure in figures:
            reached = self.reached.get(figure, [])
            self.say(f"figure {figure}: {sum(reached)} of {len(reached)} targets reached"
                     if reached else f"figure {figure}: has no target")


def judge_sleeping(rows, targets):
    four = {variant: dict(points) for variant, points in
            series([row for row in rows if row["figure"] == 4]).items()}
    for other in ("lwip-spin", "lwip-busy", "lwip-dpdk"):
        if four.get(other, {}).get(800) and four.get("lwip-wait", {}).get(800):
            targets.at_least(4, f"N = 800, lwip-wait / {other}",
                             four["lwip-wait"][800] / four[other][800], 1.3)


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


def judge_flood(rows, others, targets):
    rounds = rounds_of(rows)
    if not rounds:
        return
    x = max(row["x"] for row in rows if "round" in row)
    arrived = [row["arrived"] for row in others if row.get("asked") == x]
    kept = share(rounds, UNPROTECTED, "peace")
    off = "" if distance(kept) <= 1 + NEAR else ", which is not within 10 % of 1/3.9"
    targets.say(f"a flood of {x} packets/s ({statistics.median(arrived):.0f} arrived) leaves the "
                f"unprotected stack 1/{1 / kept:.1f} of its peace{off}; the median of "
                f"{len(rounds)} rounds, as all that follows")
    for variant in ("lwip-rule", "lwip-detect"):
        for other, name, target in ((UNPROTECTED, "unprotected", 2.87), ("peace", "peace", 0.74),
                                    (BARE_DROP, "bare drop", 0.9)):
            targets.at_least(5, f"{variant} / {name}", share(rounds, variant, other), target)
    windows = max(row["windows"] for row in others if "windows" in row)
    targets.judge(5, "windows until all sources were found, at most", windows, 2, windows <= 2)
    targets.say("for comparison:")
    for variant in rounds[0]:
        if variant not in ("peace", UNPROTECTED, "lwip-rule", "lwip-detect"):
            targets.say(f"  {variant:<16}{share(rounds, variant, UNPROTECTED):>7.2f} x unprotected, "
                        f"{share(rounds, variant, 'peace'):.2f} of peace")


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


def print_report(rows, others, figures, out):
    for figure, its_rows in figures.items():
        print_table(figure, its_rows, out)
    print_legend(rows, out)
    print("\nTargets", file=out)
    targets = Targets(out)
    judge_sleeping(rows, targets)
    judge_flood(rows, others, targets)
    targets.sum_up(figures)


def main(args):
    rows, others = read_lines()
    if "--worst" in args:
        print(worst_rate(rows))
        return
    if "--next" in args:
        print(next_rate(rows) or "")
        return
    if "--beaten" in args:
        sys.exit(0 if is_beaten(rows) else 1)
    if not rows:
        sys.exit("stack_report.py: nothing was measured")
    as_json = "--json" in args
    figures = {}
    for row in rows:
        figures.setdefault(row["figure"], []).append(row)
    print_report(rows, others, figures, sys.stderr if as_json else sys.stdout)
    if "--svg" in args:
        write_svg(args[args.index("--svg") + 1], figures)
    if as_json:
        json.dump([{key: row[key] for key in row if key != "round"} for row in rows],
                  sys.stdout, indent=1)
        print()


main(sys.argv[1:])
