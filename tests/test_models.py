"""The models room: ViT and ResNet as wholes, against torchvision and against what the docstrings promise.

The ViT's references with copied weights stand in test_models_references.py, its variants in
test_models_variants.py and test_position.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from vitflow.machine.compat import import_torchvision
from vitflow.models.attention import Attention
from vitflow.models.build import build, decayed_parameters
from vitflow.models.position import LearnedPosition, Position
from vitflow.models.resnet import DEPTHS, ResNet
from vitflow.models.tokens import Prefix
from vitflow.models.vit import ViT
from vitflow.study.models import ResNet as ResNetConfig
from vitflow.study.models import ViT as ViTConfig

torchvision = import_torchvision()

SMALL_VIT = ViTConfig(patch_size=4, width=24, depth=3, heads=4)
SMALL_RESNET = ResNetConfig(width=8)
BOTH = pytest.mark.parametrize("config", [SMALL_VIT, SMALL_RESNET], ids=["vit", "resnet"])


def small_vit(**changes: object) -> ViT:
    model = build(SMALL_VIT.model_copy(update=changes), 16, 3, 10)
    assert isinstance(model, ViT)
    return model


def scramble(model: nn.Module) -> None:
    """Random numbers in every parameter, so that a forgotten bias or scale shows."""
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=parameter.shape[-1] ** -0.5 if parameter.ndim == 2 else 0.3)


def logits_and_gradients(model: nn.Module, images: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Logits, and the gradient of a cross-entropy in every parameter, in the model's order."""
    logits = model(images)
    loss = nn.functional.cross_entropy(logits, torch.arange(len(images)))
    return logits, list(torch.autograd.grad(loss, list(model.parameters())))


# ---------------------------------------------------------------------------------------- references


