"""A ResNet-50 that has seen ImageNet: its weights, and the features that its head reads.

Letters: N images, H W image sides, C channels, D width of the features.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vitflow.data import places
from vitflow.machine.compat import import_torchvision
from vitflow.machine.files import sha256
from vitflow.study.pretrained import DOWNLOADED, URL
from vitflow.training.augmentation.augment import normalise

#: what ImageNet's models are given: pixels a side, and their mean and deviation by channel, in 0..1
SIDE = 224
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
AT_ONCE = 32  #: images


class WeightsError(RuntimeError):
    """Weights that cannot be had or used, told in one line: which file, what is wrong, what to do."""


def weights_file(path: str | None) -> Path:
    """The file of weights at ``path``; if None, torchvision's own, from ``data/raw``, torch's cache or a download.

    Raises WeightsError.
    """
    if path is not None:
        file = Path(path).expanduser()
        if not file.is_file():
            raise WeightsError(f"{path}: no such file; correct pretrained.weights")
        return file
    ours, cache = places.DATA / "raw", Path(torch.hub.get_dir()) / "checkpoints"
    name = PurePosixPath(URL).name
    file = next((folder / name for folder in (ours, cache) if (folder / name).is_file()), ours / name)
    try:
        if not file.exists():
            ours.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(URL, str(file), hash_prefix=DOWNLOADED, progress=False)
    except (OSError, RuntimeError, HTTPException) as error:
        told = " ".join(str(error).split())
        raise WeightsError(
            f"{file}: download failed ({told}); get {URL} by other means and name the file in pretrained.weights"
        ) from None
    if not sha256(file).startswith(DOWNLOADED):
        raise WeightsError(f"{file}: not what {URL} has, or damaged (sha256 differs); delete it to download it again")
    return file


def resnet50() -> nn.Module:
    """torchvision's ResNet-50 of He et al. (2016), with its 1,000 classes and random weights."""
    import_torchvision()
    from torchvision import models

    model: nn.Module = models.resnet50(weights=None)
    return model


def load(file: Path) -> nn.Module:
    """The ResNet-50 whose weights are in a file as torchvision has them, in evaluation mode, with its head.

    Raises WeightsError for a file that cannot be read, and for weights of another model, naming a key.
    """
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # of a damaged file torch raises whatever its reader stumbles over
        told = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{file}: no weights that torch reads, or damaged ({told}); copy it again") from None
    model = resnet50()
    # counters of batches, which older files lack and nobody reads
    wanted = {key: value for key, value in model.state_dict().items() if not key.endswith("num_batches_tracked")}
    if problem := _difference(found, wanted):
        raise WeightsError(f"{file}: not the weights of a ResNet-50 in torchvision's format: {problem}")
    model.load_state_dict({key: found[key] for key in wanted}, strict=False)
    return model.eval()


def _difference(found: object, wanted: dict[str, Tensor]) -> str:
    """What tells weights from those of a ResNet-50, by the first key; '' where nothing does."""
    if not isinstance(found, dict):
        return "it holds no tensors by name"
    for key, value in wanted.items():
        if not isinstance(found.get(key), Tensor):
            return f"no '{key}'"
        if found[key].shape != value.shape:
            return f"'{key}' has shape {list(found[key].shape)} instead of {list(value.shape)}"
    others = [key for key in found if key not in wanted and not str(key).endswith("num_batches_tracked")]
    return f"'{others[0]}' is none of its parts" if others else ""


def without_head(model: nn.Module) -> nn.Module:
    """The same model, changed in place: it gives what its head was given, float32 [N, D = 2048]."""
    model.fc = nn.Identity()
    return model


def prepared(images: Tensor, side: int = SIDE) -> Tensor:
    """uint8 [N, H, W, C] -> float32 [N, 3, side, side]: grey as three channels, normalised, bilinear, antialiased."""
    coloured = images.expand(-1, -1, -1, 3)
    return F.interpolate(normalise(coloured, MEAN, STD), (side, side), mode="bilinear", antialias=True)


@torch.no_grad()
def pooled(model: nn.Module, images: Tensor, device: torch.device, told: Callable[[int], None]) -> Tensor:
    """Features [N, D], on the CPU, of uint8 images [N, H, W, C]; ``told`` hears how many images each batch had.

    ``model`` is one :func:`without_head`, on ``device``. Raises WeightsError where features are not finite.
    """
    parts = []
    for batch in images.split(AT_ONCE):
        parts.append(model(prepared(batch.to(device), SIDE)).cpu())
        told(len(batch))
    found = torch.cat(parts)
    if not found.isfinite().all():
        raise WeightsError("pretrained.weights: they give features that are no finite numbers; use others")
    return found


def seconds_an_image(device: torch.device) -> float:
    """Seconds that an image takes on ``device``, from two after two others, with random weights."""
    model, images = without_head(resnet50()).to(device).eval(), torch.zeros(2, 32, 32, 3, dtype=torch.uint8)
    for _ in range(2):
        started = time.perf_counter()
        pooled(model, images, device, lambda count: None)
    return (time.perf_counter() - started) / len(images)
