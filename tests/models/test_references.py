"""The ViT and its variants against code that nobody here wrote, in float64 with the same weights.

Logits and the gradient of every parameter agree to 1e-5. Where a reference has another convention (an order
of features, the logarithm of a temperature), the test says so and maps it.
"""

from __future__ import annotations

from functools import partial

import pytest
import torch
from support.networks import agree, assert_equal_models, renamed, scramble
from support.shifted import DiagonalSPT
from timm.layers import GluMlp, Mlp, RmsNorm, SwiGLUPacked
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization
from vit_pytorch.vit_for_small_dataset import LSA
from vit_pytorch.vit_for_small_dataset import ViT as SmallDatasetViT

from vitflow.models.attention import LocalityAttention
from vitflow.models.build import build
from vitflow.models.vit import ViT
from vitflow.study.models import ViT as ViTConfig

timm_name = renamed(
    {
        "patch_embed.projection": "patch_embed.proj",
        "prefix.tokens": "cls_token",
        "prefix.cls": "cls_token",
        "prefix.registers": "reg_token",
        "position.embedding": "pos_embed",
        "attention.projection": "attn.proj",
        "attention.qkv": "attn.qkv",
        "attention.qk_norm.queries": "attn.q_norm",
        "attention.qk_norm.keys": "attn.k_norm",
        "feedforward.expand": "mlp.fc1",
        "feedforward.contract": "mlp.fc2",
        "scale1.scale": "ls1.gamma",
        "scale2.scale": "ls2.gamma",
    }
)


def timm_vit(config: ViTConfig, image_size: int, channels: int) -> VisionTransformer:
    mlps = {"gelu": Mlp, "swiglu": SwiGLUPacked, "geglu": partial(GluMlp, gate_last=False)}
    hidden = config.width * config.mlp_ratio
    if config.feedforward != "gelu":
        hidden = 2 * 8 * round(hidden / 12)  # timm counts both halves
    return VisionTransformer(
        img_size=image_size,
        patch_size=config.patch_size,
        in_chans=channels,
        num_classes=10,
        embed_dim=config.width,
        depth=config.depth,
        num_heads=config.heads,
        mlp_ratio=hidden / config.width,
        mlp_layer=mlps[config.feedforward],
        act_layer=nn.SiLU if config.feedforward == "swiglu" else nn.GELU,
        norm_layer=partial({"layernorm": nn.LayerNorm, "rmsnorm": RmsNorm}[config.norm], eps=1e-6),
        qk_norm=config.qk_norm == "rmsnorm",
        init_values=config.layer_scale,
        class_token=config.pool == "cls",
        global_pool="token" if config.pool == "cls" else "avg",
        no_embed_class=not config.cls_position,
        pos_embed="none" if config.position == "none" else "learn",
        reg_tokens=config.registers,
    ).double()


TIMM: dict[str, tuple[ViTConfig, int, int]] = {
    "plain": (ViTConfig(patch_size=4, width=48, depth=2, heads=3), 32, 3),
    "narrow heads on digits": (ViTConfig(patch_size=2, width=24, depth=3, heads=12, mlp_ratio=1.5), 8, 1),
    "mean": (ViTConfig(width=32, depth=2, heads=1, pool="mean"), 16, 3),
    "no position": (ViTConfig(width=32, depth=2, heads=2, position="none"), 16, 3),
    "[CLS] without position": (ViTConfig(width=32, depth=2, heads=2, cls_position=False), 16, 3),
    "RMSNorm": (ViTConfig(width=32, depth=2, heads=2, norm="rmsnorm"), 16, 3),
    # timm has one norm for tokens and queries
    "QK-norm": (ViTConfig(width=48, depth=2, heads=3, norm="rmsnorm", qk_norm="rmsnorm"), 16, 3),
    "SwiGLU": (ViTConfig(width=32, depth=2, heads=2, feedforward="swiglu"), 16, 3),
    "GEGLU": (ViTConfig(width=32, depth=2, heads=2, feedforward="geglu", mlp_ratio=3), 16, 3),
    "layer scale": (ViTConfig(width=32, depth=2, heads=2, layer_scale=0.1), 16, 3),
    "registers": (ViTConfig(width=32, depth=2, heads=2, registers=3, cls_position=False), 16, 3),
    "registers, mean": (ViTConfig(width=32, depth=2, heads=2, registers=4, pool="mean", cls_position=False), 16, 3),
    "many": (
        ViTConfig(
            width=32,
            depth=3,
            heads=2,
            norm="rmsnorm",
            qk_norm="rmsnorm",
            feedforward="swiglu",
            layer_scale=0.1,
            registers=1,
            cls_position=False,
        ),
        16,
        3,
    ),
}


