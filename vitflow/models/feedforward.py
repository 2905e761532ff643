"""The feed-forward network of a block, applied to each token by itself.

``hidden`` is the hidden width of the plain network; the gated ones, which have three matrices where it has
two, take 2/3 of it (Shazeer, 2020), so that parameters and multiplications stay the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor, nn

from vitflow.models.linear import Linear


class FeedForward(nn.Module):
    """Linear, GELU (exact, Hendrycks and Gimpel, 2016), linear: tokens [B, N, D] -> [B, N, D]."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.expand = Linear(width, hidden)
        self.activation = nn.GELU()
        self.contract = Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.contract(self.activation(self.expand(tokens)))


class GatedFeedForward(nn.Module):
    """activation(x W + b) * (x V + c), then linear (Shazeer, 2020, there without biases): [B, N, D] -> [B, N, D].

    The gated width is 2/3 of ``hidden``, to the nearest multiple of 8. Rows of the one ``expand`` weight are W,
    which goes through the activation, then V. All three matrices have biases, as in the plain network.
    """

    #: weights that hold several matrices, one below the other
    stacked: ClassVar[dict[str, int]] = {"expand": 2}

    def __init__(self, width: int, hidden: int, activation: nn.Module) -> None:
        super().__init__()
        gated = max(8, 8 * round(hidden * 2 / 3 / 8))
        self.expand = Linear(width, 2 * gated)
        self.activation = activation
        self.contract = Linear(gated, width)

    def forward(self, tokens: Tensor) -> Tensor:
        gate, values = self.expand(tokens).chunk(2, dim=-1)
        return self.contract(self.activation(gate) * values)


class SwiGLU(GatedFeedForward):
    """Gated by SiLU: x * sigmoid(x)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__(width, hidden, nn.SiLU())


class GEGLU(GatedFeedForward):
    """Gated by GELU, exact."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__(width, hidden, nn.GELU())


#: by config.ViT.feedforward; each takes the width and the hidden width of the plain network
FEEDFORWARDS: dict[str, Callable[[int, int], nn.Module]] = {"gelu": FeedForward, "swiglu": SwiGLU, "geglu": GEGLU}
