"""A sampled field without the small parts that float beside its object."""

import numpy as np
import scipy.ndimage
import torch

_SMALLEST_SHARE = 0.01  # of the largest part's volume


def without_specks(grid: torch.Tensor) -> torch.Tensor:
    """The same values (see sampled_field.sample_field), positive inside parts of less than a hundredth of the largest
    one's volume: rays pass them."""
    inside = (grid < 0).cpu().numpy()
    labels, _ = scipy.ndimage.label(inside)
    volumes = np.bincount(labels.ravel())
    volumes[0] = volumes[1:].max(initial=0)  # outside stays as it is
    specks = torch.from_numpy((volumes < _SMALLEST_SHARE * volumes[0])[labels]).to(grid.device)
    return torch.where(specks, -grid, grid)
