"""The pretrained ResNet-50: features against torchvision's own model, weights found, downloaded or refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from support.pretrained import random_weights
from torch import Tensor, nn

from vitflow.machine.compat import import_torchvision
from vitflow.measuring import pretrained
from vitflow.measuring.pretrained import WeightsError, load, pooled, prepared, weights_file, without_head
from vitflow.study.pretrained import URL

CPU = torch.device("cpu")
IMAGES = torch.randint(0, 256, (3, 32, 32, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_weights(tmp_path_factory.mktemp("weights") / "resnet50.pth")


@pytest.fixture
def pieces(weights: Path) -> dict[str, Any]:
    return torch.load(weights)


def torchvisions(weights: Path) -> nn.Module:
    """The model as anybody would load it."""
    import_torchvision()
    from torchvision.models import resnet50

    model: nn.Module = resnet50(weights=None)
    model.load_state_dict(torch.load(weights))
    return model.eval()


# ------------------------------------------------------------------------------------------ images, features


@pytest.mark.parametrize(("before", "after"), [(32, 224), (8, 224), (300, 224), (64, 64)])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_prepared_as_torchvision_would(before: int, after: int, channels: int) -> None:
    import_torchvision()
    from torchvision.transforms import v2

    images = torch.randint(0, 256, (2, before, before, channels), dtype=torch.uint8)
    steps = [
        v2.RGB(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Resize((after, after), v2.InterpolationMode.BILINEAR, antialias=True),
        v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ]
    torch.testing.assert_close(
        prepared(images, after), v2.Compose(steps)(images.permute(0, 3, 1, 2)), atol=1e-5, rtol=1e-5
    )


@torch.no_grad()
def test_features_are_what_torchvisions_model_gives_its_head(weights: Path) -> None:
    reference, head = torchvisions(weights), nn.Identity()
    head, reference.fc = reference.fc, head
    found = pooled(without_head(load(weights)), IMAGES, CPU, lambda count: None)
    assert found.shape == (3, 2048) and found.std(0).mean() > 0.1, "images differ in them"
    torch.testing.assert_close(found, reference(prepared(IMAGES)))
    torch.testing.assert_close(head(found), torchvisions(weights)(prepared(IMAGES)), atol=1e-4, rtol=1e-4)


def test_features_do_not_depend_on_the_batch_and_each_batch_is_told(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, told = without_head(load(weights)), list[int]()
    together = pooled(model, IMAGES, CPU, told.append)
    monkeypatch.setattr(pretrained, "AT_ONCE", 2)
    torch.testing.assert_close(pooled(model, IMAGES, CPU, told.append), together)
    assert told == [3, 2, 1]


def test_features_that_are_no_numbers_are_refused(weights: Path) -> None:
    def broken(inputs: Tensor) -> Tensor:
        return torch.full((len(inputs), 2048), torch.nan)

    with pytest.raises(WeightsError, match=r"^pretrained\.weights: they give features that are no finite numbers"):
        pooled(broken, IMAGES, CPU, lambda count: None)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------- weights


def refusal(file: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        load(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ") and len(message.splitlines()) == 1
    return message.removeprefix(f"{file}: ")


def test_older_files_without_counters_are_read(weights: Path, pieces: dict[str, Any], tmp_path: Path) -> None:
    fewer = {key: value for key, value in pieces.items() if not key.endswith("num_batches_tracked")}
    assert len(fewer) < len(pieces)
    torch.save(fewer, tmp_path / "older.pth")
    one, other = (load(file).state_dict() for file in (weights, tmp_path / "older.pth"))
    assert all(torch.equal(one[key], other[key]) for key in fewer)


@pytest.mark.parametrize("left", [0, 100, 50_000_000, -1])
def test_a_truncated_file_is_refused(weights: Path, tmp_path: Path, left: int) -> None:
    (tmp_path / "cut.pth").write_bytes(weights.read_bytes()[:left])
    assert refusal(tmp_path / "cut.pth").startswith("no weights that torch reads, or damaged (")


def test_a_file_that_is_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.pth").write_text("<html>not found</html>")
    assert refusal(tmp_path / "page.pth").startswith("no weights that torch reads, or damaged (")


@pytest.mark.parametrize(
    ("network", "key"),
    [
        ("resnet18", "'layer1.0.conv1.weight' has shape [64, 64, 3, 3] instead of [64, 64, 1, 1]"),
        ("resnet101", "'layer3.6.conv1.weight' is none of its parts"),
        ("squeezenet1_1", "no 'conv1.weight'"),
    ],
)
def test_weights_of_another_model_are_refused_by_a_key(network: str, key: str, tmp_path: Path) -> None:
    said = refusal(random_weights(tmp_path / "other.pth", network))
    assert said == f"not the weights of a ResNet-50 in torchvision's format: {key}"


def test_what_holds_no_tensors_by_name_is_refused(pieces: dict[str, Any], tmp_path: Path) -> None:
    for content, said in [
        ([1, 2], "it holds no tensors by name"),
        ({"state_dict": pieces}, "no 'conv1.weight'"),
        (pieces | {"fc.weight": torch.zeros(10, 2048)}, "'fc.weight' has shape [10, 2048] instead of [1000, 2048]"),
        (pieces | {"fc.weight": 3}, "no 'fc.weight'"),
    ]:
        torch.save(content, tmp_path / "other.pth")
        assert refusal(tmp_path / "other.pth").endswith(f"format: {said}")


# ------------------------------------------------------------------------------------------ where they are


@pytest.fixture
def at_home(in_an_empty_folder: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch's cache, empty; nothing may be downloaded, unless a test says what."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    return tmp_path / "hub" / "checkpoints"


def unreachable(url: str, *others: Any, **more: Any) -> None:
    raise OSError("<urlopen error [Errno -3] Temporary failure\n in name resolution>")


def published(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """As if that were the published file."""
    monkeypatch.setattr(pretrained, "DOWNLOADED", hashlib.sha256(content).hexdigest()[:8])


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(WeightsError, match=r"^nowhere/w\.pth: no such file; correct pretrained\.weights$"):
        weights_file("nowhere/w.pth")


def test_without_a_network_the_address_and_a_way_round_are_told(at_home: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        weights_file(None)
    said = str(caught.value)
    assert said.startswith("data/raw/resnet50-0676ba61.pth: download failed (") and len(said.splitlines()) == 1
    assert said.endswith(f"; get {URL} by other means and name the file in pretrained.weights")


def test_weights_are_downloaded_once(at_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(url: str, file: str, hash_prefix: str, progress: bool) -> None:
        assert (url, hash_prefix) == (URL, pretrained.DOWNLOADED)
        Path(file).write_bytes(b"weights")

    published(monkeypatch, b"weights")
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    assert weights_file(None) == Path("data/raw/resnet50-0676ba61.pth")
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    assert weights_file(None).read_bytes() == b"weights"


def test_weights_in_torchs_cache_are_taken_if_they_are_the_published_ones(
    at_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home.mkdir(parents=True)
    cached = at_home / "resnet50-0676ba61.pth"
    cached.write_bytes(b"weights")
    with pytest.raises(WeightsError, match=r"sha256 differs\); delete it to download it again"):
        weights_file(None)
    published(monkeypatch, b"weights")
    assert weights_file(None) == cached
