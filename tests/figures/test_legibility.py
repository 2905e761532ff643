"""Texts of every figure of every study: none over another, none outside, none too small or too pale."""

from __future__ import annotations

import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text
from support.figures import CASES, Case, texts_of

from vitflow.figures import looks, pca, style
from vitflow.figures.draw import names


@pytest.mark.parametrize("case", [case for case in CASES if case != "one seed"])
def test_texts_do_not_overlap_nor_leave_the_figure_and_can_be_read(case: str, cases: dict[str, Case]) -> None:
    for stem in names(cases[case].study):
        figure = cases[case].drawing(stem).figure
        texts = texts_of(figure)
        boxes = [(t.get_text(), Text.get_window_extent(t)) for t in texts]
        frame = figure.bbox
        for text, box in boxes:
            inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= frame.x1 + 1 and box.y1 <= frame.y1 + 1
            assert inside, f"{stem}: '{text}' leaves the figure"
        upright = [(t.get_text(), Text.get_window_extent(t)) for t in texts if t.get_rotation() in (0, 90)]
        for index, (one, box) in enumerate(upright):
            for other, second in upright[:index]:
                width = min(box.x1, second.x1) - max(box.x0, second.x0)
                height = min(box.y1, second.y1) - max(box.y0, second.y0)
                # descenders of two lines may share the same two points
                assert min(width, height) <= 2 * figure.dpi / 72, f"{stem}: '{one}' over '{other}'"
        assert min(float(t.get_fontsize()) for t in texts) >= 11, stem


def test_ink_can_be_read_on_white() -> None:
    def luminance(rgb: tuple[float, ...]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in (*looks.GROUP_COLOURS, *looks.FAMILY_COLOURS, *pca.CLASS_COLOURS):
        assert 1.05 / (luminance(style.ink(colour)) + 0.05) >= 4.5, colour
    assert to_hex(style.ink(style.BLACK)) == style.BLACK
