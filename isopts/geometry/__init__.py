"""Pure tensor mathematics: frames, meshes as values, normals, surface sampling."""
