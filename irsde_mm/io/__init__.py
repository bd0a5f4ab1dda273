"""Reading images and weights, and writing files atomically."""
