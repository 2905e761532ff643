"""Random weights in the format of torchvision's, and what a probe of them may have said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vitflow.analysis.records import Pretrained, Probed

#: pixels a side in tests that go through the whole command: a fiftieth of the work of 224
SMALL = 32


def random_weights(path: Path, network: str = "resnet50") -> Path:
    """Save random weights of one of torchvision's networks there; norms are no identities."""
    import torch

    from vitflow.machine.compat import import_torchvision

    import_torchvision()
    from torchvision import models

    torch.manual_seed(0)
    model = getattr(models, network)(weights=None)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(std=0.1)
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    torch.save(model.state_dict(), path)
    return path


def a_probe(**changes: Any) -> Pretrained:
    """A record of a probe, made up."""
    found = Pretrained(
        title="A ResNet-50 that has seen ImageNet gets 87.6 % of 4,990 test images right",
        weights="resnet50-0676ba61.pth",
        weights_sha256="0676ba61" + "0" * 56,
        published="IMAGENET1K_V1",
        side=224,
        width=2048,
        parameters=23_508_032,
        multiplications=4_087_136_256,
        requested=5000,
        learned_from=5000,
        chosen_on=2500,
        strengths=(0.001, 0.01),
        strength=0.001,
        validation=Probed(images=4980, accuracy=88.24),
        test=Probed(images=4990, accuracy=87.6),
        data_digest="0",
        provenance={},
    )
    return found.model_copy(update=changes)
