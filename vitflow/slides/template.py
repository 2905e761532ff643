"""From the talk's template and the stored results to Markdown. All numbers of the deck pass here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.ext import Extension
from markupsafe import Markup

from vitflow.config import nearest
from vitflow.files import FileProblem, read_json
from vitflow.grid import BASELINE
from vitflow.slides.deck import SEPARATOR, SlidesError

#: what ``techniques.yaml`` says of every axis
TECHNIQUE_FIELDS = ("how", "reference", "prediction", "explanation")
_MINUS, _NOTHING = "\N{MINUS SIGN}", "\N{EN DASH}"


def fill(template: Path, analysis: Path, captions: dict[str, dict[str, str]], techniques: Path, figures: str) -> str:
    """The talk as Markdown, its separators still carrying the template's line numbers.

    The template sees every key of ``summary.json``, ``confirmed`` (``best.json``, or None where the study
    selects no combination), ``technique(axis)``, ``figure(stem)``, and the filters below. ``figures`` is the
    folder of the figures as the deck sees it.
    Raises SlidesError in one line with file and line of an unknown name, a missing figure or a bad expression.
    """
    if not template.is_file():
        raise SlidesError(f"{template}: no such file")
    try:
        summary = read_json(analysis / "summary.json")
    except FileProblem as error:
        raise SlidesError(str(error)) from None
    known = read_techniques(techniques)

    def figure(stem: str) -> Markup:
        if stem not in captions:
            raise SlidesError(f"no figure '{stem}'{nearest(stem, sorted(captions))}")
        alt, caption = (_escaped(captions[stem][key]).replace('"', "'") for key in ("alt", "caption"))
        return Markup(f'![{alt}]({figures}/{stem}.svg "{caption}")')

    def technique(axis: str) -> dict[str, str]:
        return known.get(axis, dict.fromkeys(TECHNIQUE_FIELDS, ""))

    environment = Environment(
        loader=FileSystemLoader(template.parent),
        extensions=[_NumberedSlides],
        undefined=StrictUndefined,
        finalize=_finalise,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters |= {
        "stat": stat,
        "number": number,
        "signed": signed,
        "amount": amount,
        "times": times,
        "thousands": thousands,
        "counted": counted,
        "changes": changes,
        "largest_change": largest_change,
        "with_effect": with_effect,
        "interval": interval,
        "three": three,
        "steadiness": steadiness,
    }
    confirmed = analysis / "best.json"
    context = summary | {
        "figure": figure,
        "technique": technique,
        "confirmed": read_json(confirmed) if confirmed.exists() else None,
    }
    try:
        return environment.get_template(template.name).render(context)
    except TemplateSyntaxError as error:
        raise SlidesError(f"{error.filename or template} line {error.lineno}: {error.message}") from None
    except UndefinedError as error:
        message = str(error.message)
        name = re.match(r"'(\w+)' is undefined", message)
        raise SlidesError(
            f"{_place(error, template)}: {message}{nearest(name[1], list(context)) if name else ''}"
        ) from None
    except (SlidesError, TemplateError, TypeError, ValueError, KeyError, ZeroDivisionError) as error:
        raise SlidesError(f"{_place(error, template)}: {' '.join(str(error).split())}") from None


def without_line_numbers(markdown: str) -> str:
    """The Markdown as it is published: plain ``---`` between slides."""
    return SEPARATOR.sub("---", markdown)


def read_techniques(path: Path) -> dict[str, dict[str, str]]:
    """{axis: {how, reference, prediction, explanation}}. Raises SlidesError naming file and entry."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise SlidesError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SlidesError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise SlidesError(f"{path}: expected a mapping of axes such as patch_size")
    for axis, entry in data.items():
        if not isinstance(entry, dict):
            raise SlidesError(f"{path}: {axis}: expected {', '.join(TECHNIQUE_FIELDS)}")
        for field in entry.keys() - set(TECHNIQUE_FIELDS):
            raise SlidesError(f"{path}: {axis}.{field}: unknown key{nearest(str(field), list(TECHNIQUE_FIELDS))}")
        for field in TECHNIQUE_FIELDS:
            if not isinstance(entry.get(field), str):
                raise SlidesError(f"{path}: {axis}.{field}: expected text ('' where it is not written yet)")
    return {axis: {field: " ".join(entry[field].split()) for field in TECHNIQUE_FIELDS} for axis, entry in data.items()}


# -------------------------------------------------------------------------------------------- filters


def number(value: float | None, digits: int = 1) -> str:
    """``84.3``; a dash where there is no number."""
    return _NOTHING if value is None else f"{value:.{digits}f}".replace("-", _MINUS)


def signed(value: float | None, digits: int = 1) -> str:
    """``+0.2``, with a true minus; never ``-0.0``."""
    if value is None:
        return _NOTHING
    text = f"{value:+.{digits}f}"
    return f"{0:.{digits}f}" if not text.strip("+-0.") else text.replace("-", _MINUS)


