"""The ViT and its variants against code that nobody here wrote, in float64 with the same weights.

Logits and the gradient of every parameter agree to 1e-5. Where a reference has another convention (an order
of features, the logarithm of a temperature), the test says so and maps it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from einops.layers.torch import Rearrange
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import register_parametrization

from vitflow.machine.compat import import_torchvision
from vitflow.models.attention import LocalityAttention
from vitflow.models.block import BLOCKS
from vitflow.models.build import build
from vitflow.models.patch_embed import ConvStem, OverlapPatchEmbed, ShiftedPatchEmbed
from vitflow.models.position import Position
from vitflow.models.residual import rates
from vitflow.models.vit import ViT
from vitflow.study.models import ViT as ViTConfig

import_torchvision()  # before timm, which imports it
from timm.layers import GluMlp, Mlp, RmsNorm, SwiGLUPacked, calculate_drop_path_rates  # noqa: E402
from timm.models.pvt_v2 import OverlapPatchEmbed as TimmOverlapPatchEmbed  # noqa: E402
from timm.models.vision_transformer import VisionTransformer  # noqa: E402
from timm.models.vision_transformer_hybrid import ConvStem as TimmConvStem  # noqa: E402
from vit_pytorch.vit_for_small_dataset import LSA, SPT  # noqa: E402
from vit_pytorch.vit_for_small_dataset import ViT as SmallDatasetViT  # noqa: E402

close = partial(torch.testing.assert_close, atol=1e-5, rtol=1e-5)


def scramble(model: nn.Module) -> None:
    """Random numbers in every parameter, so that a forgotten bias or scale shows."""
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=parameter.shape[-1] ** -0.5 if parameter.ndim == 2 else 0.3)


def gradients(model: nn.Module, inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """The output, and the gradient of its cross-entropy (in the last dimension) by parameter."""
    output = model(inputs)
    scores = output.reshape(-1, output.shape[-1])
    loss = F.cross_entropy(scores, torch.arange(len(scores)) % scores.shape[-1])
    names, parameters = zip(*model.named_parameters(), strict=True)
    return output, dict(zip(names, torch.autograd.grad(loss, parameters), strict=True))


def assert_equal_models(ours: nn.Module, theirs: nn.Module, name: Callable[[str], str], inputs: Tensor) -> None:
    """Copy our weights to theirs by ``name``, and compare outputs and all gradients."""
    shapes = {key: value.shape for key, value in theirs.state_dict().items()}
    theirs.load_state_dict({name(key): value.view(shapes[name(key)]) for key, value in ours.state_dict().items()})
    output, mine = gradients(ours, inputs)
    expected, reference = gradients(theirs, inputs)
    assert output.std() > 0.1
    close(output, expected)
    assert {name(key) for key in mine} == reference.keys()
    for key, gradient in mine.items():
        assert gradient.any(), key
        close(gradient, reference[name(key)].view_as(gradient))


def renamed(pairs: dict[str, str]) -> Callable[[str], str]:
    """A function that replaces parts of a parameter's name, one after the other."""

    def name(ours: str) -> str:
        for old, new in pairs.items():
            ours = ours.replace(old, new)
        return ours

    return name


# ---------------------------------------------------------------------------------------- timm


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


class TwoPrefixes(nn.Module):
    """Our prefix, its parameter split in [CLS] and registers."""

    def __init__(self, tokens: Tensor, cls: bool) -> None:
        super().__init__()
        if cls:
            self.cls = nn.Parameter(tokens[:, :1].clone())
        self.registers = nn.Parameter(tokens[:, int(cls) :].clone())

    def forward(self, patches: Tensor) -> Tensor:
        return torch.cat([*(p.expand(len(patches), -1, -1) for p in self.parameters()), patches], dim=1)


def test_drop_path_rises_as_in_timm() -> None:
    for depth in (1, 2, 6, 12):
        assert rates(0.3, depth) == pytest.approx(calculate_drop_path_rates(0.3, depth))


