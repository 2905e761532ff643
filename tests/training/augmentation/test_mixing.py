"""mixup and CutMix: pixels and targets, one sample at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats
from support.generators import seeded
from torch import Tensor
from torch.nn import functional as F

from vitflow.study.training import Training
from vitflow.training.augmentation import mixing
from vitflow.training.augmentation.mixing import Mixed, blend_labels, build_mixing, cutmix, draw, mixup, none

BATCH, CLASSES = 400, 10
CPU = torch.device("cpu")
LABELS = torch.arange(BATCH) % CLASSES

BOTH = pytest.mark.parametrize("mix", [mixup, cutmix])


def numbered(size: int = 8) -> Tensor:
    """Every pixel of image i is i."""
    return torch.arange(BATCH, dtype=torch.float32)[:, None, None, None].expand(BATCH, 3, size, size)


def mixed(mix: Callable[..., Mixed], images: Tensor, alpha: float = 1.0, seed: int = 0) -> Mixed:
    return mix(images, LABELS, seeded(seed), alpha=alpha, classes=CLASSES)


@BOTH
def test_targets_are_probabilities_of_at_most_two_classes(mix: Callable[..., Mixed]) -> None:
    targets = mixed(mix, numbered()).targets
    assert targets.shape == (BATCH, CLASSES) and targets.dtype == torch.float32
    torch.testing.assert_close(targets.sum(1), torch.ones(BATCH), rtol=0, atol=1e-6)
    assert (targets >= 0).all() and ((targets > 0).sum(1) <= 2).all()


def test_mixup_takes_the_same_share_of_images_and_targets() -> None:
    images = torch.randn(BATCH, 3, 8, 8, generator=seeded(1))
    partner, share = draw(BATCH, seeded(), 1.0, CPU)
    result = mixed(mixup, images)
    for i in range(BATCH):
        kept, other = float(share[i]), int(partner[i])
        torch.testing.assert_close(result.images[i], kept * images[i] + (1 - kept) * images[other])
        expected = kept * F.one_hot(LABELS[i], CLASSES) + (1 - kept) * F.one_hot(LABELS[other], CLASSES)
        torch.testing.assert_close(result.targets[i].double(), expected.double(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [8, 32])
def test_cutmix_pastes_one_rectangle_and_its_area_is_the_partners_share(size: int) -> None:
    images = numbered(size)
    partner, _ = draw(BATCH, seeded(), 1.0, CPU)
    result = mixed(cutmix, images)
    shares = []
    for i in range(BATCH):
        other = int(partner[i])
        pasted = (result.images[i, 0] == other).numpy() & (other != i)
        assert ((result.images[i] == i) | (result.images[i] == other)).all()
        assert (result.images[i] == result.images[i, :1]).all(), "all channels alike"
        rows, columns = np.flatnonzero(pasted.any(1)), np.flatnonzero(pasted.any(0))
        assert pasted.sum() == len(rows) * len(columns)
        assert not len(rows) or pasted.sum() == (np.ptp(rows) + 1) * (np.ptp(columns) + 1), "one rectangle"
        if LABELS[i] != LABELS[other]:
            assert result.targets[i, LABELS[other]] == pytest.approx(pasted.sum() / size**2, abs=1e-6)
            shares.append(pasted.sum() / size**2)
    assert 0.05 < np.mean(shares) < 0.5 and max(shares) > 0.5
    assert len(set(shares)) > size, "each sample its own"


@pytest.mark.parametrize("size", [9, 32])
def test_rectangles_of_cutmix_are_those_of_the_authors_code(size: int) -> None:
    generator = seeded()
    partner, share = draw(BATCH, generator, 1.0, CPU)
    centre = torch.rand(2, BATCH, generator=generator)
    pasted = mixed(cutmix, numbered(size)).images[:, 0] != torch.arange(BATCH)[:, None, None]
    for i in range(BATCH):
        half = int(size * (1 - float(share[i])) ** 0.5) // 2  # their cut_w // 2, to both sides of the centre
        y, x = (int(size * c) for c in centre[:, i])
        expected = torch.zeros(size, size, dtype=torch.bool)
        expected[max(y - half, 0) : y + half, max(x - half, 0) : x + half] = partner[i] != i
        assert torch.equal(pasted[i], expected), f"sample {i}"


def test_rectangles_of_cutmix_lie_anywhere_alike() -> None:
    generator, size, hits = seeded(), 16, torch.zeros(16, 16)
    for _ in range(40):
        images = cutmix(numbered(size), LABELS, generator, alpha=1.0, classes=CLASSES).images
        hits += (images[:, 0] != torch.arange(BATCH)[:, None, None]).float().sum(0)
    hits /= 40 * BATCH
    # an even number of pixels has no middle one: the authors' lie half a pixel towards the origin
    torch.testing.assert_close(hits, hits.flip(0), atol=0.045, rtol=0)
    torch.testing.assert_close(hits, hits.T, atol=0.025, rtol=0)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_shares_are_beta_distributed_and_partners_a_permutation(alpha: float) -> None:
    partner, share = draw(4000, seeded(), alpha, CPU)
    assert sorted(partner.tolist()) == list(range(4000))
    assert stats.kstest(share.numpy(), stats.beta(alpha, alpha).cdf).pvalue > 0.001


def test_the_smallest_alpha_still_gives_shares() -> None:
    _, share = draw(4000, seeded(), 0.01, CPU)
    assert share.isfinite().all() and ((share < 0.001) | (share > 0.999)).float().mean() > 0.9


def test_the_dominant_label_is_the_class_of_the_larger_share() -> None:
    own, other = torch.tensor([1, 1, 1, 1]), torch.tensor([2, 2, 2, 1])
    targets, dominant = blend_labels(own, other, torch.tensor([0.6, 0.4, 0.5, 0.1]), 3)
    assert dominant.tolist() == [1, 2, 1, 1]
    torch.testing.assert_close(targets, torch.tensor([[0, 0.6, 0.4], [0, 0.4, 0.6], [0, 0.5, 0.5], [0, 1, 0]]))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_an_unmixed_target_gives_the_loss_and_gradient_of_its_label(smoothing: float) -> None:
    logits = torch.randn(BATCH, CLASSES, generator=seeded(2), dtype=torch.float64).requires_grad_()
    targets, _ = blend_labels(LABELS, LABELS.roll(1), torch.ones(BATCH), CLASSES)
    soft = F.cross_entropy(logits, targets.double(), label_smoothing=smoothing)
    hard = F.cross_entropy(logits, LABELS, label_smoothing=smoothing)
    torch.testing.assert_close(soft, hard, rtol=1e-12, atol=0)
    torch.testing.assert_close(*(torch.autograd.grad(loss, logits)[0] for loss in (soft, hard)), rtol=0, atol=1e-12)


def test_smoothing_of_a_mixture_is_the_mixture_of_smoothed_labels() -> None:
    logits = torch.randn(BATCH, CLASSES, generator=seeded(2))
    kept = torch.rand(BATCH, generator=seeded(3))
    targets, _ = blend_labels(LABELS, LABELS.roll(1), kept, CLASSES)
    ours = F.cross_entropy(logits, targets, label_smoothing=0.1, reduction="none")
    one, two = (F.cross_entropy(logits, y, label_smoothing=0.1, reduction="none") for y in (LABELS, LABELS.roll(1)))
    torch.testing.assert_close(ours, kept * one + (1 - kept) * two)


@BOTH
def test_mixing_is_a_function_of_batch_and_generator(mix: Callable[..., Mixed]) -> None:
    images = torch.randn(BATCH, 3, 8, 8, generator=seeded(1))
    before = images.clone()
    torch.manual_seed(1)
    first = mixed(mix, images, seed=5)
    torch.manual_seed(2)
    again, other = mixed(mix, images, seed=5), mixed(mix, images, seed=6)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.images, other.images)
    assert torch.equal(images, before)


def test_none_changes_and_draws_nothing() -> None:
    images, generator = numbered(), seeded()
    state = generator.get_state()
    result = none(images, LABELS, generator)
    assert result.images is images and result.targets is LABELS and result.labels is LABELS
    assert torch.equal(generator.get_state(), state)


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_build_mixing_uses_the_recipe(name: str) -> None:
    built = build_mixing(Training.model_validate({"mixing": name, "mixing_alpha": 0.3}), CLASSES)
    expected = mixed(getattr(mixing, name), numbered(), alpha=0.3)
    assert torch.equal(built(numbered(), LABELS, seeded()).images, expected.images)