def stat(statistics: dict[str, Any], digits: int = 1) -> str:
    """Mean and standard deviation over seeds, ``84.3 ± 0.2`` unbroken; the mean alone at one seed; a dash at none."""
    mean, sd = number(statistics["mean"], digits), statistics["sd"]
    return mean if sd is None else f"{mean}&nbsp;±&nbsp;{number(sd, digits)}"


def amount(value: float) -> str:
    """Three digits and a unit: ``2.71 M``, ``174 M``, ``1.30 G``."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= 0.9995 * size:
            scaled = value / size
            return f"{scaled:.{2 if scaled < 9.995 else 1 if scaled < 99.95 else 0}f}{unit}"
    return f"{value:g}"


def three(value: float | None) -> str:
    """Three significant digits, ``0.876`` or ``1.6e+11``; a dash where there is no number."""
    return _NOTHING if value is None else f"{value:.3g}".replace("-", _MINUS)


def times(ratio: float | None) -> str:
    """``1.4×``; a dash where there is no number."""
    return _NOTHING if ratio is None else f"{ratio:.2f}×"


def thousands(value: int) -> str:
    """``45,000``."""
    return f"{value:,}"


def counted(value: int, noun: str) -> str:
    """``1 seed``, ``3 seeds``."""
    return f"{value:,} {noun}{'' if value == 1 else 's'}"


def changes(axis: dict[str, Any], runs: dict[str, Any]) -> list[dict[str, Any]]:
    """The axis' values with a difference from the baseline, ``{value, run}``, largest test gain first."""
    found = [{"value": v["value"], "run": runs[v["run"]]} for v in axis["values"]]
    known = [v for v in found if (v["run"]["difference"] or {}).get("test") is not None]
    return sorted(known, key=lambda v: -v["run"]["difference"]["test"])


def effect(run: dict[str, Any], margin: float) -> str:
    """``gained``, ``lost`` or ``unclear``: what a run's test difference shows against ``margin`` points.

    Judged by the simultaneous interval, as in the titles; by the mean alone where there is none (under three seeds).
    """
    mean = run["difference"]["test"]
    low, high = run["difference"].get("test_interval") or (mean, mean)
    if low > 0 and high > margin:
        return "gained"
    return "lost" if high < 0 and low < -margin else "unclear"


def with_effect(runs: list[dict[str, Any]], wanted: str, margin: float) -> list[dict[str, Any]]:
    """The runs whose :func:`effect` is ``wanted``, in their order."""
    return [run for run in runs if effect(run, margin) == wanted]


def interval(run: dict[str, Any]) -> str:
    """``(+0.9 to +1.7)`` after a space: the simultaneous interval of the test difference; '' without one."""
    bounds = run["difference"].get("test_interval")
    return "" if bounds is None else f"&nbsp;({signed(bounds[0])} to {signed(bounds[1])})"


def steadiness(runs: dict[str, Any], axes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All runs with what is known of their stability: the baseline, what diverged, the sweep of learning rates, then
    the others, most spikes first. ``spikes`` and so on are None in results from before they were measured.
    """
    sweep = [v["run"] for axis in axes if axis["axis"] == "learning_rate" for v in axis["values"]]
    unknown: dict[str, Any] = dict.fromkeys(
        ("gradient_spikes", "loss_spikes", "largest_gradient_norm", "largest_attention_logit")
    )
    unknown["diverged_at"] = {}
    found = {name: {**run, "stability": unknown | run.get("stability", {})} for name, run in runs.items()}

    def place(name: str) -> tuple[bool, bool, bool, float]:
        run = found[name]
        spikes = (run["stability"]["gradient_spikes"] or 0) + (run["stability"]["loss_spikes"] or 0)
        return name != BASELINE, not run["diverged"], name not in sweep, 0 if name in sweep else -spikes

    return [found[name] for name in sorted(found, key=place)]


def largest_change(axes: list[dict[str, Any]], runs: dict[str, Any]) -> dict[str, Any] | None:
    """The value that moved test accuracy most, either way: ``{label, value, run}``; None where nothing did."""
    found = [{"label": axis["label"], **change} for axis in axes for change in changes(axis, runs)]
    return max(found, key=lambda v: abs(v["run"]["difference"]["test"]), default=None)


# ---------------------------------------------------------------------------------------------- Jinja


class _NumberedSlides(Extension):
    """Gives every ``---`` of the source its line number, so that a mistake in a slide can be found."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        lines = source.splitlines(keepends=True)
        return "".join(re.sub(r"^---(?=\s*$)", f"---<{k}>", line) for k, line in enumerate(lines, start=1))


def _finalise(value: Any) -> Any:
    """What ``{{ ... }}`` prints: a result's text must not turn into Markdown."""
    if value is None:
        return _NOTHING
    return _escaped(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#!])", r"\\\1", " ".join(text.split()))


def _place(error: Exception, template: Path) -> str:
    """File and line of the innermost template that an error came through."""
    place, trace = str(template), error.__traceback__
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if Path(filename).parent == template.parent:
            place = f"{filename} line {trace.tb_lineno}"
        trace = trace.tb_next
    return place
