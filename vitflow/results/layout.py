"""Where results live. Every path of a study is spelled here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

RESULTS = Path("results")
#: by the names that a selection gives them
WINNERS = ("best_architecture", "best")


@dataclass(frozen=True)
class SeedPaths:
    """The files of one run and seed."""

    folder: Path
    checkpoint: Path
    state: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.json"

    @property
    def history(self) -> Path:
        return self.folder / "history.csv"

    @property
    def train(self) -> Path:
        return self.folder / "train.json"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.json"

    @property
    def predictions(self) -> Path:
        return self.folder / "predictions.npz"

    @property
    def sittings(self) -> Path:
        """Who is at work on it, and who has been and did not finish."""
        return self.state / "sittings.json"


@dataclass(frozen=True)
class Layout:
    """The folders of one study."""

    study: str

    @property
    def root(self) -> Path:
        return RESULTS / self.study

    @property
    def grid(self) -> Path:
        return self.root / "grid.csv"

    @property
    def summary(self) -> Path:
        """The table for people."""
        return self.root / "summary.csv"

    @property
    def metrics(self) -> Path:
        """One small file per run for `dvc metrics`, which shows a table of them."""
        return self.root / "metrics"

    @property
    def winners(self) -> tuple[Path, ...]:
        """Such files for the winners, in the order of WINNERS."""
        return tuple(self.metrics / f"{role}.json" for role in WINNERS)

    @property
    def runs(self) -> Path:
        """Configuration, history and scores, by run and seed."""
        return self.root / "runs"

    @property
    def checkpoints(self) -> Path:
        """Final weights, by run and seed."""
        return self.root / "checkpoints"

    def cost(self, run: str) -> Path:
        """Measured speed and memory of a run."""
        return self.root / "cost" / f"{run}.json"

    @property
    def provenance(self) -> Path:
        """One file per stage: digests of what it read, what it made, and of its code."""
        return self.root / "provenance"

    @property
    def analysis(self) -> Path:
        return self.root / "analysis"

    @property
    def pretrained(self) -> Path:
        """What a linear probe makes of a ResNet-50 that has seen ImageNet, if the study asks for it."""
        return self.analysis / "pretrained.json"

    @property
    def features(self) -> Path:
        return self.root / "features"

    @property
    def figures(self) -> Path:
        return self.root / "figures"

    @property
    def slides(self) -> Path:
        return self.root / "slides"

    @property
    def selection(self) -> Path:
        return self.root / "selection" / "selection.json"

    @property
    def state(self) -> Path:
        """Ignored by git and DVC: resume states, wanted configurations, locks."""
        return self.root / "state"

    @property
    def effective_config(self) -> Path:
        """The study as Snakemake resolved it, overrides included: what its jobs read."""
        return self.state / "study.json"

    @property
    def needs(self) -> Path:
        """Time and memory that trainings need, as planned before any has run."""
        return self.state / "needs.json"

    def log(self, run: str, seed: int | str, step: str = "train") -> Path:
        """What the jobs of a run and seed said, one after another."""
        return Path("logs") / self.study / step / run / f"seed{seed}.log"

    def group(self, run: str, seed: int | str) -> str:
        """Under which a cluster knows the one job of a run and seed, trained and scored."""
        return f"{self.study}-{run}-seed{seed}"

    def wanted(self, run: str, seed: int | str) -> Path:
        """The configuration asked for, whose file time tells Snakemake whether the results are of it."""
        return self.state / "wanted" / run / f"seed{seed}.json"

    def seed(self, run: str, seed: int | str) -> SeedPaths:
        """The files of one run and seed."""
        return SeedPaths(
            folder=self.runs / run / f"seed{seed}",
            checkpoint=self.checkpoints / run / f"seed{seed}.safetensors",
            state=self.state / "runs" / run / f"seed{seed}",
        )
