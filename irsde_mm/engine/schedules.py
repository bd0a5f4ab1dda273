"""Comparison of optimizer and schedule settings with a checkpoint."""
import copy
from types import SimpleNamespace
from typing import Any, Dict, List, Sequence

from ..errors import CheckpointError

#: Attributes of a schedule that are state rather than settings.
STATE_KEYS = {'last_step', 'base_values', 'verbose', 'best', 'num_bad_epochs',
              'cooldown_counter', 'rule_worse', 'optimizer'}


class Schedule:
    """Settings of an optimizer and its schedules, as the config defines them.

    Args:
        name (str): Name of the optimizer, '' if there is only one.
        wrapper (OptimWrapper): Newly built wrapper.
        schedulers (Sequence): Newly built parameter schedulers.
    """

    def __init__(self, name: str, wrapper: Any, schedulers: Sequence) -> None:
        self.name = f'{name}.' if name else ''
        self.groups = [settings_of(group) for group in wrapper.param_groups]
        self.schedulers = [copy.copy(scheduler) for scheduler in schedulers]
        for scheduler in self.schedulers:
            # drop the reference to the real optimizer before copying
            scheduler.optimizer = None
            scheduler.__dict__ = copy.deepcopy(scheduler.__dict__)

    def compare(self, optimizer: dict, states: Sequence[dict]) -> List[str]:
        """Return descriptions of settings that differ from a checkpoint's.

        Args:
            optimizer (dict): Optimizer state in the checkpoint.
            states (Sequence[dict]): States of its schedulers.

        Raises:
            CheckpointError: If optimizer or schedules are of another type.
        """
        found: Dict[str, str] = {}
        for own, saved in zip(self.groups, self._groups(optimizer)):
            for key in own.keys() & saved.keys():
                # values that a schedule changes are compared at its start
                if f'initial_{key}' not in own:
                    name = key.removeprefix('initial_')
                    add_difference(
                        found, f'optim_wrapper.{self.name}optimizer.{name}',
                        saved[key], own[key])
        if [setting_names(state) for state in states] != [
                setting_names(vars(own)) for own in self.schedulers]:
            raise CheckpointError(
                f"the checkpoint's param_scheduler{'.' * bool(self.name)}"
                f"{self.name.rstrip('.')} does not match the config's; resume "
                'with the original config, or use the new schedule with '
                '--new-schedule.')
        for i, (own, saved) in enumerate(zip(self.schedulers, states)):
            for key in sorted(setting_names(saved)):
                add_difference(found, f'param_scheduler.{self.name}{i}.{key}',
                               saved[key], vars(own)[key])
        return list(found.values())

    def renew(self, optimizer: dict, meta: dict) -> List[dict]:
        """Put the config's settings into an optimizer state.

        The settings are advanced to the iteration or epoch of the checkpoint.

        Args:
            optimizer (dict): Optimizer state in the checkpoint, modified in
                place.
            meta (dict): Metadata of the checkpoint, with ``iter`` and
                ``epoch``.

        Returns:
            list[dict]: States of the schedulers.

        Raises:
            CheckpointError: If the optimizers are of another type.
        """
        saved_groups = self._groups(optimizer)
        groups = copy.deepcopy(self.groups)
        schedulers = copy.deepcopy(self.schedulers)
        for scheduler in schedulers:
            scheduler.optimizer = placeholder_optimizer(groups)
        ends = [meta['epoch' if s.by_epoch else 'iter'] for s in schedulers]
        # alternate as in training, since several may change the same value
        for i in range(max(ends, default=0)):
            for scheduler, end in zip(schedulers, ends):
                if i < end:
                    scheduler.step()
        for group, saved in zip(groups, saved_groups):
            saved.update(group)
        return [scheduler.state_dict() for scheduler in schedulers]

    def _groups(self, optimizer: dict) -> List[dict]:
        """Return the checkpoint's parameter groups that match the config's."""
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
                f"the checkpoint's optim_wrapper.{self.name}optimizer does "
                "not match the config's; resume with the original config, or "
                'start from its weights with --cfg-options load_from=... and '
                'without --resume.')
        return groups


def settings_of(group: dict) -> dict:
    """Return an optimizer's parameter group without the parameters."""
    return {key: value for key, value in group.items() if key != 'params'}


def setting_names(state: dict) -> set:
    """Return the names of a schedule's settings, which identify its type."""
    return {key for key in state if key[0] != '_'} - STATE_KEYS


def add_difference(found: Dict[str, str], name: str, saved: Any,
                   own: Any) -> None:
    """Record a setting that differs; lists in files equal tuples."""
    saved, own = (list(value) if isinstance(value, tuple) else value
                  for value in (saved, own))
    if saved != own:
        found.setdefault(name, f'{name}={own} ({saved} in the checkpoint)')


def placeholder_optimizer(groups: List[dict]) -> SimpleNamespace:
    """Return a replacement for an optimizer that a scheduler can use."""
    def step() -> None:
        pass

    step._with_counter = True
    return SimpleNamespace(param_groups=groups, step=step, _global_step=0)
