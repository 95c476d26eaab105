"""Draws a run's figures as SVG; the only file that imports matplotlib.

Knows nothing of what the figures mean. Drawn without a display; colours hold on light and dark.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

__all__ = ["by_tag", "curve", "flips", "growth", "latency", "reliability"]

Say = Callable[[str], str]
_BLUE, _ORANGE, _GREY = "#1f6f9f", "#c8641e", "#8a8f98"
_STYLE: Any = {
    "svg.fonttype": "path",
    "svg.hashsalt": "fiche",
    "text.color": _GREY,
    "axes.labelcolor": _GREY,
    "axes.edgecolor": _GREY,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    return out.getvalue()[out.getvalue().index("<svg") :]


def by_tag(values: Mapping[str, Mapping[str, Sequence[float]]], say: Say = str) -> str:
    """Bars with intervals: for each tag, value, low and high of each series; `say` words what is written."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7, 0.6 + 0.34 * max(1, len(values))))
        axes = figure.subplots()
        tags = list(values)[::-1]
        series = sorted({name for entry in values.values() for name in entry})
        for offset, (name, colour) in enumerate(zip(series, (_BLUE, _ORANGE), strict=False)):
            rows = [(i, values[tag][name]) for i, tag in enumerate(tags) if name in values[tag]]
            places = [i + 0.18 - 0.36 * offset for i, _ in rows]
            widths = [v[0] for _, v in rows]
            spread = [[v[0] - v[1] for _, v in rows], [v[2] - v[0] for _, v in rows]]
            axes.barh(places, widths, height=0.32, color=colour, label=say(name), xerr=spread, ecolor=_GREY)
        axes.set_yticks(range(len(tags)), tags)
        axes.set_xlim(0, 1)
        axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
        return _svg(figure)


def reliability(bins: Sequence[Sequence[float]], say: Say = str) -> str:
    """Accuracy against confidence, a point a bin, as large as its answers are many."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(3.6, 3.4))
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle=":")
        if bins:
            confidence, accuracy, counts = zip(*bins, strict=True)
            axes.plot(confidence, accuracy, color=_BLUE, linewidth=1)
            axes.scatter(confidence, accuracy, s=[20 + 200 * n / sum(counts) for n in counts], color=_BLUE, zorder=3)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel=say("confidence"), ylabel=say("share that is right"))
        return _svg(figure)


def latency(times: Sequence[float], marks: Mapping[str, float], say: Say = str) -> str:
    """A histogram of milliseconds, with marked places."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(3.6, 3.4))
        axes: Any = figure.subplots()
        edge = max(marks.values(), default=1.0) * 1.5
        axes.hist([min(time, edge) for time in times], bins=30, color=_BLUE)
        for name, value in marks.items():
            axes.axvline(value, color=_ORANGE, linewidth=1)
            axes.annotate(name, (value, axes.get_ylim()[1]), color=_ORANGE, rotation=90, va="top", ha="right")
        axes.set(xlabel=say("milliseconds (slower ones in the last bar)"), ylabel=say("questions"), xlim=(0, None))
        return _svg(figure)


def flips(better: Mapping[str, int], worse: Mapping[str, int], say: Say = str) -> str:
    """Bars to the right for questions that became right, to the left for those that became wrong, by tag."""
    with mpl.rc_context(_STYLE):
        tags = sorted({*better, *worse}, reverse=True)
        figure = Figure(figsize=(7, 0.8 + 0.25 * max(1, len(tags))))
        axes: Any = figure.subplots()
        axes.barh(tags, [better.get(tag, 0) for tag in tags], color=_BLUE, label=say("became right"))
        axes.barh(tags, [-worse.get(tag, 0) for tag in tags], color=_ORANGE, label=say("became wrong"))
        axes.axvline(0, color=_GREY, linewidth=1)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
        return _svg(figure)


def curve(log: Sequence[Mapping[str, Any]]) -> str:
    """The loss of each stage of a training over its steps, as a running mean of five entries."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7, 2.6))
        stages = list(dict.fromkeys(entry["stage"] for entry in log))
        for axes, stage in zip(figure.subplots(1, len(stages), squeeze=False)[0], stages, strict=True):
            steps = [entry["step"] for entry in log if entry["stage"] == stage]
            losses = [entry["loss"] for entry in log if entry["stage"] == stage]
            means = [
                sum(losses[max(0, i - 4) : i + 1]) / len(losses[max(0, i - 4) : i + 1]) for i in range(len(losses))
            ]
            axes.plot(steps, means, color=_BLUE, linewidth=1)
            axes.set(title=stage, xlabel="step", ylabel="loss", ylim=(0, None))
        return _svg(figure)


def growth(sizes: Mapping[str, Mapping[str, Any]]) -> str:
    """Time of a question, memory and disk by the number of passages, all on logarithmic axes."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(8, 2.6))
        passages = [entry["passages"] for entry in sizes.values()]
        panels = {"a question, ms": ("p50_ms", "p95_ms"), "GB": ("resident_gb", "disk_gb"), "made in, s": ("build_s",)}
        for axes, (title, names) in zip(figure.subplots(1, 3), panels.items(), strict=True):
            for name, colour in zip(names, (_BLUE, _ORANGE), strict=False):
                axes.plot(passages, [entry[name] for entry in sizes.values()], "o-", color=colour, label=name)
            axes.set(xscale="log", yscale="log", title=title, xlabel="passages")
            axes.legend(frameon=False)
        figure.tight_layout()
        return _svg(figure)
