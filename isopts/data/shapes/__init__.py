"""Formulas of the synthetic shapes; isopts.data.synthetic_shapes lists them."""
