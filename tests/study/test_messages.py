"""What is said about keys, types and choices: the place, what is wrong, the nearest valid choice."""

from __future__ import annotations

from support.studies import HEAD, IsTold, mistakes


@mistakes(
    {
        "study: s": ["dataset: missing"],
        "dataset: {name: cifar10}": ["study: missing"],
        HEAD + "sedds: 3": ["sedds: unknown key; did you mean 'seeds'?"],
        HEAD + "zzz: 3": ["zzz: unknown key; valid: ", "ablations"],
        HEAD + "3: 4": ["3: Keys should be strings"],
        "study: s\ndataset: {name: cifar10, validation_fraction: 0,2}": ["dataset.2: Keys", "0,2 is written 0.2"],
        "study: s\ndataset: {nam: cifar10}": ["dataset.nam: unknown key; did you mean 'name'?"],
        HEAD + "training: {lerning_rate: 1}": ["training.lerning_rate: unknown key; did you mean 'learning_rate'?"],
        HEAD + "baseline: {patch: 4}": ["baseline.patch: unknown key; did you mean 'patch_size'?"],
        HEAD + "baseline: {family: resnet, heads: 3}": ["baseline.heads: unknown key; valid: family, depth, width"],
        HEAD + "best: {seed: 3}": ["best.seed: unknown key; did you mean 'seeds'?"],
        HEAD + "features: {image: 30}": ["features.image: unknown key; did you mean 'images'?"],
    }
)
def test_a_key_that_is_unknown_or_missing_is_told(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)


@mistakes(
    {
        "study: s\ndataset: cifar10": ["dataset: expected a mapping with keys such as name", "(got 'cifar10')"],
        "study: s\ndataset:": ["dataset: expected a mapping", "(got None)"],
        HEAD + "training: 5": ["training: expected a mapping with keys such as epochs", "(got 5)"],
        HEAD + "baseline: vit": ["baseline: expected a mapping with keys such as family", "(got 'vit')"],
        HEAD + 'title: "\\e[31mred"\n': ["title: ", "cannot be shown"],
        HEAD + 'author: "two\\nlines"\n': ["author: ", "cannot be shown"],
        HEAD + 'title: "  "\n': ["title: blank"],
        HEAD + 'title: "\\u200b"\n': ["title: blank"],
        HEAD + 'title: "\\U0001FFFF"\n': ["title: '\\U0001ffff' cannot be shown"],
        'study: s\ndataset: {name: cifar10, path: "a\\e[31mb"}': ["dataset.path: '\\x1b' cannot be shown"],
        HEAD + "best: true": ["best: expected a mapping with keys such as max_flops_ratio"],
        HEAD + "ablations: 3": ["ablations: expected a mapping (got 3)"],
        HEAD + "ablations: [width]": ["ablations: expected a mapping (got ['width'])"],
        HEAD + "ablations: {g: 3}": ["ablations.g: expected a mapping (got 3)"],
        HEAD + "ablations: {g: {width: 96}}": ["ablations.g.width: expected a list, for example [96]"],
        HEAD + "ablations: {list_a: {width: 96}}": ["ablations.list_a.width: expected a list"],
        HEAD + "ablations: {g: {2: [1]}}": ["ablations.g.2: Input should be a valid string"],
        HEAD + "cross: {c: []}": ["cross.c: expected a mapping (got [])"],
        HEAD + "references: {r: resnet18}": ["references.r: expected a mapping (got 'resnet18')"],
        HEAD + "features: {runs: baseline}": ["features.runs: expected a list, for example [baseline]"],
        HEAD + "seeds: three": ["seeds: Input should be a valid integer", "(got 'three')"],
        HEAD + "seeds: 2.5": ["seeds: Input should be a valid integer", "(got 2.5)"],
        HEAD + "seeds:": ["seeds: Input should be a valid integer (got None)"],
        HEAD + "title: 3": ["title: Input should be a valid string (got 3); a word is put in quotes"],
        "study: no\ndataset: {name: cifar10}": ["study: Input should be", "(got False); a word is put in quotes, for"],
        HEAD + "ablations: {no: {width: [96]}}": ["ablations", "a word is put in quotes, for 'no', 'off', 'yes' and"],
        HEAD + "training: {learning_rate: fast}": [
            "training.learning_rate: Input should be a valid number",
            "(got 'fast')",
        ],
        HEAD + "training: {epochs: {a: 1}}": ["training.epochs: Input should be a valid integer"],
    }
)
def test_a_value_of_another_type_is_told(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)


@mistakes(
    {
        HEAD + "training: {augmentation: no}": [
            "training.augmentation: 'false' is not a valid",
            "none, crop, crop_flip",
        ],
        HEAD + "training: {augmentation: crop_flop}": [
            "training.augmentation: 'crop_flop'",
            "did you mean 'crop_flip'?",
        ],
        HEAD + 'training: {augmentation: "a\\nb"}': ["training.augmentation: 'a b' is not a valid choice; valid: none"],
        HEAD + "training: {optimizer: adam}": [
            "training.optimizer: 'adam' is not a valid choice; did you mean 'adamw'?"
        ],
        HEAD + "training: {mixing: mixip}": ["training.mixing: 'mixip' is not a valid choice; did you mean 'mixup'?"],
        HEAD + "training: {augmentation: trivil}": ["training.augmentation: 'trivil'", "did you mean 'trivial'?"],
        HEAD + "baseline: {pool: max}": ["baseline.pool: 'max' is not a valid choice; valid: cls, mean"],
        HEAD + "baseline: {family: vt}": ["baseline.family: 'vt' is not a valid choice; did you mean 'vit'?"],
        HEAD + "baseline: {family: 3}": ["baseline.family: '3' is not a valid choice; valid: vit, resnet"],
        HEAD + "baseline: {family: resnet, depth: 34}": ["baseline.depth: '34' is not a valid choice; valid: 18, 50"],
        HEAD + "schema_version: 2": ["schema_version: '2' is not a valid choice; valid: 1"],
        HEAD + "ablations: {g: {pool: [max]}}": [
            "ablations.g.pool: model.pool: 'max' is not a valid choice",
            "cls, mean",
        ],
        HEAD + "ablations: {g: {family: [resnt]}}": ["ablations.g.family: no family 'resnt'; did you mean 'resnet'?"],
        HEAD + "features: {runs: [basline]}": ["features.runs: no run 'basline'; did you mean 'baseline'?"],
        HEAD + "features: {runs: [best]}": ["features.runs: no run 'best'; valid: baseline"],
        HEAD + "references: {best: {family: resnet}}": ["references: 'best' cannot name a group or a reference"],
    }
)
def test_a_word_that_is_no_choice_is_told_with_the_nearest(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)
