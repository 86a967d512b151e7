"""Linear colours as files have them."""

import numpy as np
import torch


def encode_srgb(picture: torch.Tensor) -> np.ndarray:
    """Linear RGB (...) to uint8 sRGB (IEC 61966-2-1); values outside 0 ... 1 are clipped."""
    linear = picture.clamp(0, 1)
    encoded = torch.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (255 * encoded + 0.5).to(torch.uint8).numpy()


def decode_srgb(picture: np.ndarray) -> torch.Tensor:
    """uint8 sRGB (...) to linear RGB float32."""
    encoded = torch.from_numpy(picture / 255.0).float()
    return torch.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
