"""What stands in rows and cells of the talk's tables. Words of a study are escaped, so that they stay text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup

from vitflow.analysis.claims import Change
from vitflow.analysis.records import Choice, Confirmed, Contrast, Run, Winners
from vitflow.slides.filters import NOTHING, bounds, interval, millions, number, signed, stat, three, times
from vitflow.study.fields import spoken


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return re.sub(r"([\\`*_\[\]<>|#!])", r"\\\1", " ".join(text.split()))


def aligned(number: str) -> str:
    """A number of a column, with invisible figures up to its second decimal: points stand below one another."""
    if not number[-1].isdigit() or "e" in number:
        return number
    whole, point, decimals = number.partition(".")
    return whole + (point or "&#8200;") + decimals + "&#8199;" * (2 - len(decimals))


def model_row(name: str, run: Run) -> Markup:
    """A row of the tables of models: name, n, validation, test, parameters, multiplications, time."""
    return _row(escaped(name), *_scores(run), *_sizes(run), times(run.relative_time))


def winner_row(name: str, winners: Winners) -> Markup:
    """The same of the best combination, in bold; its time is not measured."""
    scores = (f"**{cell}**" for cell in (escaped(name), *_scores(winners.best)))
    return _row(*scores, *_sizes(winners.best), NOTHING)


def seeds_row(run: Run) -> Markup:
    """A row of the table of all runs, with two decimals and deviations of their own."""
    diverged = f" ({run.diverged} diverged)" if run.diverged else ""
    return _row(
        escaped(run.label) + diverged,
        str(run.n),
        number(run.test.mean, 2),
        number(run.test.sd, 2),
        number(run.validation.mean, 2),
        number(run.validation.sd, 2),
        aligned(millions(run.parameters)),
        aligned(millions(run.multiplications)),
        times(run.relative_time),
    )


def stability_row(name: str, run: Run) -> Markup:
    """A row of the tables of stability: name, seeds, diverged, spikes, largest norm and logit."""
    steady = run.stability
    return _row(
        escaped(name),
        str(len(run.seeds)),
        diverged_at(run),
        number(steady.gradient_spikes),
        number(steady.loss_spikes),
        aligned(three(steady.largest_gradient_norm)),
        aligned(three(steady.largest_attention_logit)),
    )


def diverged_at(run: Run) -> str:
    """``0``, or ``2 (step 71)``: seeds that diverged, and the first step of any."""
    steps = run.stability.diverged_at.values()
    return f"{run.diverged} (step {min(steps)})" if run.diverged and steps else str(run.diverged)


def listed(changes: Sequence[Change], most: int, otherwise: str = "") -> Markup:
    """``8: −7.0; 2: +3.1; …``: the first changes of an axis, ``otherwise`` where there are none."""
    shown = "; ".join(f"{escaped(spoken(change.value))}:&nbsp;{signed(change.points)}" for change in changes[:most])
    return Markup((shown or otherwise) + ("; …" if len(changes) > most else ""))


def observed(changes: Sequence[Change]) -> Markup:
    """As :func:`listed`, six at most, with intervals and n."""
    shown = "; ".join(f"{_observed(change)}, n&nbsp;=&nbsp;{_n(change.run)}" for change in changes[:6])
    return Markup((shown or "no other value has finished") + ("; …" if len(changes) > 6 else ""))


def moved(runs: Sequence[Run]) -> Markup:
    """``patch size 8 (−7.0), heads 1 (−4.4), and 3 more``: four runs at most; ``none``."""
    differences = [(run, run.difference.test) for run in runs if run.difference]
    shown = [f"{escaped(run.label)} ({signed(points)})" for run, points in differences]
    return _four(shown) if shown else Markup("none")


def lost_seeds(runs: Sequence[Run]) -> Markup:
    """``heads 96 (2 of 3), and 1 more``: runs and how many of their seeds diverged, four at most."""
    return _four([f"{escaped(run.label)} ({run.diverged} of {len(run.seeds)})" for run in runs])


def predicted(prediction: str, meant: str = "") -> Markup:
    """A prediction, with words for what it was ``meant`` for; ``not written``."""
    if not prediction:
        return Markup("not written")
    return Markup(escaped(prediction) + (f" (meant{meant})" if meant else ""))


def came(outcomes: str) -> Markup:
    """What came of a prediction of accuracy, to follow it: ``in range at 8``; '' where no range was predicted."""
    return Markup(f" **Accuracy {escaped(outcomes)}.**" if outcomes else "")


def choice_row(choice: Choice) -> Markup:
    """A row of the table of what was chosen: axis, value and gain, or why the baseline's is kept."""
    kept = f"kept: {choice.why}"
    adopted = f"**{escaped(spoken(choice.value))}**, {signed(choice.gain)} points, {choice.why}"
    return _row(escaped(spoken(choice.axis)), adopted if choice.value else escaped(kept))


def finalist_row(name: str, winners: Winners) -> Markup:
    """A row of the table of finalists: label, n, validation, test, points against the baseline, parameters, cost."""
    run, contrast = winners.runs[name], winners.against_baseline.get(name)
    return _row(
        escaped(run.label) + (", all images" if name == winners.selection.all_images else ""),
        *_scores(run),
        NOTHING if contrast is None else _points(contrast),
        *_sizes(run),
    )


def _scores(run: Run | Confirmed) -> tuple[str, str, str]:
    """n, validation, test."""
    return str(run.n), stat(run.validation), stat(run.test)


def _sizes(run: Run | Confirmed) -> tuple[str, str]:
    """Parameters, multiplications."""
    return aligned(millions(run.parameters)), aligned(millions(run.multiplications))


def _points(contrast: Contrast) -> str:
    return signed(contrast.points) + bounds(contrast.interval)


def _four(words: list[str]) -> Markup:
    more = f", and {len(words) - 4} more" if len(words) > 4 else ""
    return Markup(", ".join(words[:4]) + more)


def _observed(change: Change) -> str:
    return f"{escaped(spoken(change.value))}:&nbsp;{signed(change.points)} points{interval(change.run)}"


def _n(run: Run) -> int:
    return run.difference.n if run.difference else 0


def _row(*cells: str) -> Markup:
    return Markup(f"| {' | '.join(cells)} |")
