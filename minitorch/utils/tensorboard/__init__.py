"""Logs that TensorBoard shows, written without it."""

from .events import EventFile, read_events
from .writer import SummaryWriter

__all__ = ["EventFile", "SummaryWriter", "read_events"]
