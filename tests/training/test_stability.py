"""Stability: spikes and attention logits against explicit references, in any number of sittings."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from support.trainings import CPU, Sit, run_config
from torch import Tensor
from torch.nn import functional as F

from vitflow.data.splits import Data, Split
from vitflow.models.build import build
from vitflow.study.models import ResNet, ViT
from vitflow.training import loop, stability
from vitflow.training.stability import WINDOW, Stability, count_spikes, largest_attention_logit, watched_images

# ------------------------------------------------------------------------------------------------- spikes


def spikes_by_hand(values: list[float]) -> list[int]:
    """The places of the spikes, from the words of the module's docstring."""
    found = []
    logs = [math.log(value) for value in values]
    for step in range(WINDOW, len(logs)):
        before = logs[step - WINDOW : step]
        median = statistics.median(before)
        deviation = 1.4826 * statistics.median(abs(value - median) for value in before)
        if logs[step] > median + 6 * deviation and values[step] > 4 / 3 * math.exp(median):
            found.append(step)
    return found


def noise(steps: int, sigma: float = 0.2, seed: int = 0) -> NDArray[np.float64]:
    return np.exp(np.random.default_rng(seed).normal(0, sigma, steps))


def test_spikes_are_those_of_the_definition() -> None:
    values = noise(600) * np.linspace(3, 1, 600)
    for step in (3, 100, 101, 102, 250, 599):  # the first is too early to be judged
        values[step] *= 8
    assert spikes_by_hand(values.tolist()) == [100, 101, 102, 250, 599]
    assert count_spikes(values, [])[0] == 5
    shaky = np.exp(np.random.default_rng(1).standard_t(2, 3000) * 0.1)  # many outliers, none made by hand
    assert 0 < len(spikes_by_hand(shaky.tolist())) == count_spikes(shaky, [])[0]


def test_noise_and_trends_have_no_spikes() -> None:
    assert count_spikes(noise(50_000), [])[0] == 0
    assert count_spikes(np.linspace(0.01, 5, 1000), [])[0] == 0, "a rising norm is none"
    assert count_spikes(np.full(200, 2.0) + 1e-9 * np.arange(200) ** 2, [])[0] == 0, "nor are a steady one's last bits"


def test_a_new_level_is_a_spike_until_it_is_the_usual() -> None:
    values = noise(400, sigma=0.01)
    values[200:] *= 10
    assert 20 <= count_spikes(values, [])[0] <= WINDOW / 2 + 5


def test_what_is_not_finite_is_a_spike_and_hides_no_other() -> None:
    values = noise(300)
    values[[100, 200]] = math.inf, math.nan
    values[[120, 220]] *= 10
    assert count_spikes(values, [])[0] == 4
    assert count_spikes(np.full(200, math.inf), [])[0] == 0
    assert count_spikes(np.zeros(200), [])[0] == 0


@pytest.mark.parametrize("size", [1, 7, 49, 50, 51, 333])
def test_spikes_do_not_depend_on_where_epochs_end(size: int) -> None:
    values = np.exp(np.random.default_rng(1).standard_t(2, 1000) * 0.1)
    before: list[float] = []
    counted = 0
    for start in range(0, len(values), size):
        found, before = count_spikes(values[start : start + size], before)
        counted += found
    assert (counted, before) == count_spikes(values, [])


def test_steps_after_the_first_loss_that_is_not_finite_do_not_count() -> None:
    watch = Stability(CPU)
    for step in range(100):
        loss = math.nan if step >= 80 else 10.0 if step == 70 else 1.0
        watch.add(torch.tensor(loss), torch.tensor(math.inf if step == 79 else 50.0 if step > 80 else 2.0))
    watch.close()
    found = watch.result()
    assert (found["loss_spikes"], found["gradient_spikes"], found["judged_steps"]) == (1, 1, 80 - WINDOW)
    assert found["largest_gradient_norm"] == 2.0, "JSON has no infinity"


def test_too_few_steps_are_not_judged() -> None:
    watch = Stability(CPU)
    for _ in range(WINDOW):
        watch.add(torch.tensor(1.0), torch.tensor(2.0))
    watch.close()
    assert (watch.result()["gradient_spikes"], watch.result()["loss_spikes"]) == (None, None)
    watch.add(torch.tensor(1.0), torch.tensor(2.0))
    watch.close()
    assert (watch.result()["gradient_spikes"], watch.result()["loss_spikes"]) == (0, 0)


# ------------------------------------------------------------------------------------ a training's record


