"""Colours of a fitted surface."""
