"""Entries of irsde_mm in other libraries."""
