"""Effective rank and lengths of features, against numpy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.networks import BOTH, SMALL_RESNET, scramble, small_vit
from torch import nn

from vitflow.measuring.inspection import layers as module
from vitflow.measuring.inspection.layers import effective_rank, layers
from vitflow.measuring.intermediates import intermediates
from vitflow.models.build import build
from vitflow.study.models import ResNet as ResNetConfig
from vitflow.study.models import ViT as ViTConfig

IMAGES = torch.randn(7, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("variances", "expected"),
    [([2, 2, 2, 2], 4), ([5, 0, 0], 1), ([0, 0], 1), ([1, 1, 0, -1e-18], 2), ([0.5, 0.25, 0.25], 2 * 2**0.5)],
)
def test_effective_rank_in_closed_form(variances: list[float], expected: float) -> None:
    assert effective_rank(torch.tensor(variances, dtype=torch.float64)) == pytest.approx(expected)


@BOTH
def test_layers_agree_with_numpy_on_all_positions_at_once(
    config: ViTConfig | ResNetConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = build(config, 16, 3, 10).eval()
    scramble(model)
    monkeypatch.setattr(module, "AT_ONCE", 3)  # the last batch is smaller
    found = layers(model, IMAGES)
    outputs = intermediates(model, IMAGES)[1]
    assert found.keys() == outputs.keys() - {"pooled"}
    for name, layer in found.items():
        output = outputs[name].detach().double().numpy()
        # [CLS] stands before the patches of the ViT
        rows = output[:, 1:].reshape(-1, 24) if config.family == "vit" else np.moveaxis(output, 1, -1)
        rows = rows.reshape(-1, rows.shape[-1])
        eigenvalues = np.linalg.eigvalsh(np.cov(rows.T, bias=True)).clip(1e-300)
        shares = eigenvalues / eigenvalues.sum()
        lengths = np.linalg.norm(rows, axis=1)
        assert layer["width"] == rows.shape[1]
        assert layer["effective_rank"] == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-6)
        assert layer["median_norm"] == pytest.approx(np.median(lengths))
        assert layer["largest_norm"] == pytest.approx(lengths.max())


def test_registers_and_cls_are_no_positions() -> None:
    torch.manual_seed(0)
    model = small_vit(registers=2).eval()
    nn.init.constant_(model.prefix.tokens, 1e6)
    assert layers(model, IMAGES)["patch_embed"]["largest_norm"] < 1e3


def test_a_resnet_has_its_stages() -> None:
    assert list(layers(build(SMALL_RESNET, 16, 3, 10).eval(), IMAGES)) == [
        "stem",
        *(f"stage{number}" for number in range(1, 5)),
    ]
