"""Docstring processing for the reference pages."""
import re

import griffe

ROLE = re.compile(r':\w+:`~?([^`]+)`')


class Roles(griffe.Extension):
    """Convert Sphinx roles such as :class:`Sampler` to Markdown code."""

    def on_object(self, *, obj: griffe.Object, **kwargs) -> None:
        if obj.docstring:
            obj.docstring.value = ROLE.sub(r'`\1`', obj.docstring.value)
