"""Configuration of the refinement of cameras."""

from pydantic import Field, model_validator

from isopts.config import StrictModel


class CamerasConfig(StrictModel):
    """Corrections of poses and focal lengths (--refine-cameras). Sizes are what errors are expected to be: corrections
    that images do not ask for stay below them, and common motions of all cameras at nothing."""

    enabled: bool = Field(False, description="refine the cameras of the fitted views")
    rotation_degrees: float = Field(0.3, gt=0, description="expected error of an orientation")
    translation: float = Field(
        0.005, gt=0, description="expected error of a camera's place, as a share of its distance from the object"
    )
    focal: bool = Field(True, description="refine focal lengths, too")
    focal_share: float = Field(0.002, gt=0, description="focal: expected error of a focal length, relative")
    start_rounds: int = Field(
        4,
        ge=0,
        description="refinements on the start (start.init) at most, until they settle; it is made again then; 0: none",
    )
    rounds: tuple[float, ...] = Field(
        (0.1, 0.25, 0.4, 0.55), description="shares of the budget after which iso-points are extracted to refine again"
    )
    tracks: int = Field(4000, ge=1, description="iso-points that are looked for in the images in a refinement")

    @model_validator(mode="after")
    def _rising(self) -> "CamerasConfig":
        if list(self.rounds) != sorted(self.rounds):
            raise ValueError("cameras.rounds must rise")
        if any(not 0 < share < 1 for share in self.rounds):
            raise ValueError("cameras.rounds are shares of the budget, between 0 and 1")
        if self.enabled and not (self.rounds or self.start_rounds):
            raise ValueError("cameras.rounds and cameras.start_rounds say when to refine; one of them is needed")
        return self
