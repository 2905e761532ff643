"""Features of the winner: who it is follows from the scores, so nothing is planned for it before they are there."""

from __future__ import annotations

from pathlib import Path

from support.checkouts import STUDY, edit, planned, snakemake


def test_where_weights_and_features_are_elsewhere_a_new_value_is_trained_alone(here: Path) -> None:
    edit(here / STUDY, "features: {runs: [baseline", "features: {runs: [best, baseline")
    snakemake(here, "features")
    results = here / "results/tiny"
    assert (results / "features/best.json").exists()
    for arrays in [*results.glob("features/*.safetensors"), *results.glob("checkpoints/*/*.safetensors")]:
        arrays.unlink()
    assert planned(here, "features") == {}
    edit(here / STUDY, "width: [8, 16]", "width: [8, 16, 24]")
    plan = planned(here, "features")
    assert plan["train_run"] == ["results/tiny/checkpoints/width=24/seed0.safetensors"]
    assert "extract_features" not in plan, "whose, is not known yet"
