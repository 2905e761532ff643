"""Where randomness comes from: every draw has a seed of its own.

Seeds are derived from (run seed, purpose, indices), so step t draws the same numbers whether or not the
run was interrupted before it, and two runs with the same seed see the same images in the same order.
"""

from __future__ import annotations

import hashlib

import torch


def derive(seed: int, purpose: str, *indices: int) -> int:
    """A 63-bit seed for one purpose, independent of all others."""
    text = "/".join([str(seed), purpose, *map(str, indices)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(device: torch.device | str, seed: int, purpose: str, *indices: int) -> torch.Generator:
    """A generator on ``device`` for one purpose."""
    return torch.Generator(device=device).manual_seed(derive(seed, purpose, *indices))
