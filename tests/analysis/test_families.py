"""The model of another family that a slide is about."""

from __future__ import annotations

import pytest
from support.records import a_run, around, diverged, rival

from vitflow.analysis.claims import best_family
from vitflow.analysis.records import Run


@pytest.mark.parametrize(
    ("rivals", "best"),
    [
        ([rival(-2.0), rival(1.0), rival(0.5)], 1),
        ([diverged(5, points=9.0, kind="family", family="resnet"), rival(-1.0)], 1),
        ([rival(9.0, "vit"), rival(-1.0)], 1),
        ([rival(None), rival(1.0, "vit")], 1),
        ([rival(None)], None),
        ([a_run(9.0)], None),
        ([rival(9.0).model_copy(update={"validation": around(60.0)}), rival(-1.0)], 1),  # test images choose nothing
    ],
)
def test_the_best_steady_model_of_another_family_stands_for_all(rivals: list[Run], best: int | None) -> None:
    found = best_family({"baseline": a_run(None)} | {str(k): run for k, run in enumerate(rivals)})
    assert found is (None if best is None else rivals[best])
