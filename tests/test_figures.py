"""The figures room: what is drawn is what was measured, and it can be read."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from PIL import Image
from support.analysis import LONG, MANY, example_study, write_analysis

from vitflow.figures import axis, calibration, confusion, cost, curves, differences, pca, style
from vitflow.figures.draw import draw, drawings, names
from vitflow.figures.labels import Label, place, spread, wrap
from vitflow.figures.read import Analysis, FigureError, read
from vitflow.study.schema import Study

TWO = {"runs": ["baseline", "resnet18"]}
THREE = {"runs": ["baseline", "resnet18", "resnet18-half"]}
DIGITS: dict[str, Any] = {
    "dataset": {"name": "digits"},
    "baseline": {"patch_size": 2, "width": 32, "depth": 2, "heads": 4},
    "training": {"epochs": 3, "warmup_epochs": 1},
    "ablations": {"architecture": {"patch_size": [1, 2, 4]}},
    "references": {"resnet18": {"family": "resnet", "width": 8}},
}
POOL = {"architecture": {"pool": ["cls", "mean"]}}
CASES: dict[str, tuple[Study, dict[str, int]]] = {
    "one seed": (example_study(1, features=TWO), {}),
    "diverged": (
        example_study(3, 6, features=THREE),
        {"patch_size=8": 1, "heads=96": 3, "resnet50": 1, "baseline": 1},
    ),
    "baseline diverged": (example_study(2, ablations=POOL, features=TWO), {"baseline": 2, "resnet18": 2}),
    "forty runs": (
        example_study(3, 6, ablations=LONG | MANY, features=THREE),
        {"learning_rate=0.004": 2, "batch_size=1024": 3},
    ),
    "long names": (example_study(2, ablations=LONG, features=TWO), {}),
    "digits": (example_study(2, features=TWO, **DIGITS), {}),
    "baseline alone": (example_study(1, ablations={}, references={}), {}),
    "hundred classes": (example_study(2, dataset={"name": "cifar100"}, ablations=POOL, features=TWO), {}),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An analysis folder for each case."""
    root = tmp_path_factory.mktemp("analysis")
    for number, (study, diverged) in enumerate(CASES.values()):
        write_analysis(root / str(number), study, diverged)
    return {case: root / str(number) for number, case in enumerate(CASES)}


