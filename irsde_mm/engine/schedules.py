"""Settings of optimizers and schedules, compared with a checkpoint's."""
import copy
from types import SimpleNamespace
from typing import Any, Dict, List, Sequence

from ..errors import CheckpointError

#: The state of a schedule that is not a setting.
RUNNING = {'last_step', 'base_values', 'verbose', 'best', 'num_bad_epochs',
           'cooldown_counter', 'rule_worse', 'optimizer'}


class Schedule:
    """An optimizer's settings and its schedules, as the config has them.

    Args:
        name (str): Name of the optimizer, '' for the only one.
        wrapper (OptimWrapper): Just built.
        schedulers (Sequence): Its parameter schedulers, just built.
    """

    def __init__(self, name: str, wrapper: Any, schedulers: Sequence) -> None:
        self.name = f'{name}.' if name else ''
        self.groups = [settings_of(group) for group in wrapper.param_groups]
        self.schedulers = [copy.copy(scheduler) for scheduler in schedulers]
        for scheduler in self.schedulers:
            # not the real one, which is about to be trained with
            scheduler.optimizer = None
            scheduler.__dict__ = copy.deepcopy(scheduler.__dict__)

    def compare(self, optimizer: dict, states: Sequence[dict]) -> List[str]:
        """Settings that differ from a checkpoint's, as text.

        Args:
            optimizer (dict): The optimizer's state there.
            states (Sequence[dict]): Those of its schedulers.

        Raises:
            CheckpointError: If they are of another kind.
        """
        found: Dict[str, str] = {}
        for own, saved in zip(self.groups, self._groups(optimizer)):
            for key in own.keys() & saved.keys():
                # what a schedule changes is compared at its start
                if f'initial_{key}' not in own:
                    name = key.removeprefix('initial_')
                    note(found, f'optim_wrapper.{self.name}optimizer.{name}',
                         saved[key], own[key])
        if [shape(state) for state in states] != [
                shape(vars(own)) for own in self.schedulers]:
            raise CheckpointError(
                f"the checkpoint's param_scheduler{'.' * bool(self.name)}"
                f"{self.name.rstrip('.')} is of another kind than the "
                "config's; resume with its own, or use the config's with "
                '--new-schedule.')
        for i, (own, saved) in enumerate(zip(self.schedulers, states)):
            for key in sorted(shape(saved)):
                note(found, f'param_scheduler.{self.name}{i}.{key}',
                     saved[key], vars(own)[key])
        return list(found.values())

    def renew(self, optimizer: dict, meta: dict) -> List[dict]:
        """Puts the settings in an optimizer's state, as they are after so
        many steps.

        Args:
            optimizer (dict): The state in a checkpoint; it is changed.
            meta (dict): The checkpoint's, with ``iter`` and ``epoch``.

        Returns:
            list[dict]: States of the schedulers.

        Raises:
            CheckpointError: If the optimizers are of another kind.
        """
        theirs = self._groups(optimizer)
        groups = copy.deepcopy(self.groups)
        schedulers = copy.deepcopy(self.schedulers)
        for scheduler in schedulers:
            scheduler.optimizer = stand_in(groups)
        ends = [meta['epoch' if s.by_epoch else 'iter'] for s in schedulers]
        # in turn, as in training: several may change the same value
        for i in range(max(ends, default=0)):
            for scheduler, end in zip(schedulers, ends):
                if i < end:
                    scheduler.step()
        for group, saved in zip(groups, theirs):
            saved.update(group)
        return [scheduler.state_dict() for scheduler in schedulers]

    def _groups(self, optimizer: dict) -> List[dict]:
        """The groups in a checkpoint that belong to the config's."""
        groups = list((optimizer or {}).get('param_groups', ()))
        if len(self.groups) > len(groups) \
                and 'base_param_settings' in optimizer:
            groups.append(optimizer['base_param_settings'])
        if len(groups) != len(self.groups) or any(
                value and key not in other and not key.startswith('initial_')
                for own, saved in zip(self.groups, map(settings_of, groups))
                for one, other in ((own, saved), (saved, own))
                for key, value in one.items()):
            raise CheckpointError(
                f"the checkpoint's optim_wrapper.{self.name}optimizer is of "
                "another kind than the config's; resume with its own, or "
                'start from its weights with --cfg-options load_from=... and '
                'without --resume.')
        return groups


def settings_of(group: dict) -> dict:
    """A group of an optimizer without the weights."""
    return {key: value for key, value in group.items() if key != 'params'}


def shape(state: dict) -> set:
    """The names of a schedule's settings, which identify its kind."""
    return {key for key in state if key[0] != '_'} - RUNNING


def note(found: Dict[str, str], name: str, saved: Any, own: Any) -> None:
    """Adds a setting that differs. Files have lists in place of tuples."""
    saved, own = (list(value) if isinstance(value, tuple) else value
                  for value in (saved, own))
    if saved != own:
        found.setdefault(name, f'{name}={own} ({saved} in the checkpoint)')


def stand_in(groups: List[dict]) -> SimpleNamespace:
    """A replacement of an optimizer, with what a scheduler uses."""
    def step() -> None:
        pass

    step._with_counter = True
    return SimpleNamespace(param_groups=groups, step=step, _global_step=0)
