"""Turns the runs into a table of ratios and a plot of them."""

import math
import os
import platform
import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .scenarios import METRICS


@dataclass
class Row:
    """One metric of one scenario, over all repetitions."""

    scenario: str
    metric: str
    baseline: list
    candidate: list
    limits: tuple

    @property
    def ratio(self):
        return divide(statistics.median(self.candidate), statistics.median(self.baseline))

    @property
    def pair_ratios(self):
        return [divide(c, b) for b, c in zip(self.baseline, self.candidate)]


def divide(candidate, baseline):
    return candidate / baseline if baseline else math.nan


def rows_of(runs, baseline, candidate):
    """`runs` is a list of {scenario, side, metrics, limit} in the order in which they were made."""
    rows = []
    for scenario in dict.fromkeys(run["scenario"] for run in runs):
        sides = {side: [r for r in runs if r["scenario"] == scenario and r["side"] == side] for side in "AB"}
        if not sides["A"] or not sides["B"]:
            continue
        limits = tuple(Counter(r["limit"] for r in sides[side]).most_common(1)[0][0] for side in "AB")
        for metric in METRICS:
            if metric in sides["A"][0]["metrics"]:
                values = [[r["metrics"][metric] for r in sides[side]] for side in "AB"]
                rows.append(Row(scenario, metric, *values, limits))
    return rows


def number(value):
    if value is None or math.isnan(value):
        return "-"
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 4)}f}"


def spread(values):
    if len(values) == 1:
        return number(values[0])
    return f"{number(statistics.median(values))} ({number(min(values))} to {number(max(values))})"


def table(rows, baseline, candidate):
    """A Markdown table: medians, with least and most in parentheses."""
    lines = [f"| scenario | metric | {baseline} | {candidate} | ratio | limit |", "|---|---|---|---|---|---|"]
    for row in rows:
        metric = METRICS[row.metric]
        wish = "more is better" if metric.more_is_better else ""
        title = ", ".join(part for part in (metric.title, metric.unit, wish) if part)
        ratios = [r for r in row.pair_ratios if not math.isnan(r)]
        ratio = f"**{number(row.ratio)}**"
        if len(ratios) > 1:
            ratio += f" ({number(min(ratios))} to {number(max(ratios))})"
        limit = " / ".join(row.limits) if any(row.limits) else ""
        lines.append(f"| {row.scenario} | {title} | {spread(row.baseline)} | {spread(row.candidate)} | {ratio} | {limit} |")
    return "\n".join(lines)


def machine():
    """One line about where the figures come from."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    return f"{os.cpu_count()} cores of {model}, {memory_kib / 2**20:.0f} GiB, Linux {platform.release().split('-')[0]}"


def document(rows, baseline, candidate, command, repeats, commit, plot_file):
    """The page for docs/benchmarks.md; `plot_file` lies beside it."""
    return f"""# Benchmarks

Made by `{command}` at {commit}, on {machine()}; {repeats} repetitions.

{baseline} against {candidate}, one at a time and in turn (A B, B A, ...), each run on an empty data directory and with the
broker's defaults (no fsync before an acknowledgement, as both ship), the broker confined to one core and the load generator to
another. Each figure is the median with least and most; the ratio is {candidate} to {baseline}, of the medians, with the least
and most of the pairs of runs. *Limit* says for {baseline} / {candidate} who used at least 90% of the time that their core
had for them: the rate compares brokers only where it says `broker`; CPU per byte compares them everywhere. A star means that
other processes took more than a tenth of one of the two cores. The kernel threads' CPU
(writeback, journal, reclaim) is counted for the whole machine while the run lasts. A GB is 10^9 bytes of record values before
compression. Scenario names: record size, codec, partitions (`100p`), connections (`50c`); acks=all unless it says `acks1`;
requests written straight to sockets, with batches of 16 KB and up to five requests in flight on a connection (each to 10
partitions where there are 100), unless it says `librdkafka`. Latency is from the moment when a record was due until it was
read (coordinated omission counted), through librdkafka with `linger.ms` 0 at 1,000/s and 5 at half of the baseline's maximum. Compare ratios, not digits, with other machines.

{table(rows, baseline, candidate)}

![The ratios on a logarithmic axis]({plot_file})
"""


def plot(rows, baseline, candidate):
    """An SVG of the ratios on a logarithmic axis; a line spans the pairs."""
    rows = [r for r in rows if r.ratio > 0 and not math.isnan(r.ratio)]
    left, width, step = 430, 520, 20
    values = [v for r in rows for v in (r.ratio, *r.pair_ratios) if v > 0 and not math.isnan(v)] or [1]
    low = min(-1, math.floor(math.log10(min(values))))
    high = max(1, math.ceil(math.log10(max(values))))
    height = step * len(rows) + 60

    def x(value):
        return left + width * (math.log10(value) - low) / (high - low)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 40}" height="{height}" '
             'font-family="sans-serif" font-size="12">',
             '<rect width="100%" height="100%" fill="white"/>',
             f'<text x="8" y="18">{candidate} / {baseline}, medians, pairs as a line; green is better</text>']
    for power in range(low, high + 1):
        at = x(10**power)
        parts.append(f'<line x1="{at:.1f}" y1="28" x2="{at:.1f}" y2="{height - 24}" stroke="#ddd"/>'
                     f'<text x="{at:.1f}" y="{height - 8}" text-anchor="middle">{10**power:g}</text>')
    for index, row in enumerate(rows):
        metric = METRICS[row.metric]
        y = 40 + step * index
        better = (row.ratio > 1) == metric.more_is_better
        pairs = [v for v in row.pair_ratios if v > 0 and not math.isnan(v)]
        colour = "#2a7" if better else "#c53"
        parts.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{row.scenario}: {metric.title} {metric.unit}</text>'
                     f'<line x1="{x(min(pairs)):.1f}" y1="{y}" x2="{x(max(pairs)):.1f}" y2="{y}" stroke="{colour}"/>'
                     f'<circle cx="{x(row.ratio):.1f}" cy="{y}" r="4" fill="{colour}"/>')
    parts.append(f'<line x1="{x(1):.1f}" y1="28" x2="{x(1):.1f}" y2="{height - 24}" stroke="#444"/></svg>')
    return "\n".join(parts)
