"""Section ``training``: its words, and recipes that cannot be."""

from __future__ import annotations

from support.studies import HEAD, IsTold, literals, mistakes

from vitflow.study.training import Training
from vitflow.training.augmentation.augment import AUGMENTATIONS
from vitflow.training.augmentation.mixing import MIXINGS
from vitflow.training.optimizer import OPTIMIZERS


def test_the_words_of_a_recipe_are_those_of_the_registries() -> None:
    assert literals(Training, "augmentation") == AUGMENTATIONS.keys()
    assert literals(Training, "mixing") == MIXINGS.keys()
    assert literals(Training, "optimizer") == OPTIMIZERS.keys()


@mistakes(
    {
        HEAD + "training: {epochs: .inf}": ["training.epochs: Input should be a finite number (got inf)"],
        HEAD + "training: {learning_rate: .nan}": ["training.learning_rate: Input should be a finite number (got nan)"],
        HEAD + "training: {learning_rate: -1}": ["training.learning_rate: Input should be greater than 0 (got -1)"],
        HEAD + "training: {gradient_clip: 0}": ["training.gradient_clip: Input should be greater than 0 (got 0)"],
        HEAD + "training: {label_smoothing: 1}": ["training.label_smoothing: Input should be less than 1 (got 1)"],
        HEAD + "training: {random_erasing: 25}": ["training.random_erasing: Input should be less than or equal to 1"],
        HEAD + "training: {ema: 1}": ["training.ema: Input should be less than 1 (got 1)"],
        HEAD + "training: {mixing: mixup, mixing_alpha: 0}": [
            "training.mixing_alpha: Input should be greater than or equal"
        ],
        HEAD + "training: {batch_size: -1}": ["training.batch_size: Input should be greater than or equal to 1"],
    }
)
def test_a_number_out_of_range_is_told(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)


@mistakes(
    {
        HEAD + "training: {warmup_epochs: 200}": ["training: warmup_epochs 200 must be less than epochs 100"],
        HEAD + "training: {mixing: cutmix, batch_size: 1}": ["training: mixing 'cutmix' takes a partner", "at least 2"],
        HEAD + "training: {epochs: 5}": ["training: warmup_epochs 5 must be less than epochs 5"],
        HEAD + "ablations: {g: {epochs: [3]}}": [
            "ablations.g.epochs: training: warmup_epochs 5 must be less than epochs 3"
        ],
    }
)
def test_a_recipe_that_contradicts_itself_is_told(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)
