"""Names of studies, groups, points and runs: what may be part of a path, and what is proposed instead."""

from __future__ import annotations

import pytest
from support.studies import HEAD, IsTold, mistakes

from vitflow.study.fields import beginning, within
from vitflow.study.names import ConfigError, check_name, check_words, is_text, nearest, seen


@mistakes(
    {
        "study: ../../etc\ndataset: {name: cifar10}": ["study: '../../etc' cannot name a study", "for example 'etc'"],
        "study: /etc\ndataset: {name: cifar10}": ["study: '/etc' cannot name a study", "for example 'etc'"],
        "study: ..\ndataset: {name: cifar10}": ["study: '..' cannot name a study"],
        "study: a..b\ndataset: {name: cifar10}": ["study: 'a..b' cannot name a study"],
        "study: -rf\ndataset: {name: cifar10}": ["study: '-rf' cannot name a study", "for example 'rf'"],
        "study: 'a,b'\ndataset: {name: cifar10}": ["study: 'a,b' cannot name a study", "for example 'a-b'"],
        "study: 'a b'\ndataset: {name: cifar10}": ["study: 'a b' cannot name a study", "for example 'a-b'"],
        'study: "a\\nb"\ndataset: {name: cifar10}': ["study: 'a b' cannot name a study", "for example 'a-b'"],
        "study: ''\ndataset: {name: cifar10}": ["study: '' cannot name a study", "for example 'my-study'"],
        "study: 5\ndataset: {name: cifar10}": [
            "study: Input should be a valid string (got 5); a word is put in quotes"
        ],
        "study: .\ndataset: {name: cifar10}": [
            "study: '.' cannot name a study: letters, digits, '-', '_' and single '.'"
        ],
        f"study: {'a' * 300}\ndataset: {{name: cifar10}}": [f"study: '{'a' * 40}...' cannot name", "100 at most"],
        HEAD + f"ablations: {{{'a' * 101}: {{width: [96]}}}}": ["ablations: ", "cannot name a group", "100 at most"],
        HEAD + f"ablations: {{g: {{m: [{{name: {'q' * 101}, width: 96}}]}}}}": ["ablations.g.m: ", "100 at most"],
        HEAD + "ablations: {g: {m: [{name: q, width: 96, depth: 5, heads: 4, epochs: 7, batch_size: 99, "
        "learning_rate: 0.01, weight_decay: 0.03, mlp_ratio: 3, label_smoothing: 0.1, pool: mean, drop_path: 0.1, "
        "random_erasing: 0.25, layer_scale: 0.01, registers: 4, gradient_clip: 5, "
        "augmentation: crop_flip, patch_size: 2, mixing: mixup, warmup_epochs: 1}]}}": [
            "ablations.g.m: 'batch_size=",
            "changes too many fields to be a file's name; change fewer",
        ],
        HEAD + "ablations: {'a/b': {width: [96]}}": ["ablations: 'a/b' cannot name a group", "for example 'a-b'"],
        HEAD + "ablations: {g: {'../x': [{name: q, width: 96}]}}": ["ablations: '../x' cannot name an axis"],
        HEAD + "ablations: {references: {width: [96]}}": ["ablations: 'references' cannot name a group"],
        HEAD + "cross: {baseline: {width: [96], depth: [4]}}": ["cross: 'baseline' cannot name a group"],
        HEAD + "references: {baseline: {width: 96}}": ["references: 'baseline' cannot name a group or a reference"],
        HEAD + "references: {'a,b': {width: 96}}": ["references: 'a,b' cannot name", "for example 'a-b'"],
        HEAD + "ablations: {g: {width: [96]}}\ncross: {g: {width: [96], depth: [4]}}": [
            "cross.g: ",
            "ablations",
            "rename",
        ],
        HEAD + "ablations: {g: {m: [{name: 'q/r', width: 96}]}}": ["ablations.g.m: 'q/r' cannot name a point", "'q-r'"],
    }
)
def test_a_name_that_is_no_part_of_a_path_is_told(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)


@pytest.mark.parametrize(
    ("word", "choices", "told"),
    [
        ("widht", ["depth", "width"], "; did you mean 'width'?"),
        ("zzz", ["depth", "width"], "; valid: depth, width"),
        ("zzz", [], ""),
    ],
)
def test_the_nearest_choice_is_named_or_all_of_them(word: str, choices: list[str], told: str) -> None:
    assert nearest(word, choices) == told


@pytest.mark.parametrize("text", ["A – B", "見出し", "می\u200cخواهم", "👩\u200d👧", "❤\ufe0f", ""])
def test_words_in_any_alphabet_stay_as_they_are(text: str) -> None:
    assert check_words(text) == text and is_text(text)


@pytest.mark.parametrize(
    "letter", "\0\n\x1b\x85\u200b\u202e\u2028\ud800\ufdd0\ufeff\ufffe\uffff\U0002ffff\U000e0041", ids=ascii
)
def test_letters_that_no_slide_can_show_are_refused(letter: str) -> None:
    assert not is_text(f"a{letter}b")
    with pytest.raises(ConfigError, match="cannot be shown"):
        check_words(f"a{letter}b")


@pytest.mark.parametrize(
    "text", [" ", "\u00a0", "\u200b", "\u202e", "\u200d\ufe0f", "\u3164", "\u2800", "\n"], ids=ascii
)
def test_words_that_nobody_sees_are_blank(text: str) -> None:
    assert seen(text) == ""
    with pytest.raises(ConfigError, match="blank"):
        check_words(text)


@pytest.mark.parametrize("name", ["a", "A-b_c", "0", "v1.2", "a" * 100])
def test_a_safe_name_stays_as_it_is(name: str) -> None:
    assert check_name(name, "a study") == name


@pytest.mark.parametrize(
    ("words", "begun", "inside"),
    [
        ("patch size", "Patch size", "patch size"),
        ("Patch size", "Patch size", "patch size"),
        ("QK-norm", "QK-norm", "QK-norm"),
        ("MLP ratio 2", "MLP ratio 2", "MLP ratio 2"),
        ("a", "A", "a"),
        ("", "", ""),
    ],
)
def test_only_the_first_letter_changes_at_the_beginning_and_abbreviations_never(
    words: str, begun: str, inside: str
) -> None:
    assert (beginning(words), within(words)) == (begun, inside)
