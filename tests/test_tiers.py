"""The sample of a grid that the fast tests run."""
from itertools import product

import pytest
from conftest import covering, values

LETTERS, NUMBERS, NAMES = ['a', 'b', 'c'], [1.5, 2.5], [('x', ), ('y', )]


class Case:
    """Case of a parametrized test, as far as the sample looks at it."""

    def __init__(self, **params) -> None:
        self.callspec = self
        self.params = params


@pytest.fixture
def grid():
    return [Case(letter=a, number=b, name=c)
            for a, b, c in product(LETTERS, NUMBERS, NAMES)]


def test_every_value_occurs(grid):
    sample = covering(grid)
    assert set().union(*map(values, sample)) == set().union(
        *map(values, grid))
    assert len(sample) == 3, 'as many as the longest list of values'


def test_values_of_cases_that_are_left_out(grid):
    """A value that occurs in a single case brings that case in."""
    rest = [case for case in grid
            if case.params['letter'] != 'c' or case.params['number'] == 2.5]
    sample = covering(rest)
    assert {'a', 'b', 'c'} == {case.params['letter'] for case in sample}
    assert all(case.params['number'] == 2.5 for case in sample
               if case.params['letter'] == 'c')


def test_samples_are_reproducible(grid):
    first, second = (
        [case.params for case in covering(grid)] for _ in range(2))
    key = str
    assert sorted(first, key=key) == sorted(second, key=key)
