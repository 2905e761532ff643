"""Attention and its variants, against their formulas."""

from __future__ import annotations

import math

import pytest
import torch
from support.networks import scramble, vit
from torch import Tensor, nn

from vitflow.models.attention import Attention, LocalityAttention
from vitflow.models.build import build
from vitflow.models.position import Position
from vitflow.models.qk_norm import L2QKNorm, RMSQKNorm
from vitflow.study.models import ViT as ViTConfig

close = torch.testing.assert_close


def test_attention_is_the_textbook_formula() -> None:
    torch.manual_seed(0)
    attention = Attention(ViTConfig(width=6, heads=3), tokens=5).double()
    scramble(attention)
    tokens = torch.randn(2, 5, 6, dtype=torch.float64)

    queries, keys, values = (tokens @ attention.qkv.weight.T + attention.qkv.bias).chunk(3, dim=-1)
    heads = []
    for head in (slice(0, 2), slice(2, 4), slice(4, 6)):
        scores = queries[..., head] @ keys[..., head].transpose(1, 2) / 2**0.5
        heads.append(scores.softmax(dim=-1) @ values[..., head])
    expected = torch.cat(heads, dim=-1) @ attention.projection.weight.T + attention.projection.bias

    torch.testing.assert_close(attention(tokens, Position()), expected)


def attention_of(config: ViTConfig, tokens: int) -> Attention:
    torch.manual_seed(0)
    attention = {"full": Attention, "locality": LocalityAttention}[config.attention](config, tokens).double()
    for parameter in attention.parameters():
        nn.init.normal_(parameter, std=0.5) if parameter.numel() > 1 else nn.init.uniform_(parameter, 2, 5)
    return attention


@pytest.mark.parametrize(
    ("kind", "qk_norm"),
    [("full", "none"), ("full", "l2"), ("full", "rmsnorm"), ("locality", "none"), ("locality", "rmsnorm")],
)
def test_attention_is_the_formula_of_its_variant(kind: str, qk_norm: str) -> None:
    attention = attention_of(vit(width=6, attention=kind, qk_norm=qk_norm), tokens=5)
    tokens = torch.randn(2, 5, 6, dtype=torch.float64)
    queries, keys, values = (tokens @ attention.qkv.weight.T + attention.qkv.bias).chunk(3, dim=-1)
    heads = []
    for number, head in enumerate((slice(0, 2), slice(2, 4), slice(4, 6))):
        q, k, v = queries[..., head], keys[..., head], values[..., head]
        scale = 2**-0.5
        if isinstance(attention.qk_norm, L2QKNorm):
            q, k = q / q.norm(dim=-1, keepdim=True), k / k.norm(dim=-1, keepdim=True)
            scale = attention.qk_norm.gain
        if isinstance(attention.qk_norm, RMSQKNorm):
            norms = attention.qk_norm.queries.weight, attention.qk_norm.keys.weight
            q, k = (
                x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt() * w for x, w in zip((q, k), norms, strict=True)
            )
        if isinstance(attention, LocalityAttention):
            scale = 1 / attention.temperature[number]
        scores = q @ k.mT * scale
        if kind == "locality":
            scores = scores.masked_fill(torch.eye(5, dtype=torch.bool), -math.inf)
        heads.append(scores.softmax(dim=-1) @ v)
    expected = torch.cat(heads, dim=-1) @ attention.projection.weight.T + attention.projection.bias
    close(attention(tokens, Position()), expected)


@pytest.mark.parametrize(
    ("kind", "qk_norm"),
    [("full", "none"), ("full", "l2"), ("full", "rmsnorm"), ("locality", "none"), ("locality", "rmsnorm")],
)
def test_products_under_autocast_on_a_cpu_equal_the_fused_kernel(kind: str, qk_norm: str) -> None:
    attention = attention_of(vit(attention=kind, qk_norm=qk_norm), tokens=5).float()
    parts = attention.project(0.3 * torch.randn(2, 5, 24), Position())
    with torch.autocast("cpu", torch.bfloat16):
        mixed = attention.mix(*parts)
    assert mixed.dtype == torch.bfloat16, "the products were taken, in bfloat16"
    torch.testing.assert_close(mixed.float(), attention.fused(*parts), rtol=0.03, atol=0.03)


@pytest.mark.parametrize(("qk_norm", "invariant"), [("l2", True), ("rmsnorm", True), ("none", False)])
def test_normalised_attention_does_not_see_the_length_of_queries_and_keys(qk_norm: str, invariant: bool) -> None:
    attention = attention_of(vit(qk_norm=qk_norm), tokens=5)
    tokens = torch.randn(2, 5, 24, dtype=torch.float64)
    before = attention(tokens, Position())
    with torch.no_grad():
        attention.qkv.weight[:24] *= 30
        attention.qkv.bias[:24] *= 30
        attention.qkv.weight[24:48] *= 0.2
        attention.qkv.bias[24:48] *= 0.2
    difference = (attention(tokens, Position()) - before).abs().max()
    assert (difference < 1e-4) == invariant


@pytest.mark.parametrize(("qk_norm", "length"), [("l2", 1), ("rmsnorm", 8**0.5)])
def test_queries_and_keys_are_normalised_before_they_are_turned(qk_norm: str, length: float) -> None:
    class Watching(Position):
        """Says how long queries and keys are that come to be rotated."""

        def rotate(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
            self.lengths = queries.norm(dim=-1), keys.norm(dim=-1)
            return queries, keys

    attention, position = Attention(vit(qk_norm=qk_norm), tokens=5), Watching()
    attention(30 * torch.randn(2, 5, 24), position)
    gain = attention.qk_norm.gain if qk_norm == "l2" else 1
    close(position.lengths[0] / gain, torch.full((2, 3, 5), float(length)))
    close(position.lengths[1], torch.full((2, 3, 5), float(length)))


def test_scales_of_scores_start_where_their_papers_say() -> None:
    for config, n in ((vit(qk_norm="l2"), 17), (vit(qk_norm="l2", registers=4, pool="mean"), 20)):
        block = build(config, 16, 3, 10).blocks[0]
        assert block.attention.qk_norm.gain.item() == pytest.approx(math.log2(n * n - n))
    temperature = build(vit(attention="locality"), 16, 3, 10).blocks[0].attention.temperature
    assert temperature.flatten().tolist() == pytest.approx([8**0.5] * 3), "one a head"
    assert build(vit(qk_norm="rmsnorm"), 16, 3, 10).blocks[0].attention.qk_norm.scale is None  # 1/sqrt(K) stays


def test_at_the_start_locality_attention_differs_by_the_diagonal_alone() -> None:
    attention = LocalityAttention(vit(attention="locality"), tokens=5).double()
    tokens = torch.randn(2, 5, 24, dtype=torch.float64)
    masked = attention(tokens, Position())
    attention.others.fill_(True)
    assert (masked - attention(tokens, Position())).abs().max() > 1e-3
    full = Attention(vit(), tokens=5).double()
    full.load_state_dict({name: attention.state_dict()[name] for name in full.state_dict()})
    close(attention(tokens, Position()), full(tokens, Position()), atol=1e-6, rtol=0)
