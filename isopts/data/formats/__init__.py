"""File formats, one a module; `isopts.data` chooses between them."""
