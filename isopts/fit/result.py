"""How a fit ended, for the command line."""

from dataclasses import dataclass
from typing import Any

from isopts.fit.cameras.motion import describe_motion
from isopts.fit.loop import EndReason
from isopts.run.folder import RunFolder


@dataclass(frozen=True)
class FitResult:
    """reason: why the fit ended. metrics: empty when its steps were interrupted. seconds: stage -> duration."""

    folder: RunFolder
    reason: EndReason
    step: int
    metrics: dict[str, float | int]
    seconds: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for --json."""
        return {
            "run": str(self.folder.path),
            "reason": self.reason,
            "step": self.step,
            "seconds": self.seconds,
            "metrics": self.metrics,
        }

    def rows(self) -> list[tuple[str, str]]:
        """What to show: name and value of each line."""
        total = sum(self.seconds.values())
        stages = ", ".join(f"{name} {seconds:.1f}" for name, seconds in self.seconds.items())
        rows = [("run", str(self.folder.path)), ("fit", f"{self.reason} at step {self.step}")]
        if self.metrics:
            closed = "closed" if self.metrics["mesh_closed"] else "open"
            rows.append(("mesh", f"{self.folder.mesh}, {self.metrics['mesh_faces']:,} faces, {closed}"))
            if "spacing_variation" in self.metrics:
                count, residual = self.metrics["count"], self.metrics["residual_max"]
                spread = f"largest |f| {residual:.1e}, spacing variation {self.metrics['spacing_variation']:.2f}"
                rows.append(("iso-points", f"{self.folder.isopoints}, {count:,} points, {spread}"))
            if "camera_pixels_max" in self.metrics:
                rows.append(("cameras", f"{self.folder.cameras}, {describe_motion(self.metrics)}"))
            if self.folder.preview.is_file():
                rows.append(("preview", str(self.folder.preview)))
        return [*rows, ("seconds", f"{total:.1f} = {stages}")]
