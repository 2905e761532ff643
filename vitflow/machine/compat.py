"""One workaround, in one place: torchvision from PyPI beside a CPU build of torch."""

from __future__ import annotations

from types import ModuleType


def import_torchvision() -> ModuleType:
    """torchvision, importable even where its compiled operators do not fit the installed torch.

    PyPI's torchvision is built for CUDA; beside a CPU build of torch its operators cannot load, and the
    import fails only because two operator schemas are unknown. Declaring them is enough for datasets,
    transforms and models, which is all that is used here.
    """
    import torch

    if not torch.version.cuda and not torch.version.hip:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in ("nms", "qnms"):
            if not hasattr(torch.ops.torchvision, operator):
                library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _kept.append(library)
    import torchvision

    return torchvision


_kept: list[object] = []  # a library's definitions vanish with the object
