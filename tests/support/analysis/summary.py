"""The summary of a study whose results are made up: what a made-up world gives each run, over its seeds."""

from __future__ import annotations

import math

import numpy as np

from support.analysis.studies import TECHNIQUES
from support.analysis.world import ACCURACY, FIT, GAP, WORTH, effect
from vitflow.analysis.claims import best_single, findings
from vitflow.analysis.intervals import ENOUGH_SEEDS
from vitflow.analysis.records import Images, Run, Stability, Statistics, Summary
from vitflow.analysis.runs import Cost, differences, kind_of, spread
from vitflow.analysis.summary import axes_table, groups_table
from vitflow.study import grid
from vitflow.study.grid import BASELINE, Grid, expand
from vitflow.study.models import ResNet, ViT
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def made_up(study: Study, diverged: dict[str, int], generator: np.random.Generator) -> Summary:
    """``diverged`` gives, by run name, how many of its seeds (the last ones) diverged."""
    plan = expand(study)
    runs = {name: _run(study, plan, run, diverged.get(name, 0), generator) for name, run in plan.runs.items()}
    scores = {name: {"test": run.test, "validation": run.validation} for name, run in runs.items()}
    found = differences(study, plan, scores, diverged.get(BASELINE, 0))
    runs = {name: run.model_copy(update={"difference": found.get(name)}) for name, run in runs.items()}
    size, channels, _ = study.dataset.shape
    done = sum(len(run.seeds) for run in runs.values())
    return Summary(
        study=study.study,
        title=study.title,
        author=study.author,
        dataset=Images(
            title=study.dataset.spoken,
            duplicates=(),
            image_size=size,
            channels=channels,
            classes=_classes(study),
            train_images=45000,
            validation_images=5000,
            test_images=10000,
        ),
        model=study.baseline.model_dump(),
        training=study.training.model_dump(),
        equivalence_margin=study.equivalence_margin,
        seeds=study.seeds,
        baseline_seeds=study.baseline_seeds or study.seeds,
        done=done,
        total=done,
        baseline_images=(81.1, 82.6),
        descriptive=any(len(run.seeds) < ENOUGH_SEEDS for run in runs.values()),
        digest="3f9c0a7e" * 8,
        date="2025-03-14",
        device="AMD EPYC (2 threads)",
        measured_on="AMD EPYC (1 thread)",
        versions={"torch": "2.13.0", "python": "3.11.7"},
        train_hours=round(sum(run.multiplications * len(run.seeds) for run in runs.values()) / 3.6e8, 2),
        runs=runs,
        groups=groups_table(study, plan, runs),
        axes=axes_table(study, plan, runs, TECHNIQUES),
        references=tuple(p.run for p in plan.points if p.group == "references" and p.run != BASELINE),
        diverged=tuple(name for name, run in runs.items() if run.diverged),
        findings=findings(study, runs),
        best=best_single(runs),
    )


def _run(study: Study, plan: Grid, run: grid.Run, diverged: int, generator: np.random.Generator) -> Run:
    model, cost = run.config.model, cost_of(study, run.config.model)
    accuracy, gap = world_of(run.config, study.baseline_run)
    accuracy += generator.normal(0, 0.15)
    n = len(run.seeds) - diverged

    def measured(mean: float, deviation: float) -> Statistics:
        return spread(generator.normal(mean, deviation, n).tolist())

    return Run(
        label=TECHNIQUES.run_label(run.name, run.config, study.baseline_run),
        family=model.family,
        model=model.model_dump(),
        kind=kind_of(run.name, run.config, study, plan),
        train_images=run.config.dataset.train_images or 45000,
        seeds=run.seeds,
        n=n,
        diverged=diverged,
        validation=measured(accuracy + 0.3, 0.3),
        test=measured(accuracy, 0.25),
        clean_train=measured(min(accuracy + gap, 99.9), 0.2),
        test_loss=measured(0.9 - accuracy / 200, 0.01),
        test_ece=measured(4.0, 0.3),
        shifts={str(pixels): measured(100 - 4 * pixels, 0.5) for pixels in (1, 2, 3)},
        attention_distance=measured(12.0, 0.3) if isinstance(model, ViT) else spread([]),
        difference=None,
        **vars(_timed(cost, generator)),
        stability=_stability(run, diverged, generator),
    )


def world_of(config: RunConfig, baseline: RunConfig) -> tuple[float, float]:
    """(test accuracy, distance of clean training images from it) that the made-up world gives a configuration."""
    changed, model = config.changes_from(baseline), config.model
    gap = GAP + effect(FIT, changed)
    if isinstance(model, ViT):
        return ACCURACY + effect(WORTH, changed), gap
    fewer = {field: value for field, value in changed.items() if field == "train_images"}
    deeper = 0.8 * math.log2(model.width / 64) + (0.4 if model.depth == 50 else 0)
    return 93.0 + deeper + effect(WORTH, fewer), gap


def cost_of(study: Study, model: ViT | ResNet) -> Cost:
    """Exact counts of a model, nearly."""
    return _cost_of_vit(study, model) if isinstance(model, ViT) else _cost_of_resnet(model)


def _cost_of_vit(study: Study, model: ViT) -> Cost:
    size, channels, classes = study.dataset.shape
    patches = (size // model.patch_size) ** 2
    tokens = patches + (model.pool == "cls")
    block = int((4 + 2 * model.mlp_ratio) * model.width**2)
    embedding = model.patch_size**2 * channels
    return Cost(
        parameters=model.depth * block + model.width * (embedding + tokens + classes),
        multiplications=tokens * model.depth * block
        + 2 * model.depth * tokens**2 * model.width
        + patches * model.width * embedding,
        tokens=tokens,
    )


def _cost_of_resnet(model: ResNet) -> Cost:
    scale = (model.width / 64) ** 2
    return Cost(
        parameters=int((11_173_962 if model.depth == 18 else 23_520_842) * scale),
        multiplications=int((555_422_720 if model.depth == 18 else 1_297_829_888) * scale),
        tokens=16,
    )


def _timed(cost: Cost, generator: np.random.Generator) -> Cost:
    """Time in proportion to multiplications, but for a few percent."""
    ratio = float(cost.multiplications / 174e6 * generator.normal(1, 0.03))
    return Cost(
        parameters=cost.parameters,
        multiplications=cost.multiplications,
        tokens=cost.tokens,
        images_per_second=round(150 / ratio, 2),
        time_ratio=round(ratio, 4),
        time_ratios=(round(ratio * 0.99, 4), round(ratio * 1.01, 4)),
        peak_bytes=5 * cost.multiplications,
    )


def _stability(run: grid.Run, diverged: int, generator: np.random.Generator) -> Stability:
    """Spikes where the learning rate is high; no attention logit where there is no attention."""
    spikes = generator.poisson(run.config.training.learning_rate * 1000, 2) / len(run.seeds)
    logit = round(float(generator.lognormal(3, 0.5)), 4) if isinstance(run.config.model, ViT) else None
    return Stability(
        gradient_spikes=round(float(spikes[0]), 4),
        loss_spikes=round(float(spikes[1]), 4),
        largest_gradient_norm=round(float(generator.lognormal(1, 0.5)), 4),
        largest_attention_logit=logit,
        diverged_at={str(seed): 1000 + seed for seed in run.seeds[len(run.seeds) - diverged :]},
    )


def _classes(study: Study) -> tuple[str, ...]:
    number = study.dataset.shape[2]
    if study.dataset.name == "digits":
        return tuple(str(k) for k in range(10))
    return CLASSES if number == 10 else tuple(f"class {k}" for k in range(number))