class TwoPrefixes(nn.Module):
    """Our prefix, its parameter split in [CLS] and registers."""

    def __init__(self, tokens: Tensor, cls: bool) -> None:
        super().__init__()
        if cls:
            self.cls = nn.Parameter(tokens[:, :1].clone())
        self.registers = nn.Parameter(tokens[:, int(cls) :].clone())

    def forward(self, patches: Tensor) -> Tensor:
        return torch.cat([*(p.expand(len(patches), -1, -1) for p in self.parameters()), patches], dim=1)


@pytest.mark.parametrize("case", TIMM)
def test_vit_equals_timm_with_the_same_weights(case: str) -> None:
    config, image_size, channels = TIMM[case]
    torch.manual_seed(0)
    ours = build(config, image_size, channels, 10).double()
    assert isinstance(ours, ViT)
    scramble(ours)
    theirs = timm_vit(config, image_size, channels)
    if config.registers:  # timm keeps two parameters where we have one
        ours.prefix = TwoPrefixes(ours.prefix.tokens.detach(), cls=config.pool == "cls")
    images = torch.randn(5, channels, image_size, image_size, dtype=torch.float64)

    def name(ours: str) -> str:
        mean = config.pool == "mean" and ours.startswith("norm.")
        return f"fc_{ours}" if mean else timm_name(ours)

    assert_equal_models(ours, theirs, name, images)


class MinusLog(nn.Module):
    """vit-pytorch multiplies scores by exp(t), and we divide by T: t = -log(T)."""

    def forward(self, temperature: Tensor) -> Tensor:
        return -temperature.log()

    def right_inverse(self, exponent: Tensor) -> Tensor:
        return (-exponent).exp()


def test_locality_attention_and_shifted_patches_equal_vit_pytorchs_vit_for_small_datasets() -> None:
    torch.manual_seed(0)
    config = ViTConfig(
        patch_size=4, width=24, depth=2, heads=3, mlp_ratio=2, patch_embed="shifted", attention="locality"
    )
    ours = build(config, 16, 3, 10).double()
    theirs = SmallDatasetViT(
        image_size=16, patch_size=4, num_classes=10, dim=24, depth=2, heads=3, mlp_dim=48, dim_head=8
    )
    theirs.to_patch_embedding = DiagonalSPT(4, dim=24)
    for module in theirs.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = 1e-6
    for module in [module for module in theirs.modules() if isinstance(module, LSA)]:
        agree(module.temperature.exp(), torch.tensor(8**-0.5))
        module.temperature = nn.Parameter(torch.zeros(3, 1, 1))  # one a head, as the authors' own code and ours have
        module.to_qkv = nn.Linear(24, 72)  # with a bias, as ours
        register_parametrization(module, "temperature", MinusLog())
    theirs = theirs.double()
    scramble(ours)
    for module in ours.modules():
        if isinstance(module, LocalityAttention):
            nn.init.uniform_(module.temperature, 1.5, 4)
    tail = renamed(
        {
            "patch_embed.norm": "to_patch_embedding.to_patch_tokens.1",
            "patch_embed.projection": "to_patch_embedding.to_patch_tokens.2",
            "prefix.tokens": "cls_token",
            "position.embedding": "pos_embedding",
            "norm1.": "0.norm.",
            "attention.qkv": "0.to_qkv",
            "attention.temperature": "0.parametrizations.temperature.original",
            "attention.projection": "0.to_out.0",
            "norm2.": "1.net.0.",
            "feedforward.expand": "1.net.1",
            "feedforward.contract": "1.net.4",
            "blocks.": "transformer.layers.",
            "head.": "mlp_head.1.",
        }
    )

    def name(ours: str) -> str:
        return f"mlp_head.0.{ours.removeprefix('norm.')}" if ours.startswith("norm.") else tail(ours)

    assert_equal_models(ours, theirs, name, torch.randn(5, 3, 16, 16, dtype=torch.float64))
