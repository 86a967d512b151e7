"""What is made of a fitted field: meshes, pictures, textures."""
