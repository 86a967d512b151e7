"""Points through the feature grid and one hidden softplus layer of 64: signed distance and exact gradient."""
