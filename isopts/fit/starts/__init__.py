"""Surfaces before the first step of fit-mvr."""
