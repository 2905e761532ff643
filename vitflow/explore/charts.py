"""The two charts as Vega-Lite: accuracy against cost, and learning curves of the runs that are chosen.

The page's script tells both which run is ``shown`` and which ``colours`` the chosen runs have.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from vitflow.analysis.records import Summary

#: of runs that are not chosen, and of the one that is shown without being chosen
GREY, INK = "#a3adb8", "#1b1f24"
COSTS = {
    "multiplications": "multiplications an image",
    "time": "training time, the baseline's being 1",
    "parameters": "parameters",
}
#: columns of the curves that may be looked at
QUANTITIES = {
    "validation_accuracy": "validation accuracy (%)",
    "train_accuracy": "training accuracy, as trained (%)",
    "validation_loss": "validation loss",
    "train_loss": "training loss",
    "gradient_norm": "gradient norm",
}
_SHOWN, _COLOURS = alt.param(name="shown", value=""), alt.param(name="colours", value={})
_COLOUR = alt.Color("colour:N", scale=None)
#: how a label is aligned so that it stays inside the chart
_INWARDS = "scale('x', datum.x) < width / 3 ? 'left' : scale('x', datum.x) > 2 * width / 3 ? 'right' : 'center'"


def cost(summary: Summary) -> dict[str, Any]:
    """Test accuracy of every run that finished, against a cost that the reader chooses, on a log scale."""
    chosen = alt.param(
        name="cost",
        value="multiplications",
        bind=alt.binding_select(options=list(COSTS), labels=list(COSTS.values()), name="against ", element="#costs"),
    )
    rows = [
        {
            "run": name,
            "label": run.label,
            "family": {"vit": "ViT", "resnet": "ResNet"}.get(run.family, run.family),
            "n": run.n,
            "test": run.test.mean,
            "low": run.test.mean - (run.test.sd or 0),
            "high": run.test.mean + (run.test.sd or 0),
            "multiplications": run.multiplications,
            "time": run.relative_time,
            "parameters": run.parameters,
        }
        for name, run in summary.runs.items()
        if run.test.mean is not None
    ]
    base = (
        alt.Chart(alt.Data(values=rows))
        .transform_calculate(
            x="datum[cost]",
            colour=f"colours[datum.run] || '{GREY}'",
            rank="datum.run == shown ? 2 : colours[datum.run] ? 1 : 0",
        )
        .transform_filter("isValid(datum.x)")
        .encode(
            x=alt.X("x:Q", title=None, scale=alt.Scale(type="log", nice=False, padding=24), axis=_log_axis()),
            color=_COLOUR,
            order="rank:Q",
        )
    )
    accuracy = alt.Y("test:Q", title="test accuracy (%)", scale=alt.Scale(zero=False, padding=16))
    spread = base.mark_rule(strokeWidth=1.2).encode(y="low:Q", y2="high:Q")
    points = base.mark_point(filled=True, opacity=1, stroke="white", cursor="pointer").encode(
        y=accuracy,
        shape=alt.Shape(
            "family:N",
            scale=alt.Scale(domain=["ViT", "ResNet"], range=["circle", "square"]),
            legend=alt.Legend(title=None, orient="top-left", symbolFillColor=GREY, symbolStrokeColor="white"),
        ),
        size=alt.when("datum.run == shown").then(alt.value(220)).otherwise(alt.value(110)),
        tooltip=[
            alt.Tooltip("label:N", title="run"),
            alt.Tooltip("test:Q", title="test accuracy, %", format=".1f"),
            alt.Tooltip("n:Q", title="seeds"),
            alt.Tooltip("multiplications:Q", format=".3~s"),
            alt.Tooltip("parameters:Q", format=".3~s"),
            alt.Tooltip("time:Q", title="time / baseline's", format=".2f"),
        ],
    )
    name = (
        base.transform_filter("datum.run == shown")
        .mark_text(dy=-15, fontWeight="bold", fontSize=13, align=alt.expr(_INWARDS))
        .encode(y=accuracy, text="label:N")
    )
    return _spec(alt.LayerChart(layer=[spread, points, name]), [chosen])


def curves() -> dict[str, Any]:
    """A thin line for every seed of the chosen runs, of a quantity that the reader chooses; the script brings them."""
    chosen = alt.param(
        name="quantity",
        value="validation_accuracy",
        bind=alt.binding_select(
            options=list(QUANTITIES), labels=list(QUANTITIES.values()), name="of ", element="#quantities"
        ),
    )
    near = alt.selection_point(
        name="near", on="pointerover", nearest=True, fields=["run", "seed", "epoch"], empty=False
    )
    base = (
        alt.Chart(alt.NamedData(name="lines"))
        .transform_calculate(y="datum[quantity]", colour=f"colours[datum.run] || '{GREY}'")
        .transform_filter("isValid(datum.y)")
        .encode(
            x=alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1, grid=False), scale=alt.Scale(nice=False)),
            y=alt.Y("y:Q", title=None, scale=alt.Scale(zero=False)),
            color=_COLOUR,
        )
    )
    lines = base.mark_line(interpolate="linear", clip=True).encode(
        detail=["run:N", "seed:N"],
        strokeWidth=alt.when("datum.run == shown").then(alt.value(2.6)).otherwise(alt.value(1.4)),
        opacity=alt.when("datum.run == shown").then(alt.value(1)).otherwise(alt.value(0.75)),
    )
    points = (
        base.mark_point(filled=True, size=70, cursor="pointer")
        .encode(
            opacity=alt.when(near).then(alt.value(1)).otherwise(alt.value(0)),
            tooltip=[
                alt.Tooltip("label:N", title="run"),
                alt.Tooltip("seed:N"),
                alt.Tooltip("epoch:Q"),
                alt.Tooltip("y:Q", title="value", format=".4~g"),
            ],
        )
        .add_params(near)
    )
    return _spec(alt.LayerChart(layer=[lines, points]), [chosen])


def _log_axis() -> alt.Axis:
    return alt.Axis(format="~s", tickCount=5, labelOverlap="greedy")


def _spec(chart: alt.LayerChart, chosen: list[alt.Parameter]) -> dict[str, Any]:
    sized = chart.add_params(_SHOWN, _COLOURS, *chosen).properties(width="container", height="container")
    sized = sized.properties(autosize=alt.AutoSizeParams(type="fit", contains="padding"))
    spec: dict[str, Any] = sized.configure(
        font="system-ui, sans-serif",
        background="transparent",
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            labelColor="#57606a",
            titleColor="#57606a",
            gridColor="#e6e9ed",
            domainColor="#a3adb8",
            tickColor="#a3adb8",
        ),
        legend=alt.LegendConfig(labelFontSize=12, labelColor="#57606a"),
    ).to_dict()
    return spec
