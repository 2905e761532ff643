"""Section ``training``: the recipe."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from vitflow.study.fields import Strict


class Training(Strict):
    """The recipe, the same for every model of a study unless an axis changes it."""

    epochs: int = Field(100, ge=1, le=1_000_000)
    batch_size: int = Field(128, ge=1, le=1_000_000, description="images a step; all of them where they are fewer")
    optimizer: Literal["adamw", "sgd", "muon"] = Field(
        "adamw", description="sgd: Nesterov momentum 0.9; muon: for hidden weight matrices, adamw for all else"
    )
    learning_rate: float = Field(1e-3, gt=0, description="peak, after warm-up; cosine to 0 at the last step")
    weight_decay: float = Field(
        0.05, ge=0, description="on weight matrices and kernels only; decoupled, but added to the gradient by sgd"
    )
    warmup_epochs: float = Field(5, ge=0, description="linear warm-up from 0")
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    gradient_clip: float | None = Field(1.0, gt=0, description="largest global gradient norm; off if null")
    augmentation: Literal["none", "crop", "crop_flip", "trivial"] = Field(
        "crop_flip", description="per sample: zero-padded random crop, horizontal flip, and TrivialAugment"
    )
    crop_padding: int = Field(4, ge=1, description="pixels of zeros on each side; inert without a crop")
    mixing: Literal["none", "mixup", "cutmix"] = Field("none", description="of two images and their labels, per sample")
    mixing_alpha: float = Field(
        1.0,
        ge=0.01,
        description="shares are Beta(alpha, alpha): 1 is uniform, small is hardly mixed; inert without mixing",
    )
    random_erasing: float = Field(0.0, ge=0, le=1, description="probability that a rectangle of an image is blanked")
    ema: float | None = Field(
        None, gt=0, lt=1, description="decay of the averaged weights that are scored and published; off if null"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto: bf16 autocast and torch.compile on a GPU, fp32 on a CPU"
    )

    @model_validator(mode="after")
    def _warmup_ends(self) -> Training:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs {self.warmup_epochs:g} must be less than epochs {self.epochs}")
        return self

    @model_validator(mode="after")
    def _partners_exist(self) -> Training:
        if self.mixing != "none" and self.batch_size < 2:
            raise ValueError(f"mixing '{self.mixing}' takes a partner from the batch: batch_size must be at least 2")
        return self