def test_an_overlapping_embedding_equals_pvtv2s_without_its_norm() -> None:
    torch.manual_seed(0)
    ours = OverlapPatchEmbed(ViTConfig(patch_size=4, width=24, heads=1, patch_embed="overlap"), 16, 3).double()
    theirs = TimmOverlapPatchEmbed(patch_size=7, stride=4, in_chans=3, embed_dim=24).double()
    theirs.norm = nn.Identity()

    class Tokens(nn.Module):
        """timm's map, row by row."""

        def __init__(self) -> None:
            super().__init__()
            self.map = theirs

        def forward(self, images: Tensor) -> Tensor:
            return self.map(images).flatten(1, 2)

    scramble(ours)
    name = renamed({"projection": "map.proj"})
    assert_equal_models(ours, Tokens(), name, torch.randn(4, 3, 16, 16, dtype=torch.float64))


def test_the_convolutional_stem_equals_timms() -> None:
    torch.manual_seed(0)
    ours = ConvStem(ViTConfig(patch_size=8, width=32, heads=1, patch_embed="conv_stem"), 32, 3).double()
    theirs = TimmConvStem(
        3, depth=4, channels=(8, 16, 32, 32), kernel_size=(3, 3, 3, 1), stride=(2, 2, 2, 1), padding=(1, 1, 1, 0)
    ).double()
    for ours_, theirs_ in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        nn.init.uniform_(ours_, 0.5, 1) if ours_.ndim == 1 else nn.init.normal_(ours_) if ours_.ndim else None
        theirs_.copy_(ours_)
    images = torch.randn(4, 3, 32, 32, dtype=torch.float64)
    mine, reference = ours(images), theirs(images).flatten(2).mT
    assert mine.shape == (4, 16, 32)
    close(mine, reference)
    grads = [
        torch.autograd.grad(out.square().sum(), list(m.parameters())) for out, m in ((mine, ours), (reference, theirs))
    ]
    close(*grads)


# ---------------------------------------------------------------------------------------- vit-pytorch


class DiagonalSPT(SPT):
    """vit-pytorch's tokenisation with the paper's shifts and our order of pixels.

    vit-pytorch shifts by one pixel along the axes, the paper by half a patch along the diagonals. Within a
    patch vit-pytorch counts channels fastest, we slowest.
    """

    def __init__(self, patch_size: int, **options: Any) -> None:
        super().__init__(patch_size=patch_size, **options)
        self.shift = patch_size // 2
        self.to_patch_tokens[0] = Rearrange("b c (h p1) (w p2) -> b (h w) (c p1 p2)", p1=patch_size, p2=patch_size)
        self.to_patch_tokens[1].eps = 1e-6

    def forward(self, images: Tensor) -> Tensor:
        padded = F.pad(images, [self.shift] * 4)
        side, ways = images.shape[-1], (0, 2 * self.shift)
        moved = [padded[..., y : y + side, x : x + side] for y in ways for x in ways]
        return self.to_patch_tokens(torch.cat([images, *moved], dim=1))


@pytest.mark.parametrize("patch_size", [2, 4, 5])
def test_shifted_patches_equal_vit_pytorchs_with_the_shifts_exchanged(patch_size: int) -> None:
    torch.manual_seed(0)
    config = ViTConfig(patch_size=patch_size, width=24, heads=1, patch_embed="shifted")
    ours = ShiftedPatchEmbed(config, 4 * patch_size, 3).double()
    scramble(ours)
    theirs = DiagonalSPT(patch_size, dim=24).double()
    name = renamed({"norm": "to_patch_tokens.1", "projection": "to_patch_tokens.2"})
    assert_equal_models(ours, theirs, name, torch.randn(3, 3, *[4 * patch_size] * 2, dtype=torch.float64))


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
        close(module.temperature.exp(), torch.tensor(8**-0.5))
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


# ---------------------------------------------------------------------------------------- torch


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
