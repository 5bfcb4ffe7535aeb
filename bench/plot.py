"""A curve as SVG, drawn by hand: two axes, a few series, words one can read in both colour schemes of a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 60, 60
COLOURS = ("#005a9c", "#b3261e", "#2e6b34")

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """One axis. `log`: ten times as much is always as far; then nothing may be 0."""

    label: str
    log: bool = False


def svg(title: str, across: Axis, up: Axis, series: Mapping[str, Points]) -> str:
    """The drawing of named series of (x, y)."""
    every = [point for points in series.values() for point in points]
    place_x = _scale(across, [x for x, _ in every], LEFT, WIDTH - RIGHT)
    place_y = _scale(up, [y for _, y in every], HEIGHT - BOTTOM, TOP)
    frame = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame}><title>{escape(title)}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        _text(LEFT, 22, title, "start", 'font-size="15" font-weight="bold"'),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, across.label, "middle"),
        _text(LEFT, TOP - 8, up.label, "start"),
        f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" fill="none" stroke="#333"/>',
    ]
    for x in sorted({x for x, _ in every}):
        parts.append(_text(place_x(x), HEIGHT - BOTTOM + 18, f"{x:,.0f}", "middle"))
    for y in _ticks(up, [y for _, y in every]):
        parts += [
            f'<path d="M{LEFT} {place_y(y):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>',
            _text(LEFT - 8, place_y(y) + 4, f"{y:,g}", "end"),
        ]
    for number, (name, points) in enumerate(series.items()):
        parts += _curve(name, number, [(place_x(x), place_y(y)) for x, y in points])
    return "\n".join([*parts, "</svg>\n"])


def _curve(name: str, number: int, points: Points) -> list[str]:
    colour = COLOURS[number % len(COLOURS)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    legend = LEFT + 130 + number * 190
    return [
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in points),
        f'<circle cx="{legend - 10}" cy="{TOP - 24}" r="4" fill="{colour}"/>',
        _text(legend, TOP - 20, name, "start"),
    ]


def _text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222" {more}>{escape(words)}</text>'


class _Place:
    """From a value to where it stands."""

    def __init__(self, axis: Axis, low: float, high: float, start: float, end: float) -> None:
        self._axis, self._start, self._end = axis, start, end
        self._low, self._high = self._measure(low), self._measure(high)

    def __call__(self, value: float) -> float:
        share = (self._measure(value) - self._low) / ((self._high - self._low) or 1)
        return self._start + share * (self._end - self._start)

    def _measure(self, value: float) -> float:
        return math.log10(value) if self._axis.log else value


def _scale(axis: Axis, values: Sequence[float], start: float, end: float) -> _Place:
    low, high = (min(values), max(values)) if axis.log else (0.0, max(values) * 1.05)
    if axis.log and start > end:  # upwards, from one power of ten to another
        low, high = 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high))
    return _Place(axis, low, high, start, end)


def _ticks(axis: Axis, values: Sequence[float]) -> list[float]:
    if axis.log:
        first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return [10.0**power for power in range(first, last + 1)]
    step = 10 ** math.floor(math.log10(max(values) or 1))
    step = step if max(values) / step >= 3 else step / 4
    return [step * number for number in range(int(max(values) * 1.05 / step) + 1)]
