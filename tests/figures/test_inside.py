"""Figures of features and of the inspection: what stands in the records is what is drawn, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from support.figures import Case

from vitflow.figures.draw import FIGURES

FEATURES = ("pca", "pca-spectrum", "pca-patches", "attention-maps", "positions", "cka", "separation")


def test_every_image_is_a_point_at_every_layer(diverged: Case) -> None:
    data = diverged.analysis.features
    *scatters, legend = diverged.drawing("pca").figure.axes
    views = [view for model in data.models for view in model.views]
    for axes, view in zip(scatters, views, strict=True):
        points = np.asarray(axes.collections[0].get_offsets())
        assert len(points) == data.images
        np.testing.assert_allclose(np.sort(points[:, 0]), np.sort(view.points.values[:, 0].astype(float)))
        assert f"{view.place}: {view.layer}" in axes.get_title(loc="left")
    assert [text.get_text() for text in legend.texts] == list(data.classes)


def test_of_a_hundred_classes_ten_are_named_and_the_others_grey(cases: dict[str, Case]) -> None:
    drawing = cases["hundred classes"].drawing("pca")
    assert len(drawing.figure.axes[-1].texts) == 11
    assert "Only 10 of 100 classes are named." in drawing.caption


def test_spectra_are_in_percent_of_the_width(diverged: Case) -> None:
    models = diverged.analysis.features.models
    panels = diverged.drawing("pca-spectrum").figure.axes
    for column, axes in enumerate(panels):
        for line, model in zip(axes.get_lines(), models, strict=True):
            view = model.views[column]
            assert line.get_xdata()[-1] == 100 and line.get_ydata()[-1] == 100
            width = next(layer.width for layer in model.layers if layer.name == view.layer)
            np.testing.assert_allclose(line.get_xdata(), 100 * np.array(view.patch_components) / width)


def test_maps_show_their_pixels_unsmoothed(diverged: Case) -> None:
    data = diverged.analysis.features
    pictures = [axes.images[0] for axes in diverged.drawing("pca-patches").figure.axes if axes.images]
    shown = len(pictures) // (4 * len(data.models))
    assert shown == 3
    assert {picture.get_interpolation() for picture in pictures} == {"nearest"}
    per_row = shown * len(data.models)
    np.testing.assert_array_equal(pictures[0].get_array(), data.examples.values[0])
    np.testing.assert_array_equal(pictures[per_row].get_array(), data.models[0].views[0].maps.values[0])
    np.testing.assert_array_equal(pictures[2 * per_row + shown].get_array(), data.models[1].views[1].maps.values[0])


def test_attention_is_of_the_first_block_and_the_last_that_matters_to_each_query(diverged: Case) -> None:
    seen = diverged.analysis.features.models[0].attention
    assert seen is not None
    pictures = [axes.images[0].get_array() for axes in diverged.drawing("attention-maps").figure.axes if axes.images]
    # [CLS] is read after the last block, so what a patch attends to there reaches no output
    expected = [seen.image.values[0], seen.image.values[-1], seen.patch.values[0], seen.patch.values[-2]]
    for row, maps in enumerate(expected, start=1):
        np.testing.assert_array_equal(pictures[8 * row + 5], maps[5])


def test_every_head_is_a_dot_and_uniform_attention_a_line(diverged: Case) -> None:
    run = diverged.analysis.inspection.runs["baseline"]
    (axes,) = diverged.drawing("attention-distance").figure.axes
    *blocks, means, uniform = axes.get_lines()
    for line, heads in zip(blocks, run.attention or (), strict=True):
        np.testing.assert_allclose(line.get_ydata(), heads)
    np.testing.assert_allclose(means.get_ydata(), [np.mean(heads) for heads in run.attention or ()])
    assert list(uniform.get_ydata()) == [run.uniform] * 2
    low, high = axes.get_ylim()
    assert low < min(map(min, run.attention or ())) and high > (run.uniform or 0)


def test_a_place_has_a_map_with_itself_in_its_own_place(diverged: Case) -> None:
    model = diverged.analysis.features.models[0]
    assert model.position is not None
    cosine = model.position.values / 127.5 - 1
    sheet = np.asarray(diverged.drawing("positions").figure.axes[0].images[0].get_array().filled(np.nan))
    side = round(len(cosine) ** 0.5)
    row, column = 2, 5
    block = sheet[row * (side + 1) :, column * (side + 1) :][:side, :side]
    np.testing.assert_allclose(block, cosine[row * side + column].reshape(side, side))
    assert np.unravel_index(block.argmax(), block.shape) == (row, column)


def test_similarity_of_the_two_stands_between_those_of_each(diverged: Case) -> None:
    data = diverged.analysis.features
    values = {(s.one, s.other): np.array(s.values) for s in data.similarities}
    panels = [axes.images[0].get_array() for axes in diverged.drawing("cka").figure.axes if axes.images]
    for panel, pair in zip(
        panels, [("baseline", "baseline"), ("baseline", "resnet18"), ("resnet18", "resnet18")], strict=True
    ):
        np.testing.assert_array_equal(panel, values[pair])


def test_separation_ends_with_what_the_head_reads(diverged: Case) -> None:
    model = diverged.analysis.features.models[0]
    probe = diverged.drawing("separation").figure.axes[0]
    through, _, read = probe.get_lines()[:3]
    np.testing.assert_allclose(through.get_ydata(), [layer.separation.probe for layer in model.layers])
    assert list(read.get_ydata()) == [model.pooled.probe]


def test_shifts_begin_with_all_images_and_show_every_run(diverged: Case) -> None:
    data = diverged.analysis.inspection
    drawing = diverged.drawing("shifts")
    lines = drawing.figure.axes[0].get_lines()
    assert len(lines) == len(data.runs)
    assert {line.get_ydata()[0] for line in lines} == {100}
    shown = diverged.analysis.summary.runs[data.shown[0]].shifts
    assert list(lines[-1].get_ydata())[1:] == [shown[pixels].mean for pixels in ("1", "2", "3")]


def test_classes_are_in_the_order_of_their_difference(cases: dict[str, Case]) -> None:
    case = cases["hundred classes"]
    contrast = case.analysis.inspection.contrast
    assert contrast is not None
    one, other = case.drawing("classes").figure.axes[0].get_lines()
    apart = np.abs(np.array(other.get_xdata()) - np.array(one.get_xdata()))
    everything = [abs((c.other.mean or 0) - (c.one.mean or 0)) for c in contrast.classes]
    np.testing.assert_allclose(apart, sorted(everything, reverse=True)[:12])


@pytest.mark.parametrize("stem", FEATURES)
def test_models_without_features_are_left_out_with_their_reason(stem: str, cases: dict[str, Case]) -> None:
    case = cases["baseline diverged"]
    assert not case.analysis.features.models
    drawing = case.drawing(stem)
    assert "baseline (diverged at step 1000), ResNet-18 (diverged at step 1000)" in drawing.caption
    assert "No model has features" in drawing.missing and not drawing.figure.axes


def test_a_study_of_one_model_has_every_figure_or_says_what_it_lacks(cases: dict[str, Case]) -> None:
    drawings = {stem: cases["baseline alone"].drawing(stem) for stem in FIGURES}
    said = {stem: drawing.missing for stem, drawing in drawings.items() if drawing.missing}
    assert said.pop("classes") == "No two models to compare class by class"
    assert said.keys() == {"differences", "subsets", "winners"}
