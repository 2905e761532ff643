"""Components: the spectrum adds up, every image is a point, maps keep their pixels."""

from __future__ import annotations

import numpy as np
from support.figures import Case


def test_pca_spectrum_is_cumulative_and_points_are_all_there(diverged: Case) -> None:
    data = diverged.analysis.pca
    *scatters, spectrum = diverged.drawing("pca").figure.axes
    for axes, line, model in zip(scatters, spectrum.get_lines(), data.models, strict=True):
        assert len(axes.collections[0].get_offsets()) == data.images
        np.testing.assert_allclose(line.get_ydata(), 100 * np.cumsum(model.pooled.explained))


def test_pixel_maps_show_their_pixels_unsmoothed(diverged: Case) -> None:
    models = diverged.analysis.pca.models
    pictures = [axes.images[0] for axes in diverged.drawing("pca-patches").figure.axes]
    assert len(pictures) == 8 * (1 + len(models))
    assert {picture.get_interpolation() for picture in pictures} == {"nearest"}
    np.testing.assert_array_equal(pictures[8].get_array(), models[0].patch.maps[0])


def test_models_without_features_are_left_out_with_their_reason(cases: dict[str, Case]) -> None:
    case = cases["baseline diverged"]
    assert not case.analysis.pca.models
    for stem in ("pca", "pca-patches"):
        drawing = case.drawing(stem)
        assert "Left out: baseline (diverged at step 1000), ResNet-18 (diverged at step 1000)." in drawing.caption
        assert drawing.figure.texts[0].get_text().replace("\n", " ") == drawing.caption
