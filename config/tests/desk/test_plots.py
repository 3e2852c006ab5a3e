import xml.etree.ElementTree as ET

from config.desk.plots import Bar, plot


def rects(svg, kind="part-0"):
    root = ET.fromstring(svg)  # noqa: S314 (what we have drawn ourselves)
    return [one.attrib for one in root.iter("rect") if one.attrib["class"] == kind]


def test_bars_are_as_high_as_their_values_and_end_at_the_bottom():
    svg = plot([Bar("Mon", (5,), "5"), Bar("Tue", (10,), "10"), Bar("Wed", (0,), "none")], "Messages", height=100)
    assert [(float(one["y"]), float(one["height"])) for one in rects(svg)] == [(50, 50), (0, 100)]


def test_parts_stand_upon_each_other():
    svg = plot([Bar("Mon", (3, 1), "3 in, 1 out")], "Messages", height=100)
    assert [float(one["y"]) for one in rects(svg)] == [25]
    assert [(float(one["y"]), float(one["height"])) for one in rects(svg, "part-1")] == [(0, 25)]


def test_a_bar_is_a_link_with_its_words_and_texts_are_escaped():
    svg = plot([Bar("<Mon>", (1,), "1 & more", href="/list/?day=1&x=2")], 'a "title"')
    root = ET.fromstring(svg)  # noqa: S314
    link = next(root.iter("a"))
    assert link.attrib == {"href": "/list/?day=1&x=2", "aria-label": "<Mon>: 1 & more"}
    assert root.attrib["aria-label"] == 'a "title"'


def test_nothing_to_plot_is_an_empty_plot_and_nothing_but_zeros_no_bars():
    assert rects(plot([], "Messages")) == rects(plot([Bar("Mon", (0, 0), "none")], "Messages")) == []
