"""What holds for models of both families: seeds, decay, gradients, saving, one graph, shapes alone."""

from __future__ import annotations

import torch
from safetensors.torch import load, save
from support.networks import BOTH, assert_only_weights_decay, scramble
from torch import Tensor, nn

from vitflow.models.build import build, decayed_parameters
from vitflow.study.models import ResNet as ResNetConfig
from vitflow.study.models import ViT as ViTConfig


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
    assert_only_weights_decay(model, decay, no_decay)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
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


@BOTH
def test_forward_is_one_graph(config: ViTConfig | ResNetConfig) -> None:
    torch.manual_seed(0)
    model = build(config, 16, 3, 10).eval()
    scramble(model)
    images = torch.randn(2, 3, 16, 16)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(images), model(images))


@BOTH
def test_models_can_be_built_as_shapes_alone(config: ViTConfig | ResNetConfig) -> None:
    with torch.device("meta"):
        model = build(config, 16, 3, 10)
        assert model(torch.empty(2, 3, 16, 16)).shape == (2, 10)
    assert all(parameter.is_meta for parameter in model.parameters())
