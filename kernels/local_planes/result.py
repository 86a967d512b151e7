"""What the search for local planes finds."""

from typing import NamedTuple

import torch


class LocalPlanes(NamedTuple):
    """Plane through each row of a neighbour table (N, K).

    centers: (N, 3), mean of the neighbours. normals: (N, 3), unit, of arbitrary sign. variances: (N, 3), ascending
    eigenvalues of the neighbours' covariance: variances[:, 0] is the squared residual of the plane. Along a line or in
    a point the normal is any of the directions across. A row without neighbours has variances and centre 0.
    """

    centers: torch.Tensor
    normals: torch.Tensor
    variances: torch.Tensor
