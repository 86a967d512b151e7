"""The page of a comparison of methods: Markdown, with the plot and pictures that lie beside it."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

Place = tuple[str, str, float]
"""Views, method, budget."""
Runs = Sequence[Mapping[str, float]]

_FIGURES = {  # of evaluate: column, factor
    "chamfer_l1_mean": ("chamfer, 1e-3", 1e3),
    "accuracy": ("accuracy, 1e-3", 1e3),
    "completeness": ("completeness, 1e-3", 1e3),
    "normal_consistency": ("normals", 1.0),
    "psnr_heldout_mean": ("PSNR, dB", 1.0),
    "mask_iou_mean": ("mask IoU", 1.0),
    "seconds": ("seconds to mesh", 1.0),
    "steps": ("steps", 1.0),
}


def page(
    results: Mapping[Place, Runs], unit: str, about: str, red: str, picture: Callable[[Place], str], plotted: bool
) -> str:
    """Markdown of all views, one after the other.

    Args:
        unit: of the budgets. about: a sentence on how it was measured. red: distance that is all red.
        picture: path of a picture, relative to the page.
        plotted: whether VIEWS_accuracy.png is there.
    """
    parts = [
        "# fit-mvr: methods against time",
        f"{about} Medians over the seeds; lengths in the unit of the reference.",
    ]
    for views in dict.fromkeys(views for views, _, _ in results):
        part = {place: runs for place, runs in results.items() if place[0] == views}
        parts += [f"## {views}", _table(part, unit)]
        if plotted:
            parts.append(f"![chamfer distance against time]({views}_accuracy.png)")
        parts.append(
            f"First seed. Left the result, red where it is off the true surface; right the true surface, red where the "
            f"result is off it; all red: {red}."
        )
        parts.append(_pictures(part, unit, picture))
    return "\n\n".join(parts)


def _table(results: Mapping[Place, Runs], unit: str) -> str:
    shown = [name for name in _FIGURES if any(run.get(name) is not None for runs in results.values() for run in runs)]
    lines = [_line("method", f"budget, {unit}", *(_FIGURES[name][0] for name in shown))]
    lines.append("|---|" + "---:|" * (1 + len(shown)))
    for (_, method, budget), runs in results.items():
        cells = []
        for name in shown:
            values = [run[name] for run in runs if run.get(name) is not None]
            cells.append(f"{_FIGURES[name][1] * median(values):.4g}" if values else "-")
        lines.append(_line(method, f"{budget:g}", *cells))
    return "\n".join(lines)


def _pictures(results: Mapping[Place, Runs], unit: str, picture: Callable[[Place], str]) -> str:
    """Methods downwards, budgets to the right."""
    (views,) = {place[0] for place in results}
    budgets = list(dict.fromkeys(place[2] for place in results))
    lines = [_line("", *(f"{budget:g} {unit}" for budget in budgets)), "|---|" + "---|" * len(budgets)]
    for method in dict.fromkeys(place[1] for place in results):
        places = [(views, method, budget) for budget in budgets]
        cells = (f"![{method}]({picture(place)})" if results.get(place) else "-" for place in places)
        lines.append(_line(method, *cells))
    return "\n".join(lines)


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
