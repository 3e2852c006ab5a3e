"""Bar plots as SVG that the server draws: no script, each bar a link, and a table of the numbers for who cannot see it.

Colours come from the page's style sheet (static/desk/desk.css), so that a plot is light or dark as the page is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

GAP = 0.2


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label ("26 Nov"), its parts from the bottom up (≥ 0), what they are in words, and where it leads."""

    label: str
    parts: tuple[float, ...]
    words: str
    href: str = ""


def plot(bars: Sequence[Bar], title: str, *, width: int = 600, height: int = 120, size: str = "") -> SafeString:
    """Return a plot of bars, each with its words as a tooltip and, if it has a href, as a link. No bars: an empty plot.

    width and height are those of the drawing in its own units; the page scales it. size: "small" for a low one.
    """
    most = max((sum(bar.parts) for bar in bars), default=0) or 1
    step = width / max(len(bars), 1)
    drawn = ((_bar(bar, index * step, step, height, most),) for index, bar in enumerate(bars))
    return format_html(
        '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="group" aria-label="{}">{}</svg>',
        f"desk-plot {size}".rstrip(),
        width,
        height,
        title,
        format_html_join("", "{}", drawn),
    )


def _bar(bar: Bar, left: float, step: float, height: int, most: float) -> SafeString:
    ends = list(accumulate(bar.parts))
    pieces = (
        (
            index,
            f"{left + step * GAP / 2:.2f}",
            f"{height * (1 - end / most):.2f}",
            f"{step * (1 - GAP):.2f}",
            part_height,
        )
        for index, (end, part) in enumerate(zip(ends, bar.parts, strict=True))
        if (part_height := f"{height * part / most:.2f}") != "0.00"
    )
    shapes = format_html_join("", '<rect class="part-{}" x="{}" y="{}" width="{}" height="{}"/>', pieces)
    words = f"{bar.label}: {bar.words}"
    # As high as the plot, so that a low bar can be hit as well.
    where = f"{left:.2f}", f"{step:.2f}", height
    area = format_html('<rect class="area" x="{}" y="0" width="{}" height="{}"/>', *where)
    if not bar.href:
        return format_html("<g><title>{}</title>{}{}</g>", words, area, shapes)
    return format_html('<a href="{}" aria-label="{}"><title>{}</title>{}{}</a>', bar.href, words, words, area, shapes)
