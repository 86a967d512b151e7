"""What a run looks like, where it is wrong, and how it gets better with time."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import imageio.v3 as imageio
import numpy as np
import torch

from isopts.data.meshes import read_mesh
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.kernels.triangles import closest_points
from isopts.render.orthographic import ColoredSurface, OrthographicView, render_surface
from isopts.render.srgb import encode_srgb

_RIGHT, _WRONG = torch.tensor([0.75, 0.76, 0.78]), torch.tensor([0.85, 0.04, 0.02])  # linear RGB
_PIXELS = 300


def error_picture(
    mesh_path: Path, reference_path: Path, path: Path, toward: Sequence[float], up: Sequence[float], largest: float
) -> None:
    """Two panels: the result, red where it is off the true surface; the true surface, red where the result is off it.

    Args:
        toward, up: from the object to the eye, and upwards in the picture; axes of the meshes.
        largest: distance that is all red, as a share of the true surface's largest extent.
    """
    mesh, reference = read_mesh(mesh_path), read_mesh(reference_path)
    extent = largest * float(np.ptp(reference.vertices, axis=0).max())
    view = _view(reference, toward, up)
    panels = [
        render_surface(_colored(shown, other, reference, extent), view, _PIXELS)
        for shown, other in ((mesh, reference), (reference, mesh))
    ]
    imageio.imwrite(path, encode_srgb(torch.cat(panels, dim=1)))


def _view(reference: TriangleMesh, toward: Sequence[float], up: Sequence[float]) -> OrthographicView:
    vertices = torch.from_numpy(reference.vertices - _middle(reference)).float()
    return OrthographicView.around(vertices, torch.tensor(toward).float(), torch.tensor(up).float())


def _middle(mesh: TriangleMesh) -> np.ndarray:
    return (mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2


def _colored(shown: TriangleMesh, other: TriangleMesh, reference: TriangleMesh, extent: float) -> ColoredSurface:
    vertices, faces = (torch.from_numpy(part) for part in (shown.vertices, shown.faces))
    middles = vertices[faces].mean(dim=1)
    found = closest_points(middles, torch.from_numpy(other.vertices), torch.from_numpy(other.faces))
    share = (found.distances / extent).clamp(0, 1).float()[:, None]
    normals = torch.from_numpy(shown.face_normals()).float()[:, None].expand(-1, 3, -1)
    local = (vertices - torch.from_numpy(_middle(reference))).float()
    return ColoredSurface(local, faces, _RIGHT + share * (_WRONG - _RIGHT), normals)


def accuracy_plot(
    results: Mapping[tuple[str, float], Sequence[Mapping[str, float]]], against: str, title: str, path: Path
) -> None:
    """Chamfer distance against `against` (seconds, from command to mesh, or steps), for each method: every run, and a
    line through the medians over the seeds.

    results: (method, budget) -> figures of the runs.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for method in dict.fromkeys(method for method, _ in results):
        budgets = sorted(seconds for name, seconds in results if name == method)
        runs = [[run for run in results[method, seconds] if run.get("chamfer_l1_mean")] for seconds in budgets]
        runs = [each for each in runs if each]
        at = [median(run[against] for run in each) for each in runs]
        (line,) = axes.plot(at, [median(run["chamfer_l1_mean"] for run in each) for each in runs], label=method)
        for run in (run for each in runs for run in each):
            axes.plot(run[against], run["chamfer_l1_mean"], ".", color=line.get_color())
    label = "seconds from command to mesh" if against == "seconds" else against
    axes.set(xscale="log", yscale="log", xlabel=label, ylabel="chamfer distance", title=title)
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
