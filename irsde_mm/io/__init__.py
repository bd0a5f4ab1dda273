"""Files: images and weights in, whole files or none out."""
