"""The tiny study under git and DVC: what it consists of, and the commands that people type."""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import zipfile
from pathlib import Path

from support.checkouts import STUDY, VERSIONS, call, copy_code, git, planned

HOME = Path("results/tiny")
SEEDS = ("baseline/seed0", "baseline/seed1", "width=8/seed0", "heads=1/seed0", "resnet18-width=4/seed0")
FRESH = ("baseline/seed100", "best-on-all-images/seed100")
WEIGHTS = {seed: HOME / "checkpoints" / f"{seed}.safetensors" for seed in (*SEEDS, *FRESH)}
ARRAYS = [HOME / "features" / f"{run}.safetensors" for run in ("baseline", "resnet18-width=4")]
KEPT = [Path("data/digits.safetensors"), *WEIGHTS.values(), *ARRAYS]
RUNS = ("baseline", "width=8", "heads=1", "resnet18-width=4", "best_architecture", "best")


def vitflow(where: Path, *words: str | Path, expect: int = 0) -> str:
    return call(where, "vitflow", *words, expect=expect)


def dvc(where: Path, *words: str | Path, expect: int = 0) -> str:
    return call(where, "dvc", *words, expect=expect)


def runs_nothing(told: str) -> bool:
    """Whether `dvc repro`, which said so, found nothing to run in both stages of a study."""
    return len(re.findall(r"^Stage '.*(?:compute|present)' didn't change", told, re.MULTILINE)) == 2 and (
        "Data and pipelines are up to date" in told and "Running" not in told
    )


def to_do(where: Path, *targets: str) -> dict[str, list[str]]:
    return planned(where, *(targets or ("all", "features", "data")), study=None)


def repository(finished: Path, where: Path, config: str = STUDY) -> Path:
    """The finished study with git and DVC, its code committed, its results not; ``config`` is its config.yaml."""
    copy_code(Path(shutil.copytree(finished, where)), VERSIONS)
    if config != "config.yaml":
        shutil.copy(where / config, where / "config.yaml")
    git(where, "init", "--quiet")
    git(where, "add", "--all", "--", ".", ":!results", ":!data")
    git(where, "commit", "--quiet", "--message", "the code")
    return where


def record_and_push(where: Path, remote: Path, *options: str) -> None:
    """What the README tells to type, with the words that `vitflow record` itself gives for git."""
    dvc(where, "remote", "add", "--quiet", "--default", "store", remote)
    told = vitflow(where, "record", *options)
    git(where, "commit", "--quiet", "--message", "a remote", ".dvc/config")
    named = re.search(r"now: git add (.+), git commit, dvc push", told)
    assert named and "the study is recorded as reproduced" in told
    git(where, "add", *named[1].split())
    git(where, "commit", "--quiet", "--message", "the results")
    assert git(where, "status", "--porcelain") == "", "what it names is all there is"
    dvc(where, "push")


def cloned(source: Path, to: Path) -> Path:
    git(source, "clone", "--quiet", source, to)
    return to


def everything(where: Path) -> dict[str, str]:
    """{file: digest}, DVC's cache and lock included; without git's own files, logs, locks and memories."""
    passing = {".git", ".snakemake", "__pycache__", "logs", "state", "tmp"}
    return {
        str(path.relative_to(where)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in where.rglob("*")
        if path.is_file() and not passing & set(path.relative_to(where).parts)
    }


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def content_of(where: Path, path: Path) -> str:
    """Where DVC keeps the bytes of a file, inside its cache and its remotes."""
    digest = re.search(r"^- md5: (\w+)", (where / f"{path}.dvc").read_text(), re.MULTILINE)
    assert digest
    return f"files/md5/{digest[1][:2]}/{digest[1][2:]}"


def damage(path: Path) -> None:
    path.chmod(path.stat().st_mode | stat.S_IWUSR)
    content = bytearray(path.read_bytes())
    content[-5] ^= 255
    path.write_bytes(content)
    path.chmod(path.stat().st_mode & ~stat.S_IWUSR)
