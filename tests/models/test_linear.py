"""Products of tokens and weights, against torch's own linear layer."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vitflow.models.linear import Linear


def both(tokens: Tensor, width: int) -> tuple[list[Tensor], list[Tensor]]:
    """(ours, torch's): outputs and gradients of tokens, weight and bias, with the same parameters."""
    torch.manual_seed(1)
    ours = Linear(tokens.shape[2], width).to(tokens.dtype)
    theirs = nn.Linear(tokens.shape[2], width).to(tokens.dtype)
    theirs.load_state_dict(ours.state_dict())
    pull = torch.randn(*tokens.shape[:2], width, dtype=tokens.dtype)
    results = []
    for layer in (ours, theirs):
        given = tokens.clone().requires_grad_()
        out = layer(given)
        out.backward(pull)
        results.append([out.detach(), *(t.grad for t in (given, layer.weight, layer.bias))])
    return results[0], results[1]


#: batches under sixteen take another path in torch; one token, one input, one output are the edges
SHAPES = [(32, 17, 48, 144), (3, 65, 192, 64), (1, 5, 8, 8), (16, 1, 12, 7), (20, 9, 1, 3), (20, 9, 3, 1)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("threads", [1, 2])
def test_it_is_torchs_linear_layer_with_its_gradients(shape: tuple[int, int, int, int], threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        batch, count, inputs, outputs = shape
        tokens = torch.randn(batch, count, inputs, generator=torch.Generator().manual_seed(0))
        for dtype, tolerance in ((torch.float32, 2e-5), (torch.float64, 0.0)):
            for ours, theirs in zip(*both(tokens.to(dtype), outputs), strict=True):
                torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance * batch)
    finally:
        torch.set_num_threads(before)


def test_tokens_that_are_not_in_order_in_memory_give_the_same() -> None:
    tokens = torch.randn(17, 20, 6, generator=torch.Generator().manual_seed(0)).transpose(0, 1)
    for ours, theirs in zip(*both(tokens, 5), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_what_comes_out_lies_in_order_in_memory() -> None:
    assert Linear(6, 5)(torch.randn(20, 17, 6)).is_contiguous(), "else whatever follows is slower"


def test_under_autocast_it_is_torchs_in_half_precision() -> None:
    layer = Linear(6, 5)
    tokens = torch.randn(20, 17, 6)
    with torch.autocast("cpu", torch.bfloat16):
        out, expected = layer(tokens), nn.Linear.forward(layer, tokens)
    assert out.dtype == expected.dtype == torch.bfloat16
    torch.testing.assert_close(out, expected, rtol=2e-2, atol=2e-2)


def test_in_single_precision_it_is_a_convolution() -> None:
    tokens = torch.randn(20, 17, 6)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
        Linear(6, 5)(tokens)
    done = {event.key for event in seen.key_averages()}
    assert ("aten::conv2d" in done) == torch.backends.mkldnn.is_available()
