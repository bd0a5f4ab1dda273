"""Web page that restores uploaded photos."""
