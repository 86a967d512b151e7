"""Where rendered colours are compared with photographed ones."""

import copy
from typing import NamedTuple

import torch
from torch.nn import functional

from isopts.field.build import Field
from isopts.fit.views.image_stack import ImageStack
from isopts.render.implicit_points import refine_hits
from isopts.render.sampled_field import trace_sampled
from isopts.render.trace import SphereTracingConfig, trace_rays

_OUTLINE_PIXELS = 1.5


class ColorSamples(NamedTuple):
    """Rays through pixels of `views` (R,), by `places` (R, 3) on them, on or near the surface, and their unit
    `directions` (R, 3); the photographed colours `expected` (R, 3) in 0 ... 1; counts (R,) bool: false where there is
    nothing to compare."""

    places: torch.Tensor
    directions: torch.Tensor
    views: torch.Tensor
    expected: torch.Tensor
    counts: torch.Tensor


class ColorSampler:
    """Draws colour samples from the images of a fit, on their device."""

    def __init__(self, images: ImageStack, generator: torch.Generator):
        self._generator = generator
        self._on_object = _true_positions(images)  # sorted
        self.use(images)

    def use(self, images: ImageStack) -> None:
        """The same images, with other cameras."""
        self._images, cameras = images, images.cameras
        self._projections, self._centers = cameras.projections(), cameras.centers()
        self._backprojections = cameras.backprojections()

    def drawing_by(self, generator: torch.Generator) -> "ColorSampler":
        """This one with other random numbers."""
        lent = copy.copy(self)
        lent._generator = generator
        return lent

    def leave_out(self, view: int) -> None:
        """Draw no more rays of this view."""
        ends = torch.cat([self._images.first, self._images.first.new_tensor([len(self._images.masks)])])
        start, end = torch.searchsorted(self._on_object, ends[view : view + 2].int()).tolist()
        self._on_object = torch.cat([self._on_object[:start], self._on_object[end:]])

    def from_rays(
        self, count: int, field: Field, grid: torch.Tensor | None, tracing: SphereTracingConfig
    ) -> tuple[ColorSamples, torch.Tensor]:
        """Rays through random pixels of the object, and the place (M, 3) of the smallest value on each that misses.

        Args:
            grid: sampled copy of the field to march through; None traces the field itself.
        """
        index = torch.randint(len(self._on_object), (count,), generator=self._generator)
        views, pixels = self._images.places(self._on_object[index.to(self._on_object.device)].long())
        origins, directions = self._rays(views, pixels)
        if grid is None:
            trace = trace_rays(field.value, origins, directions, tracing)
        else:
            trace = trace_sampled(grid, origins, directions)
        missed = (origins + trace.distances[:, None] * directions)[~trace.hits]
        hit = torch.nonzero(trace.hits)[:, 0]
        origins, directions, distances = origins[hit], directions[hit], trace.distances[hit]
        views, pixels = views[hit], pixels[hit]
        if grid is not None:
            distances = refine_hits(field.value_and_gradient, origins, directions, distances)
        expected = self._images.sample(views, pixels)
        points = origins + distances[:, None] * directions
        return ColorSamples(points, directions, views, expected, torch.ones_like(hit, dtype=torch.bool)), missed

    def from_surfels(self, points: torch.Tensor, cosines: torch.Tensor) -> tuple[ColorSamples, torch.Tensor]:
        """For surface points (R, 3) the rays through the pixels they are in, each in one of the views that see it,
        drawn in proportion to how squarely they do (cosines (R, V), 0: not at all), as rays through all pixels would
        be; and which of the points (R,) bool are off the object there: they are in free space.

        Rays beside the points, since colours between pixels would have to be interpolated, which blurs them.
        """
        noise = torch.rand(cosines.shape, generator=self._generator).to(points.device).clamp_min(1e-12)
        races, views = (noise.log() / cosines).max(dim=1)  # Efraimidis and Spirakis, 2006; -inf where not seen
        homogeneous = torch.einsum("nij,nj->ni", self._projections[views], functional.pad(points, (0, 1), value=1.0))
        exact = homogeneous[:, :2] / homogeneous[:, 2:].clamp_min(1e-6)
        pixels = (exact + 0.5).floor()
        seen, masked = races.isfinite(), self._images.masked(views, pixels)
        origins, directions = self._rays(views, pixels)
        distances = ((points - origins) * directions).sum(dim=1, keepdim=True)
        expected = self._images.sample(views, pixels)
        samples = ColorSamples(origins + distances * directions, directions, views, expected, seen & masked)
        return samples, seen & self._off_object(views, exact)

    def _off_object(self, views: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """(R,) bool: in the image, and farther than a pixel from the mask; nearer is a matter of its outline."""
        sizes = self._images.cameras.sizes[views]
        off = ((pixels > -0.5) & (pixels < sizes - 0.5)).all(dim=1)
        for column, row in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
            off &= ~self._images.masked(views, pixels + _OUTLINE_PIXELS * pixels.new_tensor([column, row]))
        return off

    def _rays(self, views: torch.Tensor, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        homogeneous = functional.pad(pixels, (0, 1), value=1.0)
        directions = torch.einsum("nij,nj->ni", self._backprojections[views], homogeneous)
        return self._centers[views], functional.normalize(directions, dim=1)


def _true_positions(images: ImageStack) -> torch.Tensor:
    """(M,) int32 positions in the buffers that are on the object; of one view after the other, since `nonzero` takes
    twice the room."""
    ends = [*images.first.tolist()[1:], len(images.masks)]
    return torch.cat(
        [
            torch.nonzero(images.masks[start:end])[:, 0].int() + start
            for start, end in zip(images.first.tolist(), ends, strict=True)
        ]
    )
