"""Section ``baseline``: a Vision Transformer and its variants, or a ResNet."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from vitflow.study.fields import Strict, spell_model
from vitflow.study.tokens import tokens


class ViT(Strict):
    """Vision Transformer (Dosovitskiy et al., 2021) and its variants; docs/variants.md tells them apart."""

    family: Literal["vit"] = "vit"
    patch_size: int = Field(4, ge=1, le=4096, description="pixels a side; must divide the image side")
    width: int = Field(192, ge=4, le=65536, description="width of a token")
    depth: int = Field(6, ge=1, le=1000, description="number of blocks")
    heads: int = Field(8, ge=1, le=65536, description="attention heads; must divide the width")
    mlp_ratio: float = Field(
        4.0, gt=0, le=256, description="hidden width of the feed-forward network over the token width"
    )
    pool: Literal["cls", "mean"] = Field("cls", description="classify a [CLS] token or the mean of the patch tokens")
    patch_embed: Literal["linear", "overlap", "conv_stem", "shifted"] = Field(
        "linear", description="from pixels to tokens; the number of tokens is the same"
    )
    position: Literal["none", "sincos1d", "sincos2d", "learned", "rope1d", "rope2d"] = Field(
        "learned", description="added to the tokens, or (rope) turning queries and keys"
    )
    position_base: float = Field(
        100.0, gt=1, description="ratio of the highest to the lowest frequency, about; inert but for sincos and rope"
    )
    cls_position: bool = Field(
        True, description="whether [CLS] gets a position; inert without [CLS] and where none is added"
    )
    registers: int = Field(
        0, ge=0, le=65536, description="learned tokens without position that nothing reads at the end"
    )
    norm: Literal["layernorm", "rmsnorm"] = "layernorm"
    norm_placement: Literal["pre", "post"] = Field(
        "pre", description="norm before each branch, or after each sum (then without a final norm)"
    )
    qk_norm: Literal["none", "l2", "rmsnorm"] = Field("none", description="normalises queries and keys")
    attention: Literal["full", "locality"] = Field(
        "full", description="locality: learned temperature, and no token attends to itself"
    )
    feedforward: Literal["gelu", "swiglu", "geglu"] = Field("gelu", description="the gated ones have 2/3 of the width")
    layer_scale: float | None = Field(None, gt=0, description="initial value of the branches' scales; none if null")
    drop_path: float = Field(
        0.0, ge=0, lt=1, description="chance to skip a branch, rising over depth from 0 to this; inert at depth 1"
    )

    @model_validator(mode="after")
    def _heads_divide_width(self) -> ViT:
        if self.width % self.heads:
            near = _nearest_numbers(_divisors(self.width), self.heads)
            raise ValueError(f"width {self.width} is not divisible by heads {self.heads}; nearest valid heads: {near}")
        return self

    @model_validator(mode="after")
    def _features_hold_the_position(self) -> ViT:
        pairs = {"sincos1d": 2, "rope1d": 2, "sincos2d": 4, "rope2d": 4}.get(self.position, 1)
        size = self.width // self.heads
        if self.position.startswith("sincos") and self.width % pairs:
            step = math.lcm(pairs, self.heads)
            near = _nearest_numbers(_multiples(step, self.width), self.width)
            raise ValueError(
                f"position {self.position} needs a width divisible by {pairs}, not {self.width}; nearest valid: {near}"
            )
        if self.position.startswith("rope") and size % pairs:
            heads = [h for h in _divisors(self.width) if self.width // h % pairs == 0]
            widths = _multiples(pairs * self.heads, self.width)
            near = f"heads: {_nearest_numbers(heads, self.heads)}" if heads else ""
            near = near or f"width: {_nearest_numbers(widths, self.width)}"
            raise ValueError(
                f"position {self.position} needs a head size divisible by {pairs}, and width {self.width} over heads "
                f"{self.heads} is {size}; nearest valid {near}"
            )
        return self

    @model_validator(mode="after")
    def _one_scale_of_scores(self) -> ViT:
        if self.attention == "locality" and self.qk_norm == "l2":
            raise ValueError(
                "attention locality and qk_norm l2 would each learn the one scale of the scores; "
                "nearest valid qk_norm: none, rmsnorm"
            )
        return self

    def check(self, image_size: int) -> None:
        """Raise ValueError where patches do not tile the image, do not suit their embedding, or are too few."""
        sizes = _divisors(image_size)
        if self.patch_size not in sizes:
            near = _nearest_numbers(sizes, self.patch_size)
            raise ValueError(
                f"patch_size {self.patch_size} does not divide the image side {image_size}; nearest valid: {near}"
            )
        if self.patch_embed == "conv_stem":
            powers = [size for size in sizes if size > 1 and size & (size - 1) == 0]
            if self.patch_size not in powers:
                near = _nearest_numbers(powers, self.patch_size) or "none on this image"
                raise ValueError(
                    f"patch_embed conv_stem halves the side and needs a patch_size that is a power of two from 2, "
                    f"not {self.patch_size}; nearest valid: {near}"
                )
        if self.patch_embed in ("overlap", "shifted") and self.patch_size == 1:
            raise ValueError(
                f"patch_embed {self.patch_embed} does nothing at patch_size 1; "
                f"nearest valid patch_size: {_nearest_numbers(sizes[1:], 1)}"
            )
        if tokens(self, image_size) == 1 and (self.attention == "locality" or self.qk_norm == "l2"):
            choice = "attention locality" if self.attention == "locality" else "qk_norm l2"
            raise ValueError(
                f"{choice} needs a second token, and patch_size {self.patch_size} leaves one; "
                f"nearest valid patch_size: {_nearest_numbers(sizes[:-1], self.patch_size)}"
            )

    @property
    def label(self) -> str:
        """The family's part of a run's name."""
        return spell_model("vit", self)


class ResNet(Strict):
    """ResNet (He et al., 2016) with a stem for small images: 3x3, stride 1, no max-pooling."""

    family: Literal["resnet"] = "resnet"
    depth: Literal[18, 50] = Field(18, description="18: basic blocks, 50: bottlenecks")
    width: int = Field(64, ge=4, le=65536, description="channels of the first stage; 32 is half width")

    def check(self, image_size: int) -> None:
        """Raise ValueError where three halvings leave nothing of the image."""
        if image_size < 8:
            raise ValueError(f"a ResNet halves the image three times; {image_size} pixels are too few")

    @property
    def label(self) -> str:
        """The family's part of a run's name: ``resnet18``, ``resnet18-width=32``."""
        return spell_model(f"resnet{self.depth}", self, frozenset({"depth"}))


def _default_family(value: Any) -> Any:
    return {"family": "vit", **value} if isinstance(value, dict) else value


Model = Annotated[ViT | ResNet, Field(discriminator="family"), BeforeValidator(_default_family)]
FAMILIES: dict[str, type[ViT] | type[ResNet]] = {"vit": ViT, "resnet": ResNet}


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]


def _multiples(step: int, around: int) -> list[int]:
    below = max(step, around // step * step)
    return [below, below + step]


def _nearest_numbers(choices: list[int], wanted: int) -> str:
    return ", ".join(str(d) for d in sorted(sorted(choices, key=lambda d: abs(d - wanted))[:3]))
