"""How numbers are said in the talk: the filters of its template."""

from __future__ import annotations

from collections.abc import Callable

from vitflow.analysis import claims
from vitflow.analysis.claims.wording import MINUS, digits_for
from vitflow.analysis.records import Interval, Run, Statistics
from vitflow.study.fields import beginning
from vitflow.study.names import counted

NOTHING = "\N{EN DASH}"


def number(value: float | None, digits: int = 1) -> str:
    """``84.3``; a dash where there is no number."""
    return NOTHING if value is None else f"{value:.{digits}f}".replace("-", MINUS)


def signed(value: float | None, digits: int = 1) -> str:
    """``+0.2``, with a true minus; never ``-0.0``; a dash where there is no number."""
    return NOTHING if value is None else claims.signed(value, digits)


def stat(statistics: Statistics, digits: int = 1) -> str:
    """Mean and standard deviation over seeds, ``84.3 ± 0.2`` unbroken; the mean alone at one seed; a dash at none."""
    mean = number(statistics.mean, digits)
    return mean if statistics.sd is None else f"{mean}&nbsp;±&nbsp;{number(statistics.sd, digits)}"


def amount(value: float) -> str:
    """Three digits and a unit: ``2.71 M``, ``174 M``, ``1.30 G``."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= 0.9995 * size:
            scaled = value / size
            return f"{scaled:.{2 if scaled < 9.995 else 1 if scaled < 99.95 else 0}f}{unit}"
    return f"{value:g}"


def millions(value: float) -> str:
    """``2.71``, ``32.3``, ``1,298``: three digits of a million, for columns whose header says so."""
    scaled = value / 1e6
    return f"{scaled:,.{2 if scaled < 9.995 else 1 if scaled < 99.95 else 0}f}"


def three(value: float | None) -> str:
    """Three significant digits, ``0.876``, ``4.50`` or ``1.60e+11``; a dash where there is no number."""
    return NOTHING if value is None else f"{value:#.3g}".removesuffix(".").replace("-", MINUS)


def times(ratio: float | None) -> str:
    """``1.4×``; a dash where there is no number."""
    return NOTHING if ratio is None else f"{ratio:.2f}×"


def thousands(value: int) -> str:
    """``45,000``."""
    return f"{value:,}"


def interval(run: Run) -> str:
    """``(+0.9 to +1.7)`` after a space: the simultaneous interval of the test difference; '' without one."""
    return bounds(run.difference.test_interval if run.difference else None)


def bounds(found: Interval | None) -> str:
    """``(+0.9 to +1.7)`` after a space, with as many digits as keep 0 where it is; '' without an interval."""
    if found is None:
        return ""
    low, high = (signed(value, digits_for(found, [0.0])) for value in found)
    return f"&nbsp;({low} to {high})"


#: by the name that the template calls it
FILTERS: dict[str, Callable[..., str]] = {
    "number": number,
    "signed": signed,
    "stat": stat,
    "amount": amount,
    "millions": millions,
    "times": times,
    "thousands": thousands,
    "counted": counted,
    "interval": interval,
    "beginning": beginning,
}
