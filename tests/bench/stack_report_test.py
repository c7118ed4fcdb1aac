#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""stack_report.py on the lines of a run, and on those of stacks that are made up.

Usage: stack_report_test.py LINES
"""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

REPORT = pathlib.Path(__file__).with_name("stack_report.py")
RECORDED = []
RISING = [250_000, 500_000, 750_000, 1_000_000, 1_250_000]
PAIRS, MOST_TRIED = 3, 4


def run(lines, *options):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    return subprocess.run([sys.executable, REPORT, *options], input=text, capture_output=True,
                          text=True, check=False)


def printed(lines, *options):
    done = run(lines, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def point(rate, requests):
    return {"figure": 5, "variant": "lwip-bare", "cores": 1, "x": rate,
            "requests_per_s": requests, "cpu_percent": 50}


def search(share):
    """As stack.sh has it, of a stack that keeps share(rate, attempt) of 100,000: the rates that were
    tried between the rising ones, and the one that it ends with."""
    lines, tried = [], []

    def pair(rate, attempt):
        lines.extend([point(0, 100_000), point(rate, 100_000 * share(rate, attempt))])

    for rate in RISING:
        pair(rate, 0)
        if run(lines, "--beaten").returncode == 0:
            break
    while rate := printed(lines, "--next"):
        tried.append(int(rate))
        assert len(tried) <= 2 * MOST_TRIED, tried
        for attempt in range(PAIRS):
            pair(int(rate), attempt)
    return tried, int(printed(lines, "--worst"))


class Search(unittest.TestCase):
    def test_ends_near_a_39th_of_a_smooth_curve(self):
        for at in range(260_000, 1_240_000, 410_000):
            tried, worst = search(lambda rate, _, at=at: max(0, 1 - rate / at * (1 - 1 / 3.9)))
            self.assertLessEqual(len(tried), MOST_TRIED)
            self.assertLessEqual(abs(worst - at), 250_000 / 2 ** len(tried), (at, tried))

    def test_stops_as_soon_as_it_is_within_a_tenth(self):
        tried, worst = search(lambda rate, _: {1_000_000: 0.1, 875_000: 1 / 3.4}.get(
            rate, 1 if rate < 800_000 else 1 / 4.2))
        self.assertEqual((tried, worst), ([875_000, 937_500], 937_500))

    def test_gives_a_cliff_up(self):
        tried, worst = search(lambda rate, _: 0.9 if rate < 900_001 else 0.1)
        self.assertEqual(tried, [875_000, 937_500, 906_250, 890_625])
        self.assertEqual(worst, 937_500)  # 1/10 is a nearer ratio to 1/3.9 than 9/10.

    def test_takes_the_middle_of_three(self):
        tried, _ = search(lambda rate, attempt: 1 if rate < 800_000 else
                          0.1 if rate != 875_000 else (0.9, 1 / 3.9, 0.01)[attempt])
        self.assertEqual(tried, [875_000])

    def test_begins_with_no_flood(self):
        tried, worst = search(lambda rate, _: 0.1 if rate > 200_000 else 1 / 3.8)
        self.assertEqual((tried, worst), ([125_000], 125_000))

    def test_a_stack_that_no_rate_beats(self):
        self.assertEqual(search(lambda rate, _: 1 - rate / 2_000_000), ([], RISING[-1]))

    def test_rounds_are_not_of_the_curve(self):
        lines = [point(0, 100_000), point(250_000, 100_000)]
        rounds = [one | {"round": "1"} for one in 2 * [point(0, 100_000), point(250_000, 10)]]
        self.assertNotEqual(run(lines + rounds, "--beaten").returncode, 0)
        for one in rounds:
            del one["round"]
        self.assertEqual(run(lines + rounds, "--beaten").returncode, 0)


def requests_of(variant, figure, x):
    return statistics.median(line["requests_per_s"] for line in RECORDED
                             if line.get("figure") == figure and line["variant"] == variant
                             and line["x"] == x)


def line_with(text, start):
    found = [line for line in text.splitlines() if line.strip().startswith(start)]
    assert len(found) == 1, (start, found)
    return found[0]


class Recorded(unittest.TestCase):
    def test_json_has_every_measurement(self):
        rows = json.loads(printed(RECORDED, "--json"))
        keys = ["figure", "variant", "cores", "x", "requests_per_s", "cpu_percent"]
        self.assertEqual([list(row) for row in rows], [keys] * len(rows))
        self.assertEqual(len(rows), sum("figure" in line for line in RECORDED))
        self.assertEqual({row["figure"] for row in rows if row["variant"] == "lwip-dpdk"},
                         {2, 3, 4, 5})

    def test_sleeping_is_judged_against_each_that_spins(self):
        text = printed(RECORDED)
        for other in ("lwip-spin", "lwip-busy", "lwip-dpdk"):
            ratio = requests_of("lwip-wait", 4, 800) / requests_of(other, 4, 800)
            line = line_with(text, f"figure 4: N = 800, lwip-wait / {other}")
            self.assertIn(f"{ratio:.2f}   target 1.3", line)
            self.assertIn("reached" if ratio >= 1.3 else "MISSED", line)

    def test_the_flood_is_judged_by_the_median_of_rounds(self):
        text = printed(RECORDED)
        rounds = {}
        for line in RECORDED:
            if "round" in line and line["x"]:
                rounds.setdefault(line["round"], {})[line["variant"]] = line["requests_per_s"]
        for variant in ("lwip-rule", "lwip-detect"):
            ratio = statistics.median(one[variant] / one["lwip-bare"] for one in rounds.values())
            self.assertIn(f"{ratio:.2f}   target 2.87",
                          line_with(text, f"figure 5: {variant} / unprotected"))
        kept = statistics.median(one["lwip-dpdk"] / one["lwip-bare"] for one in rounds.values())
        self.assertRegex(text, rf"\n +lwip-dpdk +{kept:.2f} x unprotected")

    def test_targets_are_counted_for_each_figure(self):
        text = printed(RECORDED)
        for figure, n in ((4, 3), (5, 7)):
            lines = [line for line in text.splitlines() if f"figure {figure}: " in line
                     and " target " in line]
            self.assertEqual(len(lines), n)
            reached = sum(line.endswith("reached") for line in lines)
            self.assertIn(f"  figure {figure}: {reached} of {n} targets reached", text)
        self.assertIn("figure 2: has no target", text)

    def test_says_how_to_measure_what_is_missing(self):
        text = printed([line for line in RECORDED if line.get("variant") != "lwip-dpdk"])
        self.assertIn("lwip-dpdk was not measured", text)
        self.assertIn("libdpdk-dev", text)
        self.assertNotIn("not measured", printed(RECORDED))

    def test_picture(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "stack.svg")
            printed(RECORDED, "--svg", str(path))
            picture = xml.etree.ElementTree.parse(path).getroot()
        lines = {(line["figure"], line["variant"]) for line in RECORDED if "figure" in line}
        found = picture.findall(".//{http://www.w3.org/2000/svg}polyline")
        self.assertEqual(len(found), len(lines))
        for group in picture:
            strokes = [one.get("stroke") for one in group if one.tag.endswith("polyline")]
            self.assertEqual(len(strokes), len(set(strokes)), "two lines of one colour")


if __name__ == "__main__":
    with open(sys.argv.pop(1), encoding="utf-8") as recorded:
        RECORDED.extend(json.loads(one) for one in recorded)
    unittest.main()
