"""Classes as people and file systems know them: by names that can be shown and told apart, in every split."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from vitflow.data.raw import SHOWN, SPLITS, DataError, Refusals, spell_name
from vitflow.study.names import is_text, seen

LONGEST = 255  #: bytes of a folder's name


def unfit(name: str) -> str:
    """Why a folder's name cannot be a class's, or ''."""
    if not seen(name):
        return "a class whose name is blank; rename its folder"
    if not is_text(name):
        return "a class whose name is no UTF-8 text or has invisible letters; rename its folder"
    return f"a class whose name is longer than {LONGEST} bytes; rename its folder" * (len(name.encode()) > LONGEST)


def refuse_alike(path: Path, names: Iterable[str], refusals: Refusals) -> None:
    """Refuse pairs of classes that people, or file systems, take for one."""
    by_looks: dict[str, str] = {}
    for name in names:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", seen(name)).casefold())
        other = by_looks.setdefault(folded.rstrip("."), name)  # Windows takes no last dot
        if other != name:
            refusals.add(
                f"{spell_name(str(path))}: classes {other!a} and {name!a}",
                "differ only in case, spaces, composed or invisible letters; rename one, or make them one",
            )


def check_complete(path: Path, present: set[tuple[str, str]], classes: Sequence[str], expected: int) -> None:
    """Raise DataError unless there are as many classes as ``expected``, and (split, class) of each are ``present``."""
    wrong = []
    if len(classes) != expected:
        wrong.append(f"{len(classes)} classes ({_some(classes)}), expected {expected}")
    missing = [f"{split}/{name}" for split in SPLITS for name in classes if (split, name) not in present]
    if missing:
        wrong.append(f"no images in {_some(missing)}")
    if wrong:
        at_last = ", or dataset.classes wrong?" if len(classes) != expected else "?"
        raise DataError(f"{spell_name(str(path))}: {'; '.join(wrong)}; is a folder or archive missing{at_last}")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
