"""Printed tables of the tools."""
from typing import Iterable


def print_table(columns: Iterable[str], rows: Iterable[Iterable[str]],
                left: str = '', **options) -> None:
    """Print a table.

    Args:
        columns (Iterable[str]): Headings.
        rows (Iterable[Iterable[str]]): Cells.
        left (str): Heading of the left-aligned column; all others are
            right-aligned.
        **options: Options of rich's ``Table``.
    """
    from rich.console import Console
    from rich.table import Table
    table = Table(**options)
    for column in columns:
        table.add_column(column, justify='left' if column == left else 'right')
    for row in rows:
        table.add_row(*row)
    Console().print(table)
