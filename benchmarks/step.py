"""Training a ViT: patch 4, width 192, depth 6, 8 heads, batch 128, 32x32 images, AdamW.

Ours is the real loop with all it does (augmentation, clipping, bookkeeping). Peers get the bare minimum on a CPU, the
same batch again and again; on a GPU the loop people write, a DataLoader with torchvision's v2 transforms.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.measure import Contestant
from benchmarks.noise import BATCH, CLASSES, SIDE, data, images
from benchmarks.pipeline import loader
from vitflow.machine.compat import import_torchvision
from vitflow.measuring.cost import multiplications
from vitflow.models.build import build
from vitflow.study.dataset import Dataset
from vitflow.study.models import ViT
from vitflow.study.run import RunConfig
from vitflow.study.training import Training
from vitflow.training.loop import train

MODEL = ViT(patch_size=4, width=192, depth=6, heads=8)


def ours(device: torch.device, steps: int) -> Contestant:
    """An epoch of ``steps`` updates by the loop that all studies use, after one in which a GPU compiles and records."""
    noise = data(steps * BATCH)
    recipe = Training(epochs=2, batch_size=BATCH, warmup_epochs=0)
    config = RunConfig(dataset=Dataset(name="cifar10", validation_fraction=0), model=MODEL, training=recipe)

    def work() -> float:
        ends: list[float] = []
        with tempfile.TemporaryDirectory() as folder:
            train(config, 0, noise, Path(folder), device=device, report=lambda line: ends.append(time.perf_counter()))
        return steps * BATCH / (ends[1] - ends[0])

    return work


def peers(device: torch.device, steps: int) -> dict[str, Contestant]:
    """The same ViT of other libraries, in a plain loop."""
    torchvision = import_torchvision()
    import timm
    import vit_pytorch

    size = {"image_size": SIDE, "patch_size": 4, "num_classes": CLASSES, "dim": 192, "depth": 6, "heads": 8}
    models: dict[str, Callable[[], nn.Module]] = {
        "timm": lambda: timm.models.VisionTransformer(
            img_size=SIDE, patch_size=4, num_classes=CLASSES, embed_dim=192, depth=6, num_heads=8
        ),
        "vit-pytorch ViT": lambda: vit_pytorch.ViT(**size, mlp_dim=768, dim_head=24),
        "vit-pytorch SimpleViT": lambda: vit_pytorch.SimpleViT(**size, mlp_dim=768, dim_head=24),
        "torchvision": lambda: torchvision.models.VisionTransformer(
            SIDE, 4, num_layers=6, num_heads=8, hidden_dim=192, mlp_dim=768, num_classes=CLASSES
        ),
    }
    return {name: _loop(make(), device, steps) for name, make in models.items()}


@torch.no_grad()
def products(kind: type[nn.Linear]) -> float:
    """Multiplications with addition per second of a linear layer of that kind, at the shape of the network's widest."""
    layer, tokens = kind(4 * MODEL.width, MODEL.width), torch.randn(BATCH, 65, 4 * MODEL.width)
    layer(tokens)
    started, count = time.perf_counter(), 20
    for _ in range(count):
        layer(tokens)
    return count * tokens.numel() * MODEL.width / (time.perf_counter() - started)


def share_of_products(images_per_second: float, rate: float) -> float:
    """How much of a product's rate training reaches; forward and backward are three times the forward."""
    return 3 * multiplications(build(MODEL, SIDE, 3, CLASSES), SIDE, 3) * images_per_second / rate


def _loop(model: nn.Module, device: torch.device, steps: int) -> Contestant:
    model = model.to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    batches = _same_batch(steps) if device.type == "cpu" else _loader(steps, device)
    bf16 = device.type == "cuda"

    def work() -> float:
        started = time.perf_counter()
        for inputs, labels in batches():
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                loss = F.cross_entropy(model(inputs), labels, label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss.item()
        return steps * BATCH / (time.perf_counter() - started)

    return work


def _same_batch(steps: int) -> Callable[[], Iterator[tuple[Tensor, Tensor]]]:
    batch = images(BATCH)
    inputs = batch.images.permute(0, 3, 1, 2).float().div(255).contiguous()
    return lambda: iter([(inputs, batch.labels)] * steps)


def _loader(steps: int, device: torch.device) -> Callable[[], Iterator[tuple[Tensor, Tensor]]]:
    split = images(steps * BATCH)
    made = loader(split, BATCH, workers=8, trivial=False)
    return lambda: ((x.to(device, non_blocking=True), y.to(device, non_blocking=True)) for x, y in made)
