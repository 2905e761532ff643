"""One sentence for each figure of features and of the inspection, made from the numbers that the figure shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from vitflow.analysis.pca import MOST
from vitflow.analysis.records import ClassContrast, Inside, Inspected, Similarity, Statistics
from vitflow.study.schema import Study

FAMILIES = {"vit": "ViT", "resnet": "ResNet"}
NONE = "No model gives features"
UNSEEN = "No model was inspected"


class _Named(Protocol):
    @property
    def label(self) -> str: ...
    @property
    def family(self) -> str: ...


def baseline(study: Study) -> str:
    """How the baseline is called where models of two families meet."""
    return f"{FAMILIES[study.baseline.family]}, baseline"


def called(models: Sequence[_Named]) -> list[str]:
    """By their families where these tell them apart, else by their labels."""
    families = [model.family for model in models]
    if len(set(families)) == len(models):
        return [f"the {FAMILIES[family]}" for family in families]
    return [model.label for model in models]


# ------------------------------------------------------------------- features; of the pair that is set side by side


def components_title(models: Sequence[Inside]) -> str:
    """Of images on two components, late in each model."""
    found = [(f"{100 * m.views[-1].between:.0f} %", name) for m, name in zip(models, called(models), strict=True)]
    return f"Classes explain {_of(found, 'variance on the first two components')}" if found else NONE


def patches_title(models: Sequence[Inside]) -> str:
    """Of positions, late in each model."""
    found = [(f"{100 * m.views[-1].patch_colours:.0f} %", name) for m, name in zip(models, called(models), strict=True)]
    return f"Three components explain {_of(found, 'late patch variance')}" if found else NONE


def spectrum_title(models: Sequence[Inside]) -> str:
    """Of positions, late in each model, in parts of its width."""
    found = [
        f"{m.views[-1].patch_most} of {m.views[-1].patch_components[-1]} in {name}"
        for m, name in zip(models, called(models), strict=True)
    ]
    return f"Components for {100 * MOST:.0f} % of the late patch variance: {_and(found)}" if found else NONE


def similarity_title(models: Sequence[Inside], similarities: Sequence[Similarity]) -> str:
    """Mean CKA of two different layers of a model, and of a layer of each."""
    if not models:
        return NONE
    values = {(s.one, s.other): np.array(s.values) for s in similarities}
    within = [values[m.run, m.run] for m in models]
    found = [
        f"{cka[~np.eye(len(cka), dtype=bool)].mean():.2f} within {name}"
        for cka, name in zip(within, called(models), strict=True)
    ]
    if len(models) > 1:
        found.append(f"{values[models[0].run, models[1].run].mean():.2f} between the two")
    return f"Mean CKA of two layers: {', '.join(found)}"


def separation_title(models: Sequence[Inside]) -> str:
    """Of a linear probe at what enters the model, and at what its head reads."""
    found = [
        f"from {first:.0f} to {last:.0f} % in {name}"
        for m, name in zip(models, called(models), strict=True)
        if (first := m.layers[0].separation.probe) is not None and (last := m.pooled.probe) is not None
    ]
    return f"Linear-probe accuracy, input to head, goes {_and(found)}" if found else NONE


def attention_maps_title(models: Sequence[Inside]) -> str:
    """Of the first ViT."""
    model = next((m for m in models if m.attention), None)
    if model is None or model.attention is None:
        return "No model has attention"
    seen, side = model.attention.patches, model.attention.image.shape[-1]
    asks = "[CLS]" if model.attention.asks == "[CLS]" else "the mean patch"
    first = f"Patches that {asks} effectively attends to: {seen[0]:.0f} of {side**2} in the first block"
    return first if len(seen) == 1 else f"{first}, {seen[-1]:.0f} in the last"


def position_title(models: Sequence[Inside]) -> str:
    """Of the first model with learned position vectors."""
    model = next((m for m in models if m.position), None)
    if model is None or model.position is None:
        return "No model has learned position embeddings"
    cosine = model.position.values / 127.5 - 1  # [T, T]
    side = round(len(cosine) ** 0.5)
    rows, columns = np.divmod(np.arange(side**2), side)
    steps = np.abs(rows[:, None] - rows) + np.abs(columns[:, None] - columns)
    near, far = (cosine[steps == 1], cosine[steps > 1])
    if not near.size or not far.size:
        return "Too few patches to compare their position embeddings"
    said = f"{_signed(near.mean(), 2)}, others of {_signed(far.mean(), 2)}"
    return f"Position embeddings of neighbouring patches have a cosine similarity of {said}"


# ----------------------------------------------------------------------------------------------- inspection


def attention_title(models: Sequence[Inspected]) -> str:
    """Of the first ViT: means over heads."""
    model = next((m for m in models if m.attention), None)
    if model is None or model.attention is None:
        return "No model that was inspected has attention"
    means = [float(np.mean(heads)) for heads in model.attention]
    first = f"Mean attention distance is {means[0]:#.3g} pixels in block 1"
    last = f", {means[-1]:#.3g} in block {len(means)}" if len(means) > 1 else ""
    return f"{first}{last}; uniform attention would have {model.uniform:#.3g}"


def layers_title(models: Sequence[Inspected]) -> str:
    """Effective rank in parts of the width, at the last layer that the classifier depends on."""
    found = [
        (f"{100 * m.layers[-1].effective_rank / m.layers[-1].width:.0f} %", name)
        for m, name in zip(models, called(models), strict=True)
    ]
    return f"Late patch tokens have an effective rank of {_of(found, 'width')}" if found else UNSEEN


def shifts_title(models: Sequence[Inspected], shifts: Sequence[Mapping[str, Statistics]]) -> str:
    """At the largest shift that was tried; ``shifts``: of each model, by pixels."""
    if not models:
        return UNSEEN
    pixels = max(shifts[0], key=int)
    kept = "of images keep their prediction in"
    told = [
        f"{found[pixels].mean:.0f} % {'in' if place else kept} {name}"
        for place, (found, name) in enumerate(zip(shifts, called(models), strict=True))
    ]
    return f"Shifted by {pixels} pixel{'' if pixels == '1' else 's'}, {_and(told)}"


def classes_title(contrast: ClassContrast | None, runs: Mapping[str, Inspected]) -> str:
    """The class that differs most between the two, and the one that differs least."""
    if contrast is None:
        return "No two models to compare class by class"
    one, other = called([runs[contrast.one], runs[contrast.other]])
    gains = {c.name: (c.other.mean or 0) - (c.one.mean or 0) for c in contrast.classes}
    most, least = max(gains, key=lambda name: gains[name]), min(gains, key=lambda name: gains[name])
    low, high = (f"{_signed(gains[name], 1)}" for name in (least, most))
    return f"Class by class, {other} differs from {one} by {low} ({least}) to {high} points ({most})"


def _and(parts: Sequence[str]) -> str:
    return " and ".join(parts)


def _of(found: Sequence[tuple[str, str]], what: str) -> str:
    """``53 % of the ViT's patch variance and 26 % of the ResNet's``."""
    (value, name), *rest = found
    return _and([f"{value} of {name}'s {what}", *(f"{value} of {name}'s" for value, name in rest)])


def _signed(value: float, digits: int) -> str:
    """``+0.2``, with a true minus; never ``-0.0``."""
    text = f"{value:+.{digits}f}"
    return (text if text.strip("+-0.") else text[1:]).replace("-", "\N{MINUS SIGN}")
