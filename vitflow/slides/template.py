"""From the talk's template and the stored results to Markdown. All numbers of the deck pass here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.ext import Extension
from markupsafe import Markup

from vitflow.analysis.records import Features, Inspection, Pretrained, Summary, Winners
from vitflow.analysis.techniques import Techniques
from vitflow.machine.files import FileProblem
from vitflow.slides.cells import escaped
from vitflow.slides.deck import SlidesError
from vitflow.slides.filters import FILTERS, NOTHING
from vitflow.slides.markdown import SEPARATOR
from vitflow.slides.talk import view
from vitflow.study.names import nearest


def fill(
    template: Path,
    analysis: Path,
    captions: Mapping[str, Mapping[str, str]],
    techniques: Techniques,
    figures: str,
    *,
    pretrained: bool = False,
) -> str:
    """The talk as Markdown, its separators still carrying the template's line numbers.

    The template sees what :func:`vitflow.slides.talk.view` gives, ``figure(stem)``, the records ``features``,
    ``inspection`` and ``pretrained`` (None unless asked for), and the filters of :mod:`vitflow.slides.filters`.
    ``figures`` is the folder of the figures as the deck sees it.
    Raises SlidesError in one line with file and line of an unknown name, a missing figure or a bad expression.
    """
    if not template.is_file():
        raise SlidesError(f"{template}: no such file")
    confirmed = analysis / "best.json"
    try:
        summary = Summary.read(analysis / "summary.json")
        features = Features.read(analysis / "features.json")
        inspection = Inspection.read(analysis / "inspection.json")
        winner = Winners.read(confirmed) if confirmed.exists() else None
        probe = Pretrained.read(analysis / "pretrained.json") if pretrained else None
    except FileProblem as error:
        raise SlidesError(str(error)) from None

    def figure(stem: str) -> Markup:
        if stem not in captions:
            raise SlidesError(f"no figure '{stem}'{nearest(stem, sorted(captions))}")
        if reason := captions[stem].get("missing"):
            return Markup(f"[Not shown: {escaped(reason)}]{{.missing}}")
        alt, caption = (escaped(captions[stem][key]).replace('"', "'") for key in ("alt", "caption"))
        return Markup(f'![{alt}]({figures}/{stem}.svg "{caption}")')

    context = view(summary, winner, techniques) | {
        "figure": figure,
        "features": features,
        "inspection": inspection,
        "pretrained": probe,
    }
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
    environment.filters |= FILTERS
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


# ---------------------------------------------------------------------------------------------- Jinja


class _NumberedSlides(Extension):
    """Gives every ``---`` of the source its line number, so that a mistake in a slide can be found."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        lines = source.splitlines(keepends=True)
        return "".join(re.sub(r"^---(?=\s*$)", f"---<{k}>", line) for k, line in enumerate(lines, start=1))


def _finalise(value: Any) -> Any:
    """What ``{{ ... }}`` prints: a result's text must not turn into Markdown, nor a setting into Python."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return str(value).lower()  # as config.yaml has it
    return escaped(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _place(error: Exception, template: Path) -> str:
    """File and line of the innermost template that an error came through."""
    place, trace = str(template), error.__traceback__
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if Path(filename).parent == template.parent:
            place = f"{filename} line {trace.tb_lineno}"
        trace = trace.tb_next
    return place
