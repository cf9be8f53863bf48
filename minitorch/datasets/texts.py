"""Texts and names, for models of letters."""

from __future__ import annotations

import os

HERE = os.path.dirname(__file__)


def _read(name: str) -> str:
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read()


def sonnets() -> str:
    """Twelve sonnets by William Shakespeare (1609), in the public domain; an empty line between two.

    >>> minitorch.datasets.sonnets().splitlines()[45]
    "Shall I compare thee to a summer's day?"
    """
    return _read("sonnets.txt")


def names() -> list[str]:
    """Some 500 first names from many languages, in small letters without accents, in the order of the alphabet.

    >>> minitorch.datasets.names()[:3]
    ['ada', 'adam', 'adele']
    """
    return _read("names.txt").split()
