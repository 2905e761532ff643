"""Blocks: both placements of the norm against torch's encoder layer, and post-norm against its formula."""

from __future__ import annotations

import pytest
import torch
from support.networks import assert_equal_models, renamed, scramble, scrambled, vit
from torch import Tensor, nn

from vitflow.models.block import BLOCKS, PostNormBlock
from vitflow.models.norm import RMSNorm
from vitflow.models.position import Position
from vitflow.study.models import ViT as ViTConfig

close = torch.testing.assert_close


@pytest.mark.parametrize("placement", ["pre", "post"])
def test_a_block_equals_torchs_encoder_layer(placement: str) -> None:
    torch.manual_seed(0)
    config = ViTConfig.model_validate({"width": 24, "heads": 3, "mlp_ratio": 2, "norm_placement": placement})
    ours = BLOCKS[placement](config, tokens=7, drop_path=0).double()
    scramble(ours)
    theirs = nn.TransformerEncoderLayer(
        24, 3, 48, dropout=0, activation="gelu", layer_norm_eps=1e-6, batch_first=True, norm_first=placement == "pre"
    ).double()

    name = renamed(
        {
            "block.": "",
            "attention.qkv.": "self_attn.in_proj_",
            "attention.projection": "self_attn.out_proj",
            "feedforward.expand": "linear1",
            "feedforward.contract": "linear2",
        }
    )

    class AtNoPosition(nn.Module):
        """The block, a module of one input."""

        def __init__(self) -> None:
            super().__init__()
            self.block = ours

        def forward(self, tokens: Tensor) -> Tensor:
            return self.block(tokens, Position())

    tokens = torch.randn(4, 7, 24, dtype=torch.float64)
    assert_equal_models(AtNoPosition(), theirs, name, tokens)


def test_post_norm_normalises_each_sum_and_needs_no_final_norm() -> None:
    model = scrambled(vit(norm_placement="post", norm="rmsnorm", layer_scale=0.1)).double()
    assert not list(model.norm.parameters())
    block = model.blocks[0]
    assert isinstance(block, PostNormBlock)
    tokens = torch.randn(2, 17, 24, dtype=torch.float64)

    def norm(x: Tensor, module: RMSNorm) -> Tensor:
        return x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt() * module.weight

    middle = norm(tokens + block.scale1.scale * block.attention(tokens, Position()), block.norm1)
    expected = norm(middle + block.scale2.scale * block.feedforward(middle), block.norm2)
    close(block(tokens, Position()), expected)
