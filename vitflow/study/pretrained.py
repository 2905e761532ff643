"""Section ``pretrained``: a ResNet-50 that has seen ImageNet, which nothing in a study is ranked with."""

from __future__ import annotations

from pathlib import PurePosixPath

from pydantic import Field

from vitflow.study.fields import Strict

#: torchvision's weights of a ResNet-50 by the first 8 hex digits of their file's sha256, which its file names end with
PUBLISHED = {"0676ba61": "IMAGENET1K_V1", "11ad3fa6": "IMAGENET1K_V2"}
#: those that are downloaded, and where from
URL = "https://download.pytorch.org/models/resnet50-0676ba61.pth"
DOWNLOADED = PurePosixPath(URL).stem.removeprefix("resnet50-")
#: images of each class that the linear probe needs: one to learn from, one to choose its regularisation on
LEAST = 2


class Pretrained(Strict):
    """Whose frozen features a linear probe reads, and from how many images; without this section there is none."""

    weights: str | None = Field(
        None, min_length=1, description="a .pth file in torchvision's format; null downloads IMAGENET1K_V1 (98 MB)"
    )
    images: int = Field(
        5000, ge=1, le=1_000_000, description="images, at most, of training, of validation and of test, each by class"
    )
