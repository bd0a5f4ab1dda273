"""The web page: a photo in, a restored one out."""
