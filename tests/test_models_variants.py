"""Variants of the ViT: each point of config.yaml and mixtures of them run, and do what their formulas say."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn import functional as F

from vitflow.data.prepare import load as load_data
from vitflow.models.attention import Attention, LocalityAttention
from vitflow.models.block import PostNormBlock
from vitflow.models.build import build, decayed_parameters
from vitflow.models.feedforward import GatedFeedForward
from vitflow.models.norm import RMSNorm
from vitflow.models.patch_embed import PATCH_EMBEDS, ConvStem
from vitflow.models.position import NoPosition, Position
from vitflow.models.qk_norm import L2QKNorm, RMSQKNorm
from vitflow.models.residual import DropPath
from vitflow.models.vit import ViT
from vitflow.study.dataset import Dataset
from vitflow.study.grid import expand
from vitflow.study.models import ViT as ViTConfig
from vitflow.study.reading import read_study
from vitflow.study.run import RunConfig
from vitflow.study.training import Training
from vitflow.training import loop

CONFIG = Path(__file__).parent.parent / "config.yaml"
close = torch.testing.assert_close
#: the values of every variant, beside those that the schema lists
NUMBERS: dict[str, list[Any]] = {
    "cls_position": [True, False],
    "registers": [0, 1, 4],
    "layer_scale": [None, 0.1],
    "drop_path": [0, 0.2],
    "position_base": [100, 10000],
}
VALUES = NUMBERS | {
    name: list(get_args(field.annotation))
    for name, field in ViTConfig.model_fields.items()
    if isinstance(field.default, str) and name != "family"
}


def vit(**changes: Any) -> ViTConfig:
    return ViTConfig.model_validate({"patch_size": 4, "width": 24, "depth": 2, "heads": 3} | changes)


def scrambled(config: ViTConfig, image_size: int = 16) -> ViT:
    """A model with random numbers in every parameter."""
    torch.manual_seed(0)
    model = build(config, image_size, 3, 10)
    assert isinstance(model, ViT)
    for name, parameter in model.named_parameters():
        if parameter.ndim >= 2 and "weight" in name:
            nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
        elif name.endswith(("temperature", "gain", "norm1.weight", "norm2.weight")):
            nn.init.uniform_(parameter, 1, 3)
        else:
            nn.init.normal_(parameter, std=0.3)
    return model


# ---------------------------------------------------------------------------------------- all of them run


def points_of_the_study() -> dict[str, ViTConfig]:
    """Every ViT of config.yaml, narrower where its heads allow, and no deeper than it takes to drop a path."""
    shapes = {}
    for run in expand(read_study(CONFIG)).runs.values():
        model = run.config.normalised().model
        if isinstance(model, ViTConfig):
            width = model.width if model.heads > 8 else model.width // 2
            depth = 2 if model.drop_path else 1
            small = ViTConfig.model_validate(model.model_dump() | {"depth": depth, "width": width})
            shapes[small.label] = small
    return shapes


def random_mixtures(count: int) -> dict[str, ViTConfig]:
    """A seeded sample of valid combinations of everything."""
    chance = random.Random(0)
    found: dict[str, ViTConfig] = {}
    while len(found) < count:
        chosen = {name: chance.choice(values) for name, values in VALUES.items()}
        if (chosen["attention"], chosen["qk_norm"]) != ("locality", "l2"):
            mixture = vit(**chosen, depth=2 if chosen["drop_path"] else 1)
            found[mixture.label] = mixture
    return found


def graphs(configs: dict[str, ViTConfig]) -> dict[str, ViTConfig]:
    """One configuration of those that differ in sizes alone."""
    found: dict[tuple[Any, ...], str] = {}
    for label, config in configs.items():
        words = [value if isinstance(value, str) else bool(value) for value in config.model_dump().values()]
        found.setdefault(tuple(words), label)
    return {label: configs[label] for label in found.values()}


def step(model: nn.Module, images: Tensor, bf16: bool) -> Tensor:
    """One forward and backward pass in training, dropped paths seeded as the training loop does; the logits."""
    torch.manual_seed(1)
    model.train()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logits: Tensor = model(images)
        F.cross_entropy(logits, torch.arange(len(images))).backward()
    return logits.detach().float()


def gradient(model: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


EVERY = points_of_the_study() | random_mixtures(16)
COMPILED = graphs(points_of_the_study()) | random_mixtures(4)


@pytest.mark.parametrize("label", EVERY)
def test_a_step_gives_every_parameter_a_finite_gradient(label: str) -> None:
    model = scrambled(EVERY[label])
    logits = step(model, torch.randn(4, 3, 16, 16), bf16=False)
    assert logits.shape == (4, 10) and logits.isfinite().all()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("label", COMPILED)
def test_a_compiled_step_in_half_precision_is_the_same_step(label: str) -> None:
    model, images = scrambled(COMPILED[label]), torch.randn(4, 3, 16, 16)
    expected, exact = step(model, images, bf16=False), gradient(model)
    model.zero_grad()
    torch._dynamo.reset()
    logits = step(torch.compile(model, backend="aot_eager", fullgraph=True), images, bf16=True)
    assert (logits - expected).abs().max() < 0.1 * expected.abs().max() + 0.05
    assert F.cosine_similarity(gradient(model), exact, dim=0) > 0.98


@pytest.mark.parametrize("label", random_mixtures(4))
def test_the_seed_decides_a_mixture_and_its_steps(label: str) -> None:
    """Two builds and steps give the same bits, dropped paths included; every parameter can be saved and read."""
    ours, again = (scrambled(EVERY[label]) for _ in range(2))
    images = torch.randn(4, 3, 16, 16)
    assert torch.equal(step(ours, images, bf16=False), step(again, images, bf16=False))
    assert torch.equal(gradient(ours), gradient(again))
    with torch.device("meta"):
        assert build(EVERY[label], 16, 3, 10)(torch.empty(2, 3, 16, 16)).shape == (2, 10)
    read = load(save(ours.state_dict()))
    fresh = build(EVERY[label], 16, 3, 10)
    fresh.load_state_dict(read)
    images = torch.randn(2, 3, 16, 16)
    assert torch.equal(fresh.eval()(images), ours.eval()(images))
    assert torch.equal(ours.intermediates(images)[0], ours(images))


# ---------------------------------------------------------------------------------------- patch embedding


def seen_by_a_token(kind: str) -> Tensor:
    """Which pixels [24, 24] the token of the patch in row 2, column 2 depends on, by its gradient; patches of 4."""
    torch.manual_seed(0)
    embed = PATCH_EMBEDS[kind](vit(patch_embed=kind), 24, 3)
    embed.initialise()
    images = torch.randn(2, 3, 24, 24, requires_grad=True)
    embed.eval()(images)[0, 2 * 6 + 2].sum().backward()
    assert images.grad is not None and not images.grad[1].any()
    return images.grad[0].abs().sum(0) > 0


@pytest.mark.parametrize(
    ("kind", "first", "last"), [("linear", 8, 11), ("overlap", 5, 11), ("conv_stem", 5, 11), ("shifted", 6, 13)]
)
def test_only_a_linear_embedding_sees_its_patch_alone(kind: str, first: int, last: int) -> None:
    seen = seen_by_a_token(kind).nonzero()
    assert seen.amin(0).tolist() == [first, first]
    assert seen.amax(0).tolist() == [last, last]


def test_an_overlapping_kernel_that_is_zero_outside_the_patch_is_the_linear_embedding() -> None:
    torch.manual_seed(0)
    linear, overlap = (PATCH_EMBEDS[kind](vit(patch_embed=kind), 16, 3).double() for kind in ("linear", "overlap"))
    nn.init.zeros_(overlap.projection.weight)
    with torch.no_grad():
        overlap.projection.weight[:, :, 3:, 3:] = linear.projection.weight.view(24, 3, 4, 4)
        overlap.projection.bias.copy_(linear.projection.bias)
    images = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    close(overlap(images), linear(images))


@pytest.mark.parametrize("patch_size", [2, 4, 8])
@pytest.mark.parametrize("kind", PATCH_EMBEDS)
def test_every_embedding_gives_one_token_a_patch_that_starts_with_mean_square_1(kind: str, patch_size: int) -> None:
    torch.manual_seed(0)
    model = build(vit(width=96, patch_embed=kind, patch_size=patch_size), 32, 3, 10)
    assert isinstance(model, ViT)
    tokens = model.patch_embed(torch.randn(40, 3, 32, 32))
    assert tokens.shape == (40, (32 // patch_size) ** 2, 96)
    inner = tokens.unflatten(1, (32 // patch_size,) * 2)[:, 1:, 1:]  # at the border overlapping windows see zeros
    assert inner.square().mean().item() == pytest.approx(1, rel=0.2)


def test_a_stem_halves_the_image_and_doubles_its_channels() -> None:
    stem = PATCH_EMBEDS["conv_stem"](vit(width=96, patch_embed="conv_stem", patch_size=8), 32, 3)
    assert isinstance(stem, ConvStem)
    convolutions = [layer for layer in stem.stem if isinstance(layer, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels) for c in convolutions] == [(3, 24), (24, 48), (48, 96)]
    assert {(c.kernel_size, c.stride, c.bias) for c in convolutions} == {((3, 3), (2, 2), None)}


# ---------------------------------------------------------------------------------------- attention


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
    for head in (slice(0, 2), slice(2, 4), slice(4, 6)):
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
            scale = 1 / attention.temperature
        scores = q @ k.mT * scale
        if kind == "locality":
            scores = scores.masked_fill(torch.eye(5, dtype=torch.bool), -math.inf)
        heads.append(scores.softmax(dim=-1) @ v)
    expected = torch.cat(heads, dim=-1) @ attention.projection.weight.T + attention.projection.bias
    close(attention(tokens, Position()), expected)


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
    assert temperature.item() == pytest.approx(8**0.5)
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


# ---------------------------------------------------------------------------------------- blocks


@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_registers_are_not_read_by_the_pool(pool: str) -> None:
    """What registers hold at the end is thrown away: the head sees patches or [CLS] alone."""
    model = scrambled(vit(registers=3, pool=pool))
    prefix = model.prefix_tokens
    tokens = torch.randn(2, prefix + 16, 24)
    changed = tokens.clone()
    changed[:, prefix - 3 : prefix] = 1e6
    assert torch.equal(model.pool(tokens), model.pool(changed))
    expected = tokens[:, 0] if pool == "cls" else tokens[:, prefix:].mean(1)
    assert torch.equal(model.pool(tokens), expected)


def test_registers_start_different_and_a_cls_without_position_is_not_zero() -> None:
    torch.manual_seed(0)
    width = 192
    for changes, zeros in (
        ({}, 1),
        ({"position": "sincos2d"}, 1),
        ({"position": "none"}, 0),
        ({"position": "rope2d"}, 0),
        ({"cls_position": False}, 0),
        ({"pool": "mean"}, 0),
    ):
        tokens = build(vit(width=width, registers=4, **changes), 16, 3, 10).prefix.tokens[0].detach()
        assert not tokens[:zeros].any()
        close(tokens[zeros:].std(dim=1) * width**0.5, torch.ones(len(tokens) - zeros), rtol=0.3, atol=0)
        assert torch.cdist(tokens[zeros:], tokens[zeros:]).add(torch.eye(len(tokens) - zeros)).min() > 0.5


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


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_drop_path_keeps_the_expectation_and_drops_whole_samples(rate: float) -> None:
    torch.manual_seed(0)
    branch = torch.randn(20000, 2, 3)
    dropped = DropPath(rate)(branch)
    kept = dropped.abs().amax(dim=(1, 2)) > 0
    assert kept.float().mean().item() == pytest.approx(1 - rate, abs=4 * (rate * (1 - rate) / 20000) ** 0.5)
    close(dropped[kept], branch[kept] / (1 - rate))
    assert not dropped[~kept].any()
    assert DropPath(rate).eval()(branch) is branch


def test_drop_path_draws_from_the_global_generator_and_each_branch_by_itself() -> None:
    model = scrambled(vit(depth=3, drop_path=0.5)).train()
    images = torch.randn(8, 3, 16, 16)
    logits = [model(images) for seed in (1, 1, 2) if torch.manual_seed(seed)]
    assert torch.equal(logits[0], logits[1]) and not torch.equal(logits[0], logits[2])
    assert torch.equal(model.eval()(images), model(images))
    assert [type(block.drop1) for block in model.blocks] == [nn.Identity, DropPath, DropPath]
    assert [block.drop2.rate for block in model.blocks[1:]] == [0.25, 0.5]


def test_a_resumed_training_drops_the_same_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = vit(width=16, heads=2, depth=2, drop_path=0.5, patch_embed="conv_stem", registers=1)
    recipe = Training(epochs=2, batch_size=20, warmup_epochs=1, augmentation="none")
    config = RunConfig(dataset=Dataset(name="digits", train_images=60), model=model, training=recipe)
    data, asked = load_data(config.dataset), iter(range(100))

    def train(folder: str, should_stop: Callable[[float], bool]) -> nn.Module:
        return loop.train(config, 0, data, tmp_path / folder, device=torch.device("cpu"), should_stop=should_stop).model

    whole = train("whole", lambda seconds: False)
    with pytest.raises(loop.Interrupted):
        train("parts", lambda seconds: next(asked) == 4)
    for name, value in train("parts", lambda seconds: False).state_dict().items():
        assert torch.equal(value, whole.state_dict()[name]), name


def test_without_drop_path_a_step_draws_nothing() -> None:
    model = scrambled(vit()).train()
    before = torch.get_rng_state()
    model(torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(before, torch.get_rng_state())


# ---------------------------------------------------------------------------------------- parameters


def test_new_parts_start_as_the_table_says() -> None:
    torch.manual_seed(0)
    width = 96
    model = build(vit(width=width, norm="rmsnorm", qk_norm="rmsnorm", layer_scale=0.1, feedforward="swiglu"), 32, 3, 10)
    for name, parameter in model.named_parameters():
        if "norm" in name:
            assert (parameter == 1).all(), name
        elif "scale" in name:
            assert torch.equal(parameter, torch.full((width,), 0.1)), name
        elif name.endswith("bias"):
            assert not parameter.any(), name
    for block in model.blocks:
        assert isinstance(block.feedforward, GatedFeedForward)
        for half in block.feedforward.expand.weight.chunk(2):
            bound = (6 / (width + len(half))) ** 0.5
            assert half.abs().max().item() == pytest.approx(bound, rel=0.01)
            assert half.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)


@pytest.mark.parametrize("label", random_mixtures(16))
def test_only_matrices_and_kernels_of_a_mixture_decay(label: str) -> None:
    model = build(EVERY[label], 16, 3, 10)
    decay, no_decay = decayed_parameters(model)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert sorted(names[id(p)] for p in decay + no_decay) == sorted(names.values())
    assert {names[id(p)] for p in decay} == {n for n, p in model.named_parameters() if "weight" in n and p.ndim >= 2}


def test_a_model_without_positions_has_none() -> None:
    model = build(vit(position="none"), 16, 3, 10)
    assert isinstance(model, ViT) and isinstance(model.position, NoPosition)
    assert not list(model.position.parameters())
