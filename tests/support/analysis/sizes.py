"""Studies of 5, 30, 90 and about 300 runs: pictures and talks must hold for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.analysis.studies import ARCHITECTURE, example_study
from vitflow.study.reading import read_study
from vitflow.study.schema import Study

FIVE: dict[str, dict[str, list[Any]]] = {"architecture": {"patch_size": [2, 4, 8], "width": [96, 192, 256]}}
THIRTY: dict[str, dict[str, list[Any]]] = {
    "architecture": ARCHITECTURE,
    "techniques": {
        "patch_embed": ["linear", "overlap", "conv_stem", "shifted"],
        "position": ["none", "sincos1d", "sincos2d", "learned", "rope1d", "rope2d"],
        "norm": ["layernorm", "rmsnorm"],
        "pool": ["cls", "mean"],
    },
    "training": {
        "augmentation": ["none", "crop", "crop_flip", "trivial"],
        "mixing": ["none", "mixup", "cutmix"],
        "learning_rate": [0.0005, 0.001, 0.002],
    },
}
HUNDREDS: dict[str, dict[str, list[Any]]] = {
    "architecture": {
        "patch_size": [1, 2, 4, 8, 16],
        "width": [48 * k for k in range(1, 11)],
        "depth": list(range(1, 15)),
        "heads": [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 96],
        "mlp_ratio": [1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8],
    },
    "techniques": THIRTY["techniques"]
    | {
        "registers": [0, 1, 2, 4, 6, 8, 12, 16],
        "qk_norm": ["none", "l2", "rmsnorm"],
        "norm_placement": ["pre", "post"],
        "feedforward": ["gelu", "swiglu", "geglu"],
        "layer_scale": [None, 1, 0.3, 0.1, 0.03, 0.01, 0.001, 0.0001],
    },
    "training": THIRTY["training"]
    | {
        "learning_rate": [0.0001, 0.0002, 0.0003, 0.0004, 0.0005, 0.0007, 0.001, 0.0014, 0.002, 0.0028, 0.004],
        "weight_decay": [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5],
        "batch_size": [32, 64, 96, 128, 192, 256, 384, 512, 768, 1024],
        "warmup_epochs": [0, 1, 2, 3, 5, 8, 10, 15, 20],
    },
    "regularisation-of-many-kinds": {
        "drop_path": [0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4],
        "label_smoothing": [0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3],
        "random_erasing": [0, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5],
        "ema": [None, 0.9, 0.99, 0.995, 0.999],
        "gradient_clip": [None, 0.25, 0.5, 1, 2, 4],
    },
}
CROSSES: dict[str, dict[str, list[Any]]] = {
    "learning_rate_x_width": {
        "learning_rate": HUNDREDS["training"]["learning_rate"],
        "width": [96, 192, 288, 384],
    },
    "depth_x_augmentation": {"depth": list(range(2, 13, 2)), "augmentation": ["none", "crop", "crop_flip", "trivial"]},
    "learning_rate_x_patch_embed": {
        "learning_rate": HUNDREDS["training"]["learning_rate"],
        "patch_embed": ["linear", "conv_stem"],
    },
    "learning_rate_x_depth": {"learning_rate": HUNDREDS["training"]["learning_rate"], "depth": [3, 6, 9, 12]},
    "learning_rate_x_qk_norm": {
        "learning_rate": HUNDREDS["training"]["learning_rate"],
        "qk_norm": ["none", "l2", "rmsnorm"],
    },
    "batch_size_x_weight_decay": {
        "batch_size": HUNDREDS["training"]["batch_size"],
        "weight_decay": [0, 0.05, 0.1, 0.2, 0.5],
    },
    "training_images_x_width": {"train_images": [5000, 15000], "width": [96, 192, 384]},
}

SIZES: dict[int, Study] = {
    5: example_study(3, 6, ablations=FIVE, references={}),
    30: example_study(3, 6, ablations=THIRTY, best={}),
    90: read_study(Path(__file__).parents[3] / "config.yaml"),
    300: example_study(3, 6, ablations=HUNDREDS, cross=CROSSES, best={}),
}
#: how many seeds of which runs diverged
DIVERGED: dict[int, dict[str, int]] = {
    5: {},
    30: {"learning_rate=0.002": 1},
    90: {"learning_rate=0.2+optimizer=sgd+weight_decay=0.0005": 3, "norm_placement=post": 1},
    300: {
        "learning_rate=0.004": 3,
        "learning_rate=0.0028": 2,
        "learning_rate=0.004+width=384": 3,
        "norm_placement=post": 1,
    },
}
