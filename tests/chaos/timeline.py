"""The picture of many cells: who was primary, who accepted writes, and when; an SVG of our own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from tests.lab.network import HOSTNAMES, HOSTS

Json = dict[str, Any]
COLOURS = {
    "primary": "#1f77b4",
    "secondary": "#c6dbef",
    "standalone": "#d9d9d9",
    "fenced": "#ff9f40",
    "no answer": "#ffffff",
}
WRITES, FAULT, BROKEN = "#2ca02c", "#d62728", "#b00020"
LEFT, TOP, WIDTH = 250, 70, 700
LANE, WRITE, CELL = 9, 4, 30
TICK_S = 10
FONT = 'font-family="sans-serif" font-size="11"'


def picture(title: str, lines: list[Json]) -> str:
    """One row for each cell, with a lane for each host."""
    longest_s = max((line["ended_at_s"] for line in lines), default=1.0)
    scale = WIDTH / max(longest_s, 1.0)
    height = TOP + CELL * len(lines) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 20}" height="{height}" {FONT}>',
        f'<rect width="100%" height="100%" fill="#ffffff"/><text x="10" y="18" font-size="14">{escape(title)}</text>',
        *_legend(),
        *_axis(longest_s, scale, height),
    ]
    for number, line in enumerate(lines):
        parts += _cell(line, TOP + number * CELL, scale)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend() -> Iterator[str]:
    left = 10
    for label, colour in (*COLOURS.items(), ("accepted writes", WRITES), ("fault, and its end", FAULT)):
        yield f'<rect x="{left}" y="28" width="12" height="9" fill="{colour}" stroke="#888"/>'
        yield f'<text x="{left + 16}" y="37">{label}</text>'
        left += 34 + 7 * len(label)


def _axis(longest_s: float, scale: float, height: int) -> Iterator[str]:
    for second in range(0, int(longest_s) + 1, TICK_S):
        across = LEFT + second * scale
        yield f'<line x1="{across:.1f}" x2="{across:.1f}" y1="{TOP - 6}" y2="{height - 25}" stroke="#eeeeee"/>'
        yield f'<text x="{across:.1f}" y="{TOP - 10}" text-anchor="middle">{second} s</text>'


def _cell(line: Json, down: int, scale: float) -> Iterator[str]:
    colour = "#000000" if line["passed"] else BROKEN
    yield f'<text x="10" y="{down + 14}" fill="{colour}">{escape(line["fault"])}, {escape(line["side"])}</text>'
    for number, host in enumerate(HOSTS):
        top = down + number * (LANE + WRITE)
        yield f'<text x="{LEFT - 5}" y="{top + LANE}" text-anchor="end" font-size="9">{HOSTNAMES[host]}</text>'
        for from_s, until_s, label in line["roles"].get(host, []):
            yield _bar(from_s, until_s, top, LANE, COLOURS.get(label, "#000000"), scale)
        for from_s, until_s in line["writes"].get(host, []):
            yield _bar(from_s, until_s, top + LANE - WRITE, WRITE, WRITES, scale)
    for at_s, dashes in ((line["fault_at_s"], ""), (line["healed_at_s"], ' stroke-dasharray="2"')):
        if at_s is not None:
            across = LEFT + at_s * scale
            span = f'x1="{across:.1f}" x2="{across:.1f}" y1="{down - 1}" y2="{down + CELL - 4}"'
            yield f'<line {span} stroke="{FAULT}" stroke-width="1.5"{dashes}/>'


def _bar(from_s: float, until_s: float, top: float, height: int, colour: str, scale: float) -> str:
    width = max(0.8, (until_s - from_s) * scale)
    stroke = ' stroke="#cccccc" stroke-width="0.5"' if colour == COLOURS["no answer"] else ""
    place = f'x="{LEFT + from_s * scale:.1f}" y="{top}" width="{width:.1f}" height="{height}"'
    return f'<rect {place} fill="{colour}"{stroke}/>'
