"""Direct labels: boxes spread without overlap, labels that give way, words that are cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from vitflow.figures import style
from vitflow.figures.labels import Label, place, spread, taken_for, wrap
from vitflow.figures.style import new_figure, styled

BOXES = st.lists(st.tuples(st.floats(-2, 3), st.floats(0.01, 0.3)), min_size=1, max_size=9)


@settings(deadline=None, max_examples=200)
@given(BOXES)
def test_spread_boxes_keep_their_order_inside_and_apart(boxes: list[tuple[float, float]]) -> None:
    wanted, sizes = [w for w, _ in boxes], [s for _, s in boxes]
    centres = np.array(spread(wanted, sizes, 0.0, 1.0))
    half = np.array(sizes) / 2 * min(1.0, 1 / sum(sizes))
    order = np.argsort(wanted, kind="stable")
    assert (centres - half >= -1e-9).all() and (centres + half <= 1 + 1e-9).all()
    low, high = (centres - half)[order], (centres + half)[order]
    assert (low[1:] >= high[:-1] - 1e-9).all()


def test_spread_leaves_what_does_not_crowd_and_shares_what_does() -> None:
    assert spread([0.2, 0.8, 0.5], [0.1, 0.1, 0.1], 0, 1) == pytest.approx([0.2, 0.8, 0.5])
    assert spread([0.5, 0.5], [0.2, 0.2], 0, 1) == pytest.approx([0.4, 0.6])
    assert spread([], [], 0, 1) == []


def test_label_gives_way_to_points_and_is_left_out_where_nothing_is_free() -> None:
    with style.styled():
        figure = style.new_figure(style.FULL)
        axes = figure.subplots()
        axes.set(xlim=(0, 1), ylim=(0, 1))
        assert place(axes, [Label(0.5, 0.5, "free", style.BLACK)], [(0.5, 0.5)]) == []
        assert axes.texts[0].get_position()[0] > 0  # to the right of its point, the first choice
        right = [(0.5 + k / 100, 0.5) for k in range(8)]
        place(axes, [Label(0.5, 0.5, "second", style.BLACK)], right)
        assert axes.texts[1].get_position()[0] < 0  # to the left: points and the first label stand at the right
        grid = [(x, y) for x in np.linspace(0, 1, 100) for y in np.linspace(0, 1, 60)]
        assert place(axes, [Label(0.5, 0.5, "gone", style.BLACK, must=False)], grid) == ["gone"]
        assert len(axes.texts) == 2


def test_wrapped_labels_fit_and_say_when_they_are_cut() -> None:
    long = "strong-decay-with_crops and a very long explanation of everything else that was changed"
    lines = wrap(long, 20).split("\n")
    assert len(lines) == 2 and max(map(len, lines)) <= 20 and lines[-1].endswith("…")
    assert wrap("patch size 2", 20) == "patch size 2"


def test_a_number_stays_beside_its_word_where_both_fit() -> None:
    assert wrap("ResNet-18, width 16", 18) == "ResNet-18,\nwidth 16"
    assert wrap("Category 12", 10) == "Category\n12"


def test_long_labels_are_abbreviated_before_their_ends_which_tell_them_apart_are_cut() -> None:
    own = "learning rate 0.008, weight decay 0.05"
    assert wrap(f"ResNet-18, width 16, {own}", 22) == "ResNet-18, width 16,\nlr 0.008, wd 0.05"
    assert wrap(f"ResNet-18, width 16, {own}", 18, 3) == "ResNet-18,\nwidth 16,\nlr 0.008, wd 0.05"
    assert wrap(own, 20) == "learning rate 0.008,\nweight decay 0.05"


def test_an_arrow_points_to_what_was_predicted_whatever_direction_the_names_run_in() -> None:
    """Inked from left to right, true class, arrow, predicted class: as with Latin names of the same widths."""

    def columns(text: str) -> list[int]:
        figure = new_figure((5, 1))
        figure.text(0.05, 0.3, text, fontsize=30)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        dark = np.asarray(canvas.buffer_rgba())[..., 0].min(axis=0) < 128
        return np.flatnonzero(dark).tolist()

    arabic, latin = "\u0642\u0637\u0629", "dog"
    with styled(arabic):
        alone = columns(arabic)
        assert columns(taken_for(arabic, latin))[: len(alone)] == alone
        assert columns(f"{arabic} → {latin}")[: len(alone)] != alone, "without help the predicted class comes first"
        assert taken_for("cat", latin) == "cat → dog"
