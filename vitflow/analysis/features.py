"""What one model's stored features (:mod:`vitflow.measuring.features`) say, and two models' together.

Letters: N images, E examples, L blocks, T positions, D width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import entropy

from vitflow.analysis import pca, titles
from vitflow.analysis.records import Absent, Attention, Features, FeatureTitles, Inside, Layer, Packed, Similarity, View
from vitflow.analysis.separation import between_classes, fitted, separation
from vitflow.analysis.similarity import cosines, linear_cka
from vitflow.study.models import ResNet, ViT
from vitflow.study.tokens import has_cls

Arrays = Mapping[str, NDArray[Any]]
DIGITS = 4  #: decimals kept of shares


def describe(
    run: str, label: str, config: ViT | ResNet, layers: Sequence[str], arrays: Arrays, positions: int
) -> Inside:
    """One model, from its arrays by name; ``layers`` in their order, ``positions``: see :func:`views`."""
    labels = arrays["labels"]
    counts = {name: arrays[f"{name}/examples"].shape[1] for name in layers}
    return Inside(
        run=run,
        label=label,
        family=config.family,
        layers=tuple(
            Layer(
                name=name,
                depth=round(place / max(len(layers) - 1, 1), DIGITS),
                positions=counts[name],
                width=arrays[f"{name}/means"].shape[1],
                separation=separation(arrays[f"{name}/means"], labels),
            )
            for place, name in enumerate(layers)
        ),
        pooled=separation(arrays["pooled"], labels),
        views=tuple(_view(place, name, arrays) for name, place in views(config, counts, positions).items()),
        attention=_attention(config, arrays) if isinstance(config, ViT) else None,
        position=Packed.of(np.rint((cosines(arrays["position"]) + 1) * 127.5), "uint8")
        if "position" in arrays
        else None,
    )


def views(config: ViT | ResNet, counts: Mapping[str, int], positions: int) -> dict[str, str]:
    """Which layers are looked at, and what they are called: early, middle, late; fewer in a model of few layers.

    ``counts``: positions of every layer in their order. Early is what enters the first block or stage. Late is, in a
    ViT, what enters the last block, whose patch outputs get no gradient where [CLS] is read; in a ResNet, the stage
    whose number of positions is nearest to ``positions``, so that it can be set beside a ViT of as many.
    """
    names = list(counts)
    if isinstance(config, ViT):
        names = names[:-1]
    else:
        late = min(names[1:], key=lambda name: abs(counts[name] - positions))
        names = names[: names.index(late) + 1]
    found: dict[str, str] = {}
    for place, name in (("early", names[0]), ("middle", names[len(names) // 2]), ("late", names[-1])):
        found[name] = f"{found[name]}/{place}" if name in found else place
    return found


def pair(families: Mapping[str, str]) -> tuple[str, str] | None:
    """The two runs that are set beside each other: the first, and the first of another family, else the second.

    ``families`` by run, in their order. None where there are no two.
    """
    first, *rest = families or [""]
    others = [run for run in rest if families[run] != families[first]] or rest
    return (first, others[0]) if others else None


def similarities(layers: Mapping[str, Sequence[NDArray[Any]]]) -> tuple[Similarity, ...]:
    """CKA of all pairs of models, each with itself too; ``layers``: by run, features of images [N, D]."""
    return tuple(
        Similarity(
            one=one,
            other=other,
            values=tuple(
                tuple(row) for row in linear_cka(list(layers[one]), list(layers[other])).round(DIGITS).tolist()
            ),
        )
        for one, other in combinations_with_replacement(layers, 2)
    )


def together(
    models: Sequence[Inside],
    absent: Sequence[Absent],
    means: Mapping[str, Sequence[NDArray[Any]]],
    shared: Arrays,
    split: str,
    classes: Sequence[str],
) -> Features:
    """All models on the same images. ``means``: as of :func:`similarities`; ``shared``: labels and examples."""
    names = pair({model.run: model.family for model in models}) or [model.run for model in models[:1]]
    beside = [model for model in models if model.run in names]
    alike, labels = similarities(means), shared["labels"]
    return Features(
        images=len(labels),
        split=split,
        classes=tuple(classes),
        labels=Packed.of(labels, "uint16"),
        examples=Packed.of(shared["examples"], "uint8"),
        example_labels=tuple(int(labels[k]) for k in shared["example_index"]),
        fitted=int(fitted(labels).sum()),
        models=tuple(models),
        absent=tuple(absent),
        similarities=alike,
        titles=FeatureTitles(
            components=titles.components_title(beside),
            patches=titles.patches_title(beside),
            spectrum=titles.spectrum_title(beside),
            similarity=titles.similarity_title(beside, alike),
            separation=titles.separation_title(beside),
            attention=titles.attention_maps_title(models),
            position=titles.position_title(models),
        ),
    )


#: of a study in which no model gives any
NOTHING: Arrays = {
    "labels": np.zeros(0, dtype=np.int64),
    "examples": np.zeros((0, 1, 1, 1), dtype=np.uint8),
    "example_index": np.zeros(0, dtype=np.int64),
}


def _view(place: str, layer: str, arrays: Arrays) -> View:
    points, explained = pca.on_two(arrays[f"{layer}/means"])
    examples, covariance = arrays[f"{layer}/examples"], arrays[f"{layer}/covariance"]
    shares, _ = pca.components(covariance)
    numbers, held = pca.spectrum(shares)
    return View(
        place=place,
        layer=layer,
        between=between_classes(points, arrays["labels"]),
        explained=tuple(round(share, DIGITS) for share in explained),
        points=Packed.of(points, "float16"),
        patch_components=tuple(numbers),
        patch_held=tuple(round(share, DIGITS) for share in held),
        patch_colours=round(float(shares[:3].sum()), DIGITS),
        patch_most=pca.needed(shares, pca.MOST),
        maps=Packed.of(_square(pca.colours(examples, arrays[f"{layer}/centre"], covariance)), "uint8"),
    )


def _attention(config: ViT, arrays: Arrays) -> Attention:
    asks: Literal["[CLS]", "the mean patch"] = "[CLS]" if has_cls(config) else "the mean patch"
    shares = {query: arrays[f"attention/{query}"].astype(np.float64) for query in ("image", "patch")}  # [L, E, T]
    of_patches = shares["image"] / shares["image"].sum(axis=-1, keepdims=True)
    patches = np.exp(entropy(of_patches, axis=-1)).mean(axis=-1)  # [L]
    return Attention(
        asks=asks,
        patches=tuple(round(float(number), 2) for number in patches),
        **{query: _map(found) for query, found in shares.items()},
    )


def _map(shares: NDArray[np.float64]) -> Packed:
    """Shares of attention [L, E, T] as pictures [L, E, side, side], each in parts of its largest value."""
    return Packed.of(_square(np.rint(255 * shares / shares.max(axis=-1, keepdims=True))[..., None])[..., 0], "uint8")


def _square(values: NDArray[Any]) -> NDArray[Any]:
    """Positions as the square they lie in: [..., T, C] -> [..., side, side, C]."""
    side = round(values.shape[-2] ** 0.5)
    return values.reshape(*values.shape[:-2], side, side, values.shape[-1])
