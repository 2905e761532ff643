"""torchvision is imported in our own way before timm and vit-pytorch, which import it, come to do so."""

from __future__ import annotations

from vitflow.machine.compat import import_torchvision

import_torchvision()
