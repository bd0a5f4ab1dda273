"""Restoring millions of photos with many workers, on engines that exist."""
from .driver import Summary, restore_all
from .items import Item, Outcome
from .job import Job
from .worker import Worker

__all__ = ['Item', 'Job', 'Outcome', 'Summary', 'Worker', 'restore_all']
