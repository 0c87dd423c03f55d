"""A bar for each day of a period, as an image in Markdown.

Drawn here because every materialization event carries one: these are 2 KB and made in a tenth of
a millisecond, where a plotting library makes 25 KB in 80 ms.
"""

import base64
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

_WIDTH: Final = 640
_HEIGHT: Final = 160
_LEFT: Final = 44
_BOTTOM: Final = 22
_TOP: Final = 12
_INK = "#5f6b7a"
_BAR = "#4f6bed"


def messages_per_day(counts: Mapping[date, int], first: date, end: date) -> str:
    """Markdown of a plot of counts from `first` up to, but not including, `end`.

    Its text is made of numbers and dates alone, so nothing of the data can get into the page.
    """
    days = [first + timedelta(days=n) for n in range((end - first).days)]
    svg = _svg(days, [counts.get(day, 0) for day in days])
    image = base64.b64encode(svg.encode()).decode()
    total = sum(counts.values())
    return f"![{total} messages by day](data:image/svg+xml;base64,{image})"


def _svg(days: list[date], values: list[int]) -> str:
    most = max([*values, 1])
    step = (_WIDTH - _LEFT) / len(days)
    scale = (_HEIGHT - _TOP - _BOTTOM) / most
    base = _HEIGHT - _BOTTOM
    bars = "".join(
        f"<rect x='{_LEFT + place * step:.1f}' y='{base - value * scale:.1f}'"
        f" width='{step * 0.8:.1f}' height='{value * scale:.1f}'/>"
        for place, value in enumerate(values)
        if value
    )
    ticks = "".join(
        f"<text x='{_LEFT + place * step:.1f}' y='{_HEIGHT - 6}'>{_label(days, place)}</text>"
        for place in _ticks(len(days))
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {_HEIGHT}'"
        f" width='{_WIDTH}' height='{_HEIGHT}' font-family='sans-serif' font-size='11'>"
        f"<g fill='{_BAR}'>{bars}</g><g fill='{_INK}'>{ticks}"
        f"<text x='{_LEFT - 6}' y='{_TOP + 8}' text-anchor='end'>{most}</text>"
        f"<text x='{_LEFT - 6}' y='{base}' text-anchor='end'>0</text></g>"
        f"<path d='M{_LEFT} {_TOP}V{base}H{_WIDTH}' fill='none' stroke='{_INK}'/></svg>"
    )


def _ticks(days: int) -> range:
    return range(0, days, max(1, days // 6))


def _label(days: list[date], place: int) -> str:
    return days[place].isoformat() if place == 0 else f"{days[place]:%m-%d}"
