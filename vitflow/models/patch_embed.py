"""From pixels to patch tokens.

Shapes: B batch, C channels, S image side, P patch side, G = S / P patches a side, D token width.
"""

from __future__ import annotations

from torch import Tensor, nn


class PatchEmbed(nn.Module):
    """One linear projection of each non-overlapping patch (Dosovitskiy et al., 2021).

    images [B, C, S, S] -> tokens [B, G*G, D], row by row. The projection's weight [D, C*P*P] is that of a
    P x P convolution of stride P, flattened; as a matrix product it needs no transposition afterwards.

    Raises ValueError in ``forward`` where images have another size or number of channels.
    """

    def __init__(self, image_size: int, channels: int, patch_size: int, width: int) -> None:
        super().__init__()
        self.image_shape = (channels, image_size, image_size)
        self.patch_size = patch_size
        self.grid = image_size // patch_size
        self.projection = nn.Linear(channels * patch_size**2, width)

    def initialise(self) -> None:
        """LeCun normal: a token's entries start with the variance of the (normalised) pixels."""
        nn.init.normal_(self.projection.weight, std=self.projection.in_features**-0.5)
        nn.init.zeros_(self.projection.bias)

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[1:] != self.image_shape:
            raise ValueError(f"images of shape {tuple(images.shape[1:])} given to a model of {self.image_shape}")
        b, (c, _, _), g, p = images.shape[0], self.image_shape, self.grid, self.patch_size
        patches = images.reshape(b, c, g, p, g, p).permute(0, 2, 4, 1, 3, 5)  # [B, G, G, C, P, P]
        return self.projection(patches.reshape(b, g * g, c * p * p))  # [B, G*G, C*P*P] -> [B, G*G, D]
