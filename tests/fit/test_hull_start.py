"""A field that starts as the visual hull."""

import pytest
import torch

from isopts.field.build import build_field
from isopts.fit.hull_start import start_as_hull, wrong_masks
from isopts.fit.mvr_config import StartConfig
from isopts.geometry.visual_hull import VisualHull
from isopts.kernels.visual_hull import RANK_MAX

from .conftest import small_config
