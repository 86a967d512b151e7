"""Multi-resolution grid encoding of points: features and their exact spatial Jacobian."""

import torch

from isopts.errors import InputError
from isopts.kernels.backends import note_backend
from isopts.kernels.grid_encoding import kernel
from isopts.kernels.grid_encoding.layout import FEATURES, GridLayout, level_table
from isopts.kernels.grid_encoding.reference import encode_reference
from isopts.kernels.launch import launch


def encode(
    points: torch.Tensor,
    table: torch.Tensor,
    layout: GridLayout,
    jacobian: bool = False,
    table_gradient: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Features of every level, concatenated (Müller et al., Instant NGP, 2022), linear or quadratic in each direction.

    Args:
        points: (N, 3) in [-1, 1]^3. A coordinate outside is clamped: features are constant beyond the border, and
            the Jacobian along that axis is 0. A coordinate exactly on the border counts as inside. On a border
            between cells the linear derivative is the upper cell's, the quadratic one has no jump. A point that is
            not finite has undefined features.
        table: (layout.entries, 2), float32 for the Warp kernels; other dtypes take the reference.
        jacobian: also return d features / d points.
        table_gradient: shaped like the table. If given, backward adds the table's gradient to it in place and reports
            none to autograd: no dense tensor a call. float32 only.

    Returns:
        features (N, 2 L) and Jacobian (N, 2 L, 3), or None where not asked for. Both are differentiable once with
        respect to the table and to the points.

    Raises:
        InputError: a shape, dtype or device does not fit.
    """
    check_arguments(points, table, layout)
    if table.dtype != torch.float32:
        if table_gradient is not None:
            raise InputError(f"table_gradient: only the kernels, which are float32, add in place, got {table.dtype}")
        note_backend("grid_encoding", "reference")
        return encode_reference(points, table, layout, jacobian)
    return _Encode.apply(points, table, layout, jacobian, table_gradient)


def check_arguments(points: torch.Tensor, table: torch.Tensor, layout: GridLayout) -> None:
    """Raise InputError unless points, table and layout belong together."""
    if points.dim() != 2 or points.shape[1] != 3:
        raise InputError(f"points: expected shape (N, 3), got {tuple(points.shape)}")
    if table.shape != (layout.entries, FEATURES):
        raise InputError(f"table: expected shape {(layout.entries, FEATURES)}, got {tuple(table.shape)}")
    if points.dtype != table.dtype or points.device != table.device:
        raise InputError(
            f"points ({points.dtype} on {points.device}) and table ({table.dtype} on {table.device}) must have the "
            "same dtype and device"
        )


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(ctx, points, table, layout, with_jacobian, table_gradient):
        points, table = points.contiguous(), table.contiguous()
        features = points.new_empty((len(points), layout.levels, FEATURES))
        jacobian = points.new_empty((len(points) if with_jacobian else 0, layout.levels, FEATURES, 3))
        arguments = [points, table, level_table(layout, points.device), features, jacobian]
        launch(kernel.encode_kernel, len(points), arguments, points.device)
        ctx.save_for_backward(points, table)
        ctx.layout, ctx.table_gradient = layout, table_gradient
        return features.view(-1, layout.channels), jacobian.view(-1, layout.channels, 3) if with_jacobian else None

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, feature_gradient, jacobian_gradient):
        return (*_backward(ctx, feature_gradient, jacobian_gradient), None, None, None)


def _backward(
    ctx, feature_gradient: torch.Tensor, jacobian_gradient: torch.Tensor | None
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Gradients with respect to points and table, each only where it is needed."""
    points, table = ctx.saved_tensors
    layout, count, device = ctx.layout, len(points), points.device
    levels = level_table(layout, device)
    features = feature_gradient.contiguous().view(count, layout.levels, FEATURES)
    if jacobian_gradient is None:
        jacobian = points.new_empty((0, layout.levels, FEATURES, 3))
    else:
        jacobian = jacobian_gradient.contiguous().view(count, layout.levels, FEATURES, 3)
    point_gradient = table_gradient = None
    if ctx.needs_input_grad[0]:
        point_gradient = torch.empty_like(points)
        launch(
            kernel.point_gradient_kernel,
            count,
            [points, table, levels, features, jacobian, point_gradient],
            device,
        )
    if ctx.needs_input_grad[1]:
        table_gradient = torch.zeros_like(table) if ctx.table_gradient is None else ctx.table_gradient
        run = 1 if device.type == "cuda" else max(count, 1)  # CPU atomics are plain adds: a level is one task
        tasks = layout.levels * -(-count // run)
        launch(
            kernel.table_gradient_kernel,
            tasks,
            [run, points, levels, features, jacobian, table_gradient],
            device,
            grain=1,
        )
    return point_gradient, table_gradient if ctx.table_gradient is None else None