@pytest.fixture(scope="module")
def drawn(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The figures of the study with diverged runs."""
    out = tmp_path_factory.mktemp("figures")
    draw(folders["diverged"], out)
    return out


@pytest.fixture
def diverged(folders: dict[str, Path]) -> Iterator[Analysis]:
    with style.styled():
        yield read(folders["diverged"])


# ------------------------------------------------------------------------------------- files


def test_names_are_the_drawn_files(drawn: Path) -> None:
    stems = names(CASES["diverged"][0])
    axes = [f"axis-architecture-{axis}" for axis in ("patch_size", "width", "depth", "heads")]
    rest = ["differences", "accuracy-cost", "pca", "pca-patches", "confusion", "calibration"]
    assert stems == ["curves", *axes, *rest]
    expected = {f"{stem}.{kind}" for stem in stems for kind in ("svg", "png")} | {"captions.json"}
    assert {path.name for path in drawn.iterdir()} == expected
    assert set(json.loads((drawn / "captions.json").read_text())) == set(stems)


@pytest.mark.parametrize("case", CASES)
def test_names_agree_with_drawings_in_every_study(case: str, folders: dict[str, Path]) -> None:
    assert names(CASES[case][0]) == list(drawings(folders[case]))


def test_names_need_neither_torch_nor_matplotlib() -> None:
    code = (
        "import sys; from vitflow.study import parse_study; from vitflow.figures.draw import names;"
        "names(parse_study({'study': 's', 'dataset': {'name': 'digits'},"
        " 'baseline': {'patch_size': 2, 'heads': 1}}, 'x'));"
        "assert not {'torch', 'matplotlib', 'numpy'} & set(sys.modules), 'heavy import'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_rerun_gives_identical_bytes(drawn: Path, folders: dict[str, Path], tmp_path: Path) -> None:
    """Also in another process, with other hashes, at another date, under a matplotlibrc of the user's own."""
    (tmp_path / "matplotlibrc").write_text("font.size: 30\naxes.linewidth: 5\nsavefig.dpi: 40\n")
    code = (
        "import sys; from pathlib import Path; from vitflow.figures.draw import draw;"
        "draw(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    environment = os.environ | {
        "PYTHONHASHSEED": "7",
        "SOURCE_DATE_EPOCH": "1000000000",
        "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
    }
    there = [str(folders["diverged"]), str(tmp_path / "there")]
    subprocess.run([sys.executable, "-c", code, *there], check=True, timeout=120, env=environment)
    files = {path.name: path.read_bytes() for path in drawn.iterdir()}
    assert files.keys() == {path.name for path in (tmp_path / "there").iterdir()}
    assert [name for name in files if files[name] != (tmp_path / "there" / name).read_bytes()] == []


def test_pictures_have_the_size_of_their_place_on_the_slide(drawn: Path) -> None:
    for stem in names(CASES["diverged"][0]):
        width, height = (7.6, 5.1) if stem == "pca" or stem.startswith("axis-") else (12.1, 4.7)
        with Image.open(drawn / f"{stem}.png") as picture:
            assert picture.size == (round(150 * width), round(150 * height))
        svg = (drawn / f"{stem}.svg").read_text()
        assert f'width="{72 * width:g}pt" height="{72 * height:g}pt"' in svg


def test_svg_has_letters_as_paths_and_no_date(drawn: Path) -> None:
    for path in drawn.glob("*.svg"):
        svg = path.read_text()
        assert "<text" not in svg and "<dc:date>" not in svg and "DejaVuSans" in svg, path.name


def test_scatter_of_images_is_pixels_in_the_svg(drawn: Path) -> None:
    svg = (drawn / "pca.svg").read_text()
    assert svg.count("<image") == 3 and svg.count("<use") < 1000  # three models, thousands of points


@pytest.mark.parametrize("name", ["summary.json", "curves.csv", "confusion.json", "calibration.json", "pca.json"])
def test_missing_or_damaged_input_is_one_line_naming_the_file(name: str, tmp_path: Path) -> None:
    write_analysis(tmp_path / "analysis", CASES["baseline alone"][0])
    broken = tmp_path / "analysis" / name
    whole = broken.read_text()
    broken.unlink()
    with pytest.raises(FigureError, match=re.escape(str(broken))) as missing:
        draw(tmp_path / "analysis", tmp_path / "out")
    assert "no such file" in str(missing.value) and "\n" not in str(missing.value)
    broken.write_text(whole[: len(whole) // 2].rsplit(",", 1)[0] + ",x\n")
    with pytest.raises(FigureError, match=re.escape(str(broken))) as damaged:
        draw(tmp_path / "analysis", tmp_path / "out")
    assert "damaged" in str(damaged.value) and "\n" not in str(damaged.value)
    assert not (tmp_path / "out").exists()


# ------------------------------------------------------------------------------------- words


def test_captions_are_one_line_and_alt_texts_state_n_and_bands(drawn: Path) -> None:
    for stem, words in json.loads((drawn / "captions.json").read_text()).items():
        assert words["caption"] and "\n" not in words["caption"], stem
        assert re.search(r"\bn = \d", words["alt"]), stem
        assert re.search(r"no bands|standard deviation|grey band is", words["alt"]), stem


def test_alt_texts_name_diverged_runs(drawn: Path) -> None:
    captions = json.loads((drawn / "captions.json").read_text())
    for stem in ("curves", "differences", "accuracy-cost", "axis-architecture-heads"):
        assert "heads 96 (3 of 3)" in captions[stem]["alt"], stem
    assert "Diverged" in captions["axis-architecture-width"]["alt"]  # the baseline's one
    assert "heads 96" not in captions["axis-architecture-width"]["alt"]


# ------------------------------------------------------------------------------------- legibility


@contextmanager
def recorded() -> Iterator[list[Text]]:
    """The texts that are really drawn: matplotlib keeps many more, such as labels of ticks out of view."""
    texts: list[Text] = []
    original = Text.draw

    def recording(self: Text, renderer: Any) -> None:
        if self.get_visible() and self.get_text():
            texts.append(self)
        original(self, renderer)

    Text.draw = recording  # type: ignore[method-assign]
    try:
        yield texts
    finally:
        Text.draw = original  # type: ignore[method-assign]


def texts_of(figure: Figure) -> list[Text]:
    matplotlib.backends.backend_agg.FigureCanvasAgg(figure)
    with recorded() as texts:
        figure.draw_without_rendering()
    return texts


@pytest.mark.parametrize("case", [case for case in CASES if case != "one seed"])
def test_texts_do_not_overlap_nor_leave_the_figure_and_can_be_read(case: str, folders: dict[str, Path]) -> None:
    with style.styled():
        for stem, make in drawings(folders[case]).items():
            figure = make().figure
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

    for colour in (*style.AXIS_COLOURS, *style.REFERENCE_COLOURS, *pca.CLASS_COLOURS):
        assert 1.05 / (luminance(style.ink(colour)) + 0.05) >= 4.5, colour
    assert to_hex(style.ink(style.BLACK)) == style.BLACK


# ------------------------------------------------------------------------------------- colours


def test_a_run_looks_alike_in_all_figures_and_unlike_other_axes() -> None:
    summary = {
        "references": ["r1", "r2", "r3"],
        "axes": [{"values": [{"run": "baseline"}, {"run": f"a{k}"}]} for k in range(18)],
        "runs": dict.fromkeys(["baseline", "r1", "r2", "r3", *(f"a{k}" for k in range(18)), "crossed"]),
    }
    look = style.looks(summary)
    pairs = [(shown.colour, shown.marker) for name, shown in look.items() if name not in ("crossed", "baseline")]
    assert len(set(pairs)) == len(pairs)
    assert look["baseline"].colour == style.BLACK
    assert not {look[f"r{k}"].colour for k in (1, 2, 3)} & {look[f"a{k}"].colour for k in range(18)}


def test_references_have_the_same_colour_in_curves_cost_and_calibration(diverged: Analysis) -> None:
    colour = style.looks(diverged.summary)["resnet18"].colour
    for drawing in (curves.draw(diverged), cost.draw(diverged), calibration.draw(diverged)):
        lines = [line for axes in drawing.figure.axes for line in axes.get_lines()]
        assert colour in {to_hex(line.get_color()).upper() for line in lines}


# ------------------------------------------------------------------------------------- numbers


def test_axis_dots_are_the_seeds_bars_their_mean_boxes_their_deviation(diverged: Analysis) -> None:
    summary = diverged.summary
    index = [a["axis"] for a in summary["axes"]].index("patch_size")
    upper, lower = axis.draw(diverged, index).figure.axes
    tests = [summary["runs"][p["run"]]["test"] for p in summary["axes"][index]["values"]]
    dots = [np.sort(np.asarray(c.get_offsets())[:, 1]) for c in upper.collections]
    assert [len(d) for d in dots] == [3, 5, 2]  # one seed of the baseline and one of patch size 8 diverged
    for found, test in zip(dots, tests, strict=True):
        np.testing.assert_allclose(found, np.sort(test["values"]))
    bars = [line.get_ydata() for line in upper.get_lines() if line.get_linewidth() == 3]
    np.testing.assert_allclose([b[0] for b in bars], [np.mean(t["values"]) for t in tests], atol=1e-4)
    boxes = [p for p in upper.patches if isinstance(p, Rectangle) and p.get_width() == 0.5]
    spans = [(b.get_y(), b.get_height()) for b in boxes]
    expected = [(np.mean(v) - np.std(v, ddof=1), 2 * np.std(v, ddof=1)) for v in (t["values"] for t in tests)]
    np.testing.assert_allclose(spans, expected, atol=2e-4)
    counts = [summary["runs"][p["run"]]["multiplications"] for p in summary["axes"][index]["values"]]
    assert [p.get_height() for p in lower.patches] == counts
    assert lower.get_ylim()[0] == 0
    labels = [t.get_text() for t in lower.get_xticklabels()]
    assert labels == ["2\nn = 3", "4\nn = 5", "8\nn = 2"]


def test_axis_of_one_seed_has_no_deviation(folders: dict[str, Path]) -> None:
    with style.styled():
        upper = axis.draw(read(folders["one seed"]), 0).figure.axes[0]
    assert not [p for p in upper.patches if isinstance(p, Rectangle) and p.get_width() == 0.5]
    assert [len(c.get_offsets()) for c in upper.collections] == [1, 1, 1]


def test_diverged_run_is_marked_and_not_drawn(diverged: Analysis) -> None:
    index = [a["axis"] for a in diverged.summary["axes"]].index("heads")
    upper, lower = axis.draw(diverged, index).figure.axes
    assert len(upper.collections) == 3  # of four values
    marks = {round(t.get_position()[0]): t.get_text() for t in upper.texts if "diverged" in t.get_text()}
    assert marks == {2: "× 1 of 6\ndiverged", 3: "× 3 of 3\ndiverged"}
    times = [diverged.summary["runs"][p["run"]]["time_ratio"] for p in diverged.summary["axes"][index]["values"]]
    assert [p.get_height() for p in lower.patches] == times, "multiplications do not change"


def test_an_axis_whose_times_are_not_measured_shows_multiplications(diverged: Analysis) -> None:
    summary = json.loads(json.dumps(diverged.summary))
    index = [a["axis"] for a in summary["axes"]].index("heads")
    counts = [summary["runs"][p["run"]]["multiplications"] for p in summary["axes"][index]["values"]]
    for run in summary["runs"].values():
        run["time_ratio"] = None
    unmeasured = dataclasses.replace(diverged, summary=summary | {"measured_on": ""})
    with style.styled():
        _, lower = axis.draw(unmeasured, index).figure.axes
        exact, timed = cost.draw(unmeasured).figure.axes
    assert [p.get_height() for p in lower.patches] == counts
    assert len(exact.containers) > 5 and not timed.containers


@pytest.mark.parametrize(
    ("number", "said"), [(0.5, "0.5"), (1, "1"), (1.257, "1.26"), (24, "24"), (890e3, "890 k"), (1.3e9, "1.3 G")]
)
def test_numbers_under_bars_are_short(number: float, said: str) -> None:
    assert axis.short(number) == said


def test_dots_of_differences_average_to_the_stated_difference(diverged: Analysis) -> None:
    drawing = differences.draw(diverged)
    texts = texts_of(drawing.figure)
    for name, run in diverged.summary["runs"].items():
        if not run["difference"]:
            continue
        points = [line for a in drawing.figure.axes for line in a.get_lines() if line.get_marker() == "o"]
        means = [np.mean(line.get_xdata()) for line in points if len(line.get_xdata()) == run["n"]]
        assert np.isclose(means, run["difference"]["test"], atol=1e-4).any(), name
    shown = {t.get_text() for t in texts}
    assert "diverged" in shown and "0 (5, 1 ×)" in shown
    assert f"{diverged.summary['runs']['patch_size=2']['difference']['test']:+.1f} (3)" in shown


def test_every_run_has_one_row_of_differences(folders: dict[str, Path]) -> None:
    with style.styled():
        analysis = read(folders["forty runs"])
        panels = differences.draw(analysis).figure.axes
    rows = [t.get_text() for axes in panels for t in axes.get_yticklabels()]
    labels = [run["label"] for run in analysis.summary["runs"].values()]
    assert len(rows) == len(labels) == 43
    cut = [row for row in rows if row not in labels]
    assert cut == ["label smoothing 0.0,…", "weight decay 0.3,…"]  # no room for their second line
    assert len({axes.get_xlim() for axes in panels}) == 1


def test_far_runs_are_arrows_inside_the_scale(folders: dict[str, Path]) -> None:
    with style.styled():
        panels = differences.draw(read(folders["forty runs"])).figure.axes
    arrows = [(axes, line) for axes in panels for line in axes.get_lines() if line.get_marker() in ("<", ">")]
    assert [line.get_marker() for _, line in arrows] == [
        "<",
        "<",
        ">",
        ">",
        ">",
    ]  # twice no augmentation, three ResNets
    for axes, line in arrows:
        low, high = axes.get_xlim()
        assert low < line.get_xdata()[0] < high


def test_mean_curve_leaves_diverged_seeds_out(diverged: Analysis) -> None:
    loss = curves.draw(diverged).figure.axes[0]
    thick = [line for line in loss.get_lines() if line.get_linewidth() > 1]
    seeds = [diverged.curves["baseline"][seed] for seed in range(5)]  # the sixth diverged
    expected = np.mean([s["train_loss"] for s in seeds], axis=0)
    np.testing.assert_allclose(thick[0].get_ydata(), expected)
    assert len([line for line in loss.get_lines() if line.get_linewidth() < 1]) == 12  # six seeds, two splits


def test_cost_points_stand_at_counts_and_measured_times(diverged: Analysis) -> None:
    panels = cost.draw(diverged).figure.axes
    runs = diverged.summary["runs"]
    for axes, count in zip(panels, ("multiplications", "time_ratio"), strict=True):
        points = {(x, y) for line in axes.get_lines() for x, y in zip(*line.get_data(), strict=True)}
        assert axes.get_xscale() == "log"
        for name, run in runs.items():
            assert ((run[count], run["test"]["mean"]) in points) == (run["n"] > 0), name


def test_confusion_is_in_percent_of_the_true_class(diverged: Analysis) -> None:
    cells, pairs = confusion.draw(diverged).figure.axes
    matrix = np.array([cell["images"] for cell in diverged.confusion["cells"]]).reshape(10, 10)
    percent = 100 * matrix / matrix.sum(axis=1)[:, None]
    shown = cells.images[0].get_array()
    off = ~np.eye(10, dtype=bool)
    np.testing.assert_allclose(np.asarray(shown)[off], percent[off])
    assert np.ma.getmaskarray(shown)[~off].all()  # the diagonal would outshine the errors
    classes = diverged.confusion["classes"]
    i, j = np.unravel_index(np.argmax(percent * off), percent.shape)
    assert pairs.get_yticklabels()[0].get_text() == f"{classes[i]} → {classes[j]}"
    assert pairs.texts[0].get_text() == f"{percent[i, j]:.1f}"


def test_calibration_error_is_the_weighted_gap(diverged: Analysis) -> None:
    bins = {key: np.array(v) for key, v in diverged.calibration["runs"]["baseline"].items()}
    expected = np.average(np.abs(bins["accuracy"] - bins["confidence"]), weights=bins["count"])
    drawing = calibration.draw(diverged)
    assert f"baseline {expected:.1f} %" in drawing.alt
    reliability = drawing.figure.axes[0]
    black = next(line for line in reliability.get_lines() if line.get_color() == style.BLACK)
    filled = bins["count"] > 0
    assert not filled.all()  # an empty bin is no point at (0, 0)
    np.testing.assert_allclose(black.get_xydata(), np.stack([bins["confidence"], bins["accuracy"]], axis=1)[filled])


def test_pca_spectrum_is_cumulative_and_points_are_all_there(diverged: Analysis) -> None:
    drawing = pca.draw(diverged)
    *scatters, spectrum = drawing.figure.axes
    for axes, line, model in zip(scatters, spectrum.get_lines(), diverged.pca["models"], strict=True):
        assert len(axes.collections[0].get_offsets()) == diverged.pca["images"]
        np.testing.assert_allclose(line.get_ydata(), 100 * np.cumsum(model["pooled"]["explained"]))


def test_pixel_maps_show_their_pixels_unsmoothed(diverged: Analysis) -> None:
    figure = pca.draw_patches(diverged).figure
    pictures = [axes.images[0] for axes in figure.axes]
    assert len(pictures) == 8 * (1 + len(diverged.pca["models"]))
    assert {picture.get_interpolation() for picture in pictures} == {"nearest"}
    np.testing.assert_array_equal(pictures[8].get_array(), diverged.pca["models"][0]["patch"]["maps"][0])


# ------------------------------------------------------------------------------------- labels

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
