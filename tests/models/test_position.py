"""Positions: against rotary-embedding-torch and timm, and against what the mathematics says of each."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from rotary_embedding_torch import RotaryEmbedding, apply_rotary_emb
from support.networks import scramble, vit
from timm.layers import build_sincos2d_pos_embed
from torch import Tensor

from vitflow.models.build import build
from vitflow.models.position import POSITIONS, LearnedPosition, Position, Rotation, Sinusoids
from vitflow.models.vit import ViT
from vitflow.study.models import ViT as ViTConfig
from vitflow.study.tokens import prefix_tokens

GRID = 4
ROPES = pytest.mark.parametrize("kind", ["rope1d", "rope2d"])
SINUSOIDS = pytest.mark.parametrize("kind", ["sincos1d", "sincos2d"])
close = torch.testing.assert_close


def position(kind: str, **changes: Any) -> Position:
    return POSITIONS[kind](vit(position=kind, **changes), GRID).double()


def scrambled(**changes: Any) -> ViT:
    """The model of `vit` in float64 with random numbers everywhere, for images [B, 3, 16, 16]."""
    torch.manual_seed(0)
    model = build(vit(**changes), 16, 3, 10).double()
    assert isinstance(model, ViT)
    scramble(model)
    return model


def images() -> Tensor:
    return torch.randn(2, 3, 16, 16, dtype=torch.float64)


# ---------------------------------------------------------------------------------------- rotations


@ROPES
@pytest.mark.parametrize("prefix", [{"pool": "mean"}, {}, {"registers": 4}], ids=["none", "cls", "cls and registers"])
@pytest.mark.parametrize("base", [100, 10000])
def test_rotations_equal_those_of_rotary_embedding_torch(kind: str, prefix: dict[str, Any], base: int) -> None:
    torch.manual_seed(0)
    size = 8
    ours = position(kind, position_base=base, **prefix)
    count = prefix_tokens(vit(**prefix))
    queries, keys = torch.randn(2, 2, 3, count + GRID**2, size, dtype=torch.float64, requires_grad=True).unbind(0)

    if kind == "rope1d":  # they count from 0, we from the centre
        theirs = RotaryEmbedding(size, theta=base).double()
        angles = theirs(torch.arange(GRID**2, dtype=torch.float64) - (GRID**2 - 1) / 2)
    else:
        theirs = RotaryEmbedding(size // 2, theta=base).double()
        angles = theirs.get_axial_freqs(GRID, GRID, offsets=(-(GRID - 1) / 2,) * 2).reshape(GRID**2, size)
    # they pair features 2i and 2i+1, we i and i + K/2
    order = torch.arange(size).reshape(2, size // 2).T.flatten()

    def reference(x: Tensor) -> Tensor:
        turned = apply_rotary_emb(angles, x[:, :, count:, order])[..., order.argsort()]
        return torch.cat([x[:, :, :count], turned], dim=2)

    mine, expected = ours.rotate(queries, keys), (reference(queries), reference(keys))
    close(mine, expected, atol=1e-5, rtol=1e-5)
    weights = torch.randn(count + GRID**2, count + GRID**2, dtype=torch.float64)
    gradients = [
        torch.autograd.grad(((q @ k.mT).softmax(-1) * weights).sum(), [queries, keys]) for q, k in (mine, expected)
    ]
    close(*gradients, atol=1e-5, rtol=1e-5)


def scores_of_one_query_and_key(kind: str) -> Tensor:
    """Scores [G*G, G*G] when the same query and the same key stand everywhere."""
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 1, 1, 8, dtype=torch.float64)
    queries, keys = position(kind, pool="mean").rotate(query.expand(1, 1, 16, 8), key.expand(1, 1, 16, 8))
    return (queries @ keys.mT)[0, 0]


def test_scores_of_a_rotation_along_one_axis_depend_on_the_offset_alone() -> None:
    scores = scores_of_one_query_and_key("rope1d")
    by_offset = [scores.diagonal(offset) for offset in range(-15, 16)]
    for diagonal in by_offset:
        close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-6, rtol=0)
    values = torch.stack([diagonal[0] for diagonal in by_offset])
    assert (values[:, None] - values).abs().add(torch.eye(31)).min() > 1e-4  # no two offsets look alike


def test_scores_of_a_rotation_along_two_axes_depend_on_both_offsets_alone() -> None:
    scores = scores_of_one_query_and_key("rope2d").reshape(4, 4, 4, 4)  # row, column of query; of key
    found: dict[tuple[int, int], list[float]] = {}
    for place in torch.cartesian_prod(*[torch.arange(4)] * 4).tolist():
        a, b, c, d = place
        found.setdefault((c - a, d - b), []).append(scores[a, b, c, d].item())
    assert len(found) == 49
    for values in found.values():
        assert values == pytest.approx([values[0]] * len(values), abs=1e-6)
    distinct = torch.tensor([values[0] for values in found.values()])
    assert (distinct[:, None] - distinct).abs().add(torch.eye(49)).min() > 1e-5


@ROPES
def test_prefix_tokens_are_not_turned_and_patches_keep_their_length(kind: str) -> None:
    torch.manual_seed(0)
    queries, keys = torch.randn(2, 1, 3, 5 + GRID**2, 8, dtype=torch.float64)
    turned, _ = position(kind, registers=4).rotate(queries, keys)
    assert torch.equal(turned[:, :, :5], queries[:, :, :5])
    close(turned.norm(dim=-1), queries.norm(dim=-1))
    assert (turned[:, :, 5:] - queries[:, :, 5:]).abs().amax(dim=-1).min() > 1e-3


@ROPES
def test_an_unturned_cls_stands_at_the_centre(kind: str) -> None:
    """On an odd grid the patch in the middle is not turned either; opposite patches are turned oppositely."""
    ours = POSITIONS[kind](vit(position=kind), 5).double()
    assert isinstance(ours, Rotation)
    assert (ours.sin[[0, 1 + 12]] == 0).all() and (ours.cos[[0, 1 + 12]] == 1).all()
    close(ours.sin[1:].flip(0), -ours.sin[1:])
    close(ours.cos[1:].flip(0), ours.cos[1:])


@ROPES
def test_in_half_precision_angles_stay_exact(kind: str) -> None:
    torch.manual_seed(0)
    ours = position(kind)
    queries = torch.randn(1, 3, 17, 8, dtype=torch.float64).bfloat16()
    half = ours.float().rotate(queries, queries)[0]
    assert half.dtype == torch.bfloat16
    assert torch.equal(half, ours.double().rotate(queries.double(), queries.double())[0].bfloat16())


# ---------------------------------------------------------------------------------------- sinusoids


def closed_form(kind: str, row: float, column: float, width: int, base: float) -> list[float]:
    coordinates = [row * GRID + column] if kind == "sincos1d" else [row, column]
    each = width // 2 // len(coordinates)
    angles = [x / base ** (i / each) for x in coordinates for i in range(each)]
    return [math.sin(a) for a in angles] + [math.cos(a) for a in angles]


@SINUSOIDS
@pytest.mark.parametrize("base", [100, 10000])
def test_sinusoids_are_the_closed_form(kind: str, base: int) -> None:
    ours = position(kind, position_base=base, pool="mean")
    expected = [closed_form(kind, row, column, 24, base) for row in range(GRID) for column in range(GRID)]
    tokens = torch.randn(2, GRID**2, 24, dtype=torch.float64)
    close(ours.add(tokens) - tokens, torch.tensor(expected, dtype=torch.float64).expand(2, -1, -1), atol=1e-6, rtol=0)


def test_sinusoids_along_two_axes_equal_timms() -> None:
    ours = position("sincos2d", pool="mean")
    assert isinstance(ours, Sinusoids)
    close(ours.table.float(), build_sincos2d_pos_embed([GRID, GRID], 24, temperature=100), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("kind", "row", "column"), [("sincos1d", 0, -1), ("sincos2d", 1.5, 1.5)])
def test_cls_stands_before_the_sequence_or_at_the_centre_or_nowhere(kind: str, row: float, column: float) -> None:
    without, placed, unplaced = (
        position(kind, **changes)
        for changes in ({"pool": "mean"}, {"registers": 2}, {"registers": 2, "cls_position": False})
    )
    assert isinstance(without, Sinusoids) and isinstance(placed, Sinusoids) and isinstance(unplaced, Sinusoids)
    expected = torch.tensor(closed_form(kind, row, column, 24, 100), dtype=torch.float64)
    close(placed.table[0], expected, atol=1e-6, rtol=0)
    assert not unplaced.table[:3].any() and not placed.table[1:3].any()
    assert torch.equal(placed.table[3:], without.table) and torch.equal(unplaced.table[3:], without.table)


@pytest.mark.parametrize(
    ("kind", "expected"), [("none", 0), ("learned", 1 / 96), ("sincos1d", 1 / 2), ("sincos2d", 1 / 2), ("rope2d", 0)]
)
def test_amplitudes_at_the_start_are_as_documented(kind: str, expected: float) -> None:
    """Mean square of what is added to patch tokens, whose own is 1 for normalised pixels."""
    torch.manual_seed(0)
    model = build(ViTConfig.model_validate({"width": 96, "position": kind}), 32, 3, 10)
    assert isinstance(model, ViT)
    patches = model.patch_embed(torch.randn(50, 3, 32, 32))
    assert patches.square().mean().item() == pytest.approx(1, rel=0.05)
    tokens = torch.zeros(1, 65, 96)
    assert model.position.add(tokens)[:, 1:].square().mean().item() == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(("base", "idle"), [(100, 0.08), (10000, 0.54)])
def test_the_base_decides_how_many_frequencies_a_small_grid_uses(base: float, idle: float) -> None:
    """The documented part of them that turns by less than 0.1 radians from one side of 8 patches to the other."""
    frequencies = base ** (-torch.arange(1000) / 1000)
    assert (7 * frequencies < 0.1).float().mean().item() == pytest.approx(idle, abs=0.01)


# ---------------------------------------------------------------------------------------- order


@pytest.mark.parametrize("pool", ["cls", "mean"])
@pytest.mark.parametrize("kind", POSITIONS)
def test_the_order_of_patches_is_invisible_exactly_without_positions(kind: str, pool: str) -> None:
    model = scrambled(position=kind, pool=pool, heads=3, registers=2)
    order = torch.randperm(16)
    pixels = images()
    patches = pixels.unfold(2, 4, 4).unfold(3, 4, 4).reshape(2, 3, 16, 4, 4)[:, :, order]
    moved = patches.reshape(2, 3, 4, 4, 4, 4).transpose(3, 4).reshape(2, 3, 16, 16)
    with torch.no_grad():
        difference = (model(pixels) - model(moved)).abs().max()
    assert difference < 1e-12 if kind == "none" else difference > 1e-3


def test_a_learned_position_of_cls_folds_into_the_token() -> None:
    """The same functions with and without: only how they are found can differ."""
    placed, unplaced = scrambled(), scrambled(cls_position=False)
    assert isinstance(placed.position, LearnedPosition)
    state = placed.state_dict()
    embedding = state["position.embedding"]
    state["prefix.tokens"] = state["prefix.tokens"] + embedding[:, :1]
    state["position.embedding"] = embedding[:, 1:]
    unplaced.load_state_dict(state)
    pixels = images()
    close(unplaced(pixels), placed(pixels))


def test_registers_stand_between_cls_and_patches_and_have_no_position() -> None:
    model = scrambled(registers=2)
    assert isinstance(model.position, LearnedPosition)
    given = torch.zeros(1, 19, 24, dtype=torch.float64)
    added = model.position.add(given)
    assert not added[:, 1:3].any()
    assert torch.equal(torch.cat([added[:, :1], added[:, 3:]], dim=1), model.position.embedding)