@pytest.mark.parametrize("depth", [18, 50])
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_resnet_equals_torchvision_with_the_stem_exchanged(depth: int, training: bool) -> None:
    torch.manual_seed(0)
    ours = build(ResNetConfig(depth=depth), 16, 3, 10).double()
    theirs = getattr(torchvision.models, f"resnet{depth}")(num_classes=10)
    theirs.conv1 = nn.Conv2d(3, 64, 3, stride=1, padding=1, bias=False)
    theirs.maxpool = nn.Identity()
    theirs = theirs.double()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.normal_(module.bias, std=0.1)
            module.running_var = torch.rand_like(module.weight) + 0.5
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    images = torch.randn(4, 3, 16, 16, dtype=torch.float64)

    logits, gradients = logits_and_gradients(ours.train(training), images)
    expected_logits, expected = logits_and_gradients(theirs.train(training), images)

    assert logits.std() > 0.1
    torch.testing.assert_close(logits, expected_logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradients, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(list(ours.buffers()), list(theirs.buffers()), atol=1e-5, rtol=1e-5)


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


# ---------------------------------------------------------------------------------------- shapes


@pytest.mark.parametrize("pool", ["cls", "mean"])
@pytest.mark.parametrize(("image_size", "channels"), [(8, 1), (32, 3), (12, 3)])
@pytest.mark.parametrize("patch_size", [1, 2, 4])
def test_vit_takes_any_image_its_patches_tile(
    pool: Literal["cls", "mean"], image_size: int, channels: int, patch_size: int
) -> None:
    config = ViTConfig(patch_size=patch_size, width=8, depth=1, heads=8, pool=pool)
    model = build(config, image_size, channels, 7)
    assert isinstance(model, ViT)
    logits, outputs = model.intermediates(torch.randn(2, channels, image_size, image_size))
    assert logits.shape == (2, 7)
    assert model.prefix_tokens == (1 if pool == "cls" else 0)
    assert outputs["block1"].shape == (2, model.prefix_tokens + (image_size // patch_size) ** 2, 8)


@pytest.mark.parametrize(
    ("image_size", "sides"), [(8, [8, 8, 4, 2, 1]), (9, [9, 9, 5, 3, 2]), (32, [32, 32, 16, 8, 4])]
)
@pytest.mark.parametrize(("depth", "expansion"), [(18, 1), (50, 4)])
def test_resnet_stages_halve_the_side_and_double_the_width(
    image_size: int, sides: list[int], depth: int, expansion: int
) -> None:
    model = build(ResNetConfig(depth=depth, width=4), image_size, 1, 7)
    logits, outputs = model.intermediates(torch.randn(2, 1, image_size, image_size))
    assert logits.shape == (2, 7)
    channels = [4] + [4 * expansion * 2**stage for stage in range(4)]
    expected = {
        name: (2, c, s, s)
        for name, c, s in zip(["stem", "stage1", "stage2", "stage3", "stage4"], channels, sides, strict=True)
    }
    assert {name: tuple(value.shape) for name, value in outputs.items()} == expected | {"pooled": (2, channels[-1])}


def test_a_patch_size_that_does_not_tile_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match="patch_size 3 does not divide the image side 8; nearest valid: 1, 2, 4"):
        build(ViTConfig(patch_size=3), 8, 1, 10)


@pytest.mark.parametrize("shape", [(2, 3, 32, 32), (2, 1, 16, 16)])
def test_images_of_another_shape_are_refused_in_one_line(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^images of shape .* given to a model of \(3, 16, 16\)$"):
        small_vit()(torch.randn(shape))


def test_every_depth_of_a_resnet_is_known() -> None:
    assert set(DEPTHS) == set(get_args(ResNetConfig.model_fields["depth"].annotation))


# ---------------------------------------------------------------------------------------- intermediates


@BOTH
def test_intermediates_give_the_logits_of_forward(config: ViTConfig | ResNetConfig) -> None:
    torch.manual_seed(0)
    model = build(config, 16, 3, 10).eval()
    scramble(model)
    images = torch.randn(3, 3, 16, 16)
    logits, outputs = model.intermediates(images)
    assert logits.std() > 0.01
    assert torch.equal(logits, model(images))
    assert torch.equal(logits, model.head(outputs["pooled"]))


def test_intermediates_are_what_the_parts_give_and_are_not_overwritten() -> None:
    torch.manual_seed(0)
    vit, resnet = small_vit(), build(SMALL_RESNET, 16, 3, 10)
    assert isinstance(resnet, ResNet)
    parts: list[tuple[ViT | ResNet, dict[str, nn.Module]]] = [
        (vit, {f"block{number}": block for number, block in enumerate(vit.blocks, start=1)}),
        (resnet, {"stem": resnet.stem} | {f"stage{n}": stage for n, stage in enumerate(resnet.stages, start=1)}),
    ]
    for model, modules in parts:
        scramble(model)
        seen: dict[str, Tensor] = {}

        def keep(name: str, seen: dict[str, Tensor] = seen) -> Callable[..., None]:
            return lambda _module, _inputs, output: seen.update({name: output.detach().clone()})

        for name, module in modules.items():
            module.register_forward_hook(keep(name))
        _, outputs = model.intermediates(torch.randn(3, 3, 16, 16))
        assert list(outputs) == [*(["patch_embed"] if model is vit else []), *modules, "pooled"]
        for name, value in seen.items():
            assert torch.equal(outputs[name], value), name


def test_patch_embed_holds_the_tokens_that_enter_the_first_block() -> None:
    torch.manual_seed(0)
    model = small_vit()
    scramble(model)
    assert isinstance(model.prefix, Prefix)
    images = torch.randn(2, 3, 16, 16)
    assert isinstance(model.position, LearnedPosition)
    weight = model.patch_embed.projection.weight.view(24, 3, 4, 4)
    patches = nn.functional.conv2d(images, weight, model.patch_embed.projection.bias, stride=4).flatten(2).mT
    expected = torch.cat([model.prefix.tokens.expand(2, 1, 24), patches], dim=1) + model.position.embedding
    torch.testing.assert_close(model.intermediates(images)[1]["patch_embed"], expected)


# ---------------------------------------------------------------------------------------- position


def test_without_positions_the_order_of_patches_is_invisible() -> None:
    torch.manual_seed(0)
    model = small_vit(pool="mean").double()
    scramble(model)
    images = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    moved = images.roll(4, dims=-1)  # by one patch: the same patches in other places
    assert (model(images) - model(moved)).abs().max() > 1e-3
    nn.init.zeros_(model.position.embedding)
    torch.testing.assert_close(model(images), model(moved))


def test_the_second_door_of_a_position_reaches_queries_and_keys_of_every_block() -> None:
    class Blind(Position):
        """Queries become 0, so that every token attends to all alike."""

        calls = 0

        def rotate(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
            self.calls += 1
            assert queries.shape == keys.shape == (2, 4, 17, 6)
            return queries * 0, keys

    torch.manual_seed(0)
    model = small_vit()
    model.position = position = Blind()  # type: ignore[assignment]
    model(torch.randn(2, 3, 16, 16))
    assert position.calls == SMALL_VIT.depth

    attention, tokens = Attention(SMALL_VIT, tokens=17), torch.randn(2, 17, 24)
    values = attention.qkv(tokens)[..., 48:].mean(dim=1, keepdim=True).expand(2, 17, 24)
    torch.testing.assert_close(attention(tokens, position), attention.projection(values))


# ---------------------------------------------------------------------------------------- parameters


def test_vit_starts_as_its_table_says() -> None:
    torch.manual_seed(0)
    width, hidden = 96, 192
    model = build(ViTConfig(width=width, mlp_ratio=2, depth=2, heads=8), 32, 3, 100)
    normal = {"patch_embed.projection.weight": (3 * 4 * 4) ** -0.5, "position.embedding": width**-0.5}
    uniform = {  # the bound, sqrt(6 / (inputs + outputs)); deviation is bound / sqrt(3)
        "attention.qkv.weight": (6 / (width + width)) ** 0.5,  # queries, keys and values are D x D each
        "attention.projection.weight": (6 / (width + width)) ** 0.5,
        "feedforward.expand.weight": (6 / (width + hidden)) ** 0.5,
        "feedforward.contract.weight": (6 / (hidden + width)) ** 0.5,
    }
    for name, parameter in model.named_parameters():
        kind = name.split(".", maxsplit=2)[-1] if name.startswith("blocks") else name
        if kind in normal or kind in uniform:
            deviation = normal[kind] if kind in normal else uniform[kind] / 3**0.5
            error = 5 * (2 * parameter.numel()) ** -0.5  # five standard errors of a deviation
            assert parameter.std().item() == pytest.approx(deviation, rel=error), name
            assert abs(parameter.mean().item()) < 5 * deviation * parameter.numel() ** -0.5, name
            largest = parameter.abs().max().item()
            assert largest == pytest.approx(uniform[kind], rel=0.01) if kind in uniform else largest > 2.5 * deviation
        elif "norm" in name and name.endswith("weight"):
            assert (parameter == 1).all(), name
        else:  # [CLS], head, biases
            assert name.endswith("bias") or name in ("prefix.tokens", "head.weight")
            assert not parameter.any(), name


def test_resnet_starts_as_torchvisions() -> None:
    torch.manual_seed(0)
    for name, module in build(ResNetConfig(depth=50, width=32), 32, 3, 10).named_modules():
        if isinstance(module, nn.Conv2d):
            outputs, _, height, width = module.weight.shape
            error = 5 * (2 * module.weight.numel()) ** -0.5
            assert module.weight.std().item() == pytest.approx((2 / (outputs * height * width)) ** 0.5, rel=error), name
            assert module.bias is None
        if isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all() and not module.bias.any(), name


@BOTH
def test_the_global_seed_decides_the_initial_weights(config: ViTConfig | ResNetConfig) -> None:
    def weights(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return nn.utils.parameters_to_vector(build(config, 16, 3, 10).parameters())

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


@BOTH
def test_only_matrices_and_kernels_decay(config: ViTConfig | ResNetConfig) -> None:
    model = build(config, 16, 3, 10)
    decay, no_decay = decayed_parameters(model)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert sorted(names[id(p)] for p in decay + no_decay) == sorted(names.values())
    assert {names[id(p)] for p in decay} == {n for n, p in model.named_parameters() if "weight" in n and p.ndim >= 2}
    assert all(p.ndim == 1 or names[id(p)] in ("prefix.tokens", "position.embedding") for p in no_decay)


@BOTH
def test_every_parameter_gets_a_gradient_and_all_of_them_can_be_saved(config: ViTConfig | ResNetConfig) -> None:
    torch.manual_seed(0)
    model = build(config, 16, 3, 10)
    scramble(model)
    model(torch.randn(4, 3, 16, 16)).logsumexp(dim=1).sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name
    torch.optim.AdamW(model.parameters()).step()
    read = load(save(model.state_dict()))  # refuses shared or non-contiguous tensors
    other = build(config, 16, 3, 10)
    other.load_state_dict(read)
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


# ---------------------------------------------------------------------------------------- how they are run


@BOTH
def test_forward_is_one_graph(config: ViTConfig | ResNetConfig) -> None:
    torch.manual_seed(0)
    model = build(config, 16, 3, 10).eval()
    scramble(model)
    images = torch.randn(2, 3, 16, 16)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(images), model(images))


def test_under_autocast_the_residual_stream_stays_in_full_precision() -> None:
    torch.manual_seed(0)
    model = small_vit()
    nn.init.xavier_uniform_(model.head.weight)
    images = torch.randn(8, 3, 16, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits, outputs = model.intermediates(images)
    assert logits.dtype == torch.bfloat16
    assert {value.dtype for value in outputs.values()} == {torch.float32}
    torch.testing.assert_close(logits.float(), model(images), atol=0.02, rtol=0.05)


@BOTH
def test_models_can_be_built_as_shapes_alone(config: ViTConfig | ResNetConfig) -> None:
    with torch.device("meta"):
        model = build(config, 16, 3, 10)
        assert model(torch.empty(2, 3, 16, 16)).shape == (2, 10)
    assert all(parameter.is_meta for parameter in model.parameters())