def test_any_number_of_sittings_comes_to_the_same_numbers(
    sit: Sit, digits: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stability, "WINDOW", 5)
    monkeypatch.setattr(stability, "SPIKE", 1.0)
    monkeypatch.setattr(stability, "LEAST", 0.0)
    config = run_config(epochs=6, batch_size=20, learning_rate=0.3, augmentation="none")
    seen: list[tuple[float, float]] = []
    add = Stability.add

    def noting(watch: Stability, loss: Tensor, norm: Tensor) -> None:
        seen.append((loss.item(), norm.item()))
        add(watch, loss, norm)

    with monkeypatch.context() as patch:
        patch.setattr(Stability, "add", noting)
        whole = sit(config, folder=tmp_path / "whole").outcome
    for stop in (1, 8, 13, 20, 39, 47):
        with pytest.raises(loop.Interrupted, match=f"step {stop} of 60"):
            sit(config, stop_at=stop)
    parts = sit(config).outcome
    assert parts.resumed_from == [1, 8, 13, 20, 39, 47]
    assert parts.stability == whole.stability

    losses, norms = (np.array(column) for column in zip(*seen, strict=True))
    assert whole.stability["judged_steps"] == 55
    assert whole.stability["loss_spikes"] == count_spikes(losses, [])[0] > 0
    assert whole.stability["gradient_spikes"] == count_spikes(norms, [])[0] > 0
    assert whole.stability["largest_gradient_norm"] == norms.max()
    assert whole.stability["largest_gradient_norm"] == max(row["largest_gradient_norm"] for row in whole.history)
    final = largest_by_hand(whole.model, watched_images(digits, CPU), monkeypatch)
    assert whole.stability["final_attention_logit"] == pytest.approx(final, rel=1e-5)
    assert whole.stability["largest_attention_logit"] >= whole.stability["final_attention_logit"]


# ------------------------------------------------------------------------------------- attention logits


def largest_by_hand(model: torch.nn.Module, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> float:
    """The largest absolute score, as the fused attention that the model really calls is documented to compute it."""
    found = []

    def noting(queries: Tensor, keys: Tensor, values: Tensor, *, attn_mask: Any = None, scale: float | None) -> Tensor:
        scale = queries.shape[-1] ** -0.5 if scale is None else scale
        scores = queries.double().numpy() @ keys.double().transpose(-2, -1).numpy() * scale
        seen = np.ones(scores.shape, bool) if attn_mask is None else np.broadcast_to(attn_mask.numpy(), scores.shape)
        found.append(np.abs(scores[seen]).max())
        return fused(queries, keys, values, attn_mask=attn_mask, scale=scale)

    fused = F.scaled_dot_product_attention
    with monkeypatch.context() as patch, torch.no_grad():
        patch.setattr(F, "scaled_dot_product_attention", noting)
        model.eval()(images)
    return float(max(found))


VARIANTS: dict[str, dict[str, Any]] = {
    "full": {},
    "locality": {"attention": "locality"},
    "locality and rmsnorm": {"attention": "locality", "qk_norm": "rmsnorm"},
    "l2": {"qk_norm": "l2"},
    "rmsnorm": {"qk_norm": "rmsnorm"},
    "rope1d": {"position": "rope1d"},
    "rope2d": {"position": "rope2d", "qk_norm": "rmsnorm", "registers": 2},
    "post": {"norm_placement": "post"},
    "drop path": {"drop_path": 0.5, "layer_scale": 0.1},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_largest_attention_logit_is_what_the_softmax_sees(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    fields = {"patch_size": 2, "width": 16, "depth": 3, "heads": 2, **VARIANTS[name]}
    model = build(ViT.model_validate(fields), 8, 1, 10)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)  # temperatures, gains and scales off their start
    images = torch.randn(9, 1, 8, 8)
    monkeypatch.setattr(stability, "SCORES_AT_ONCE", 2 * 2 * 17**2)  # a few images at a time
    with torch.no_grad():
        found = largest_attention_logit(model.eval(), images)
    assert isinstance(found, Tensor)
    assert found.item() == pytest.approx(largest_by_hand(model, images, monkeypatch), rel=1e-5)


@pytest.mark.parametrize(
    "config", [ViT(width=16, heads=2, depth=2, drop_path=0.5), ResNet(width=4)], ids=lambda c: c.family
)
def test_measuring_disturbs_nothing(config: ViT | ResNet, digits: Data) -> None:
    model = build(config, 8, 1, 10).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    random = torch.get_rng_state()
    Stability(CPU).measure(model, watched_images(digits, CPU))
    assert model.training and all(module.training for module in model.modules())
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_resnet_has_no_attention_logit(digits: Data) -> None:
    watch = Stability(CPU)
    watch.measure(build(ResNet(width=4), 8, 1, 10), watched_images(digits, CPU))
    assert watch.result()["largest_attention_logit"] is watch.result()["final_attention_logit"] is None


def test_watched_images_are_of_all_classes_and_of_validation_where_there_is_one() -> None:
    def split(images: int, pixel: int) -> Split:
        return Split(
            torch.full((images, 8, 8, 1), pixel, dtype=torch.uint8) + torch.arange(images)[:, None, None, None] // 100,
            torch.arange(images) // 100,
        )

    def data(validation: int) -> Data:
        return Data(split(1000, 0), split(validation, 100), split(10, 0), (0.0,), (1.0,), tuple("0123456789"), "")

    watched = watched_images(data(500), CPU)
    assert watched.shape == (128, 1, 8, 8)
    assert (watched[:, 0, 0, 0] * 255).round().unique().tolist() == [100, 101, 102, 103, 104]
    assert watched_images(data(30), CPU).shape == (30, 1, 8, 8)
    assert (watched_images(data(0), CPU)[:, 0, 0, 0] * 255).round().unique().tolist() == list(range(10))
