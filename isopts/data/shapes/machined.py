"""Machined parts: planes, cylinders, bores; with sharp edges or with rounded ones."""

import numpy as np

from isopts.data.shapes.solids import box, cylinder, intersection, maximum, minimum, rounded_box, union


def flange(points: np.ndarray) -> np.ndarray:
    """Plate 1.5 x 1.0 x 0.3 with rounded edges, a boss joined by a fillet, a bore through both, and a mounting hole
    near each end. Genus 3; flat, cylindrical and doubly curved faces of radius 0.04 up.
    """
    x, y, z = points.T
    plate = rounded_box(points - np.array([0, 0, -0.2]), np.array([0.75, 0.5, 0.15]), 0.06)
    boss = intersection(np.hypot(x, y) - 0.36, z - 0.35, 0.05)  # its lower end is inside the plate
    boss = np.maximum(boss, -0.2 - z)
    bore = np.hypot(x, y) - 0.2
    holes = np.hypot(np.abs(x) - 0.56, y) - 0.09
    return intersection(intersection(union(plate, boss, 0.08), -bore, 0.04), -holes, 0.04)


def bracket(points: np.ndarray) -> np.ndarray:
    """Angle bracket whose every edge is sharp: base and upright 0.16 thick, two ribs of 0.05, a lip, corners cut at 45
    degrees, a bore through the upright, a counterbored hole and a slot through the base. Genus 3.
    """
    x, y, z = points.T
    base = box(points, (0, 0, -0.42), (0.75, 0.4, 0.08))
    upright = maximum(box(points, (-0.67, 0, 0), (0.08, 0.4, 0.5)), (np.abs(y) + z - 0.75) / np.sqrt(2))
    lip = box(points, (0.69, 0, -0.34), (0.06, 0.4, 0.16))
    slope = ((x + 0.59) * 0.64 + (z - 0.3) * 0.85) / np.hypot(0.64, 0.85)
    ribs = maximum(np.abs(np.abs(y) - 0.3) - 0.025, slope, -0.6 - x, -0.4 - z)
    bore = np.hypot(y, z - 0.12) - 0.17
    hole = minimum(np.hypot(x, y) - 0.07, cylinder(np.hypot(x, y), z + 0.3, 0.14, 0.1))
    slot = np.hypot(x - 0.42, np.maximum(np.abs(y) - 0.2, 0)) - 0.07
    bore = maximum(bore, np.abs(x + 0.67) - 0.2)
    return maximum(minimum(base, upright, lip, ribs), -bore, -hole, -slot)


def compressor(points: np.ndarray) -> np.ndarray:
    """Cylinder with seven cooling fins, 0.04 thick and 0.06 apart, on a crankcase with a base plate: a blind cylinder
    bore from the top meets the shaft bore that crosses the crankcase; a hollow intake stub, four mounting holes and
    six bolt holes through the head. Genus 13. Edges are rounded and joints filleted (radius 0.015 up), the rims of the
    shaft bore are sharp.
    """
    x, y, z = points.T
    around = np.hypot(x, y)
    plate = rounded_box(points - np.array([0, 0, -0.67]), np.array([0.75, 0.5, 0.08]), 0.03)
    crankcase = intersection(np.hypot(x, z + 0.38) - 0.29, np.abs(y) - 0.42, 0.04)
    barrel = maximum(around - 0.3, np.abs(z - 0.15) - 0.5)
    fin = z - 0.1 * np.clip(np.round(z / 0.1), -1, 5)
    fins = intersection(around - 0.5, np.abs(fin) - 0.02, 0.015)
    head = intersection(around - 0.46, np.abs(z - 0.65) - 0.07, 0.03)
    stub = intersection(np.hypot(y, z + 0.38) - 0.13, np.abs(x - 0.3) - 0.35, 0.02)
    solid = union(union(plate, crankcase, 0.06), stub, 0.04)
    solid = union(solid, union(union(barrel, fins, 0.02), head, 0.02), 0.03)
    solid = intersection(solid, -maximum(around - 0.2, -0.38 - z), 0.02)
    solid = intersection(solid, -maximum(np.hypot(y, z + 0.38) - 0.07, -x), 0.015)
    mounting = np.hypot(np.abs(x) - 0.6, np.abs(y) - 0.36) - 0.06
    angle = np.pi / 3 * np.round(np.arctan2(y, x) / (np.pi / 3))
    bolts = np.hypot(x - 0.36 * np.cos(angle), y - 0.36 * np.sin(angle)) - 0.04
    solid = intersection(solid, -mounting, 0.015)
    solid = intersection(solid, -maximum(bolts, 0.56 - z), 0.015)
    return maximum(solid, -(np.hypot(x, z + 0.38) - 0.14))
