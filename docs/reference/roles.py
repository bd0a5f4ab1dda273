"""How docstrings get into the pages of the reference."""
import re

import griffe

ROLE = re.compile(r':\w+:`~?([^`]+)`')


class Roles(griffe.Extension):
    """Turns Sphinx's roles, :class:`Sampler`, into Markdown's code."""

    def on_object(self, *, obj: griffe.Object, **kwargs) -> None:
        if obj.docstring:
            obj.docstring.value = ROLE.sub(r'`\1`', obj.docstring.value)
