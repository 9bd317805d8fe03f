"""Compares what the engines answered, cell by cell.

    compare.py QUESTIONS ENGINE=ANSWERS ENGINE=ANSWERS...

Counts and ids have to be the same integers, means the same to 1e-9. Prints how much was compared, or the first
difference, and then fails.
"""
import json
import pathlib
import sys

import numpy as np

from questions import KEYS, ORDERED


def answers(path):
    """Of each question its answers, in the order of the constants."""
    shapes = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["shapes"]
    numbers, at, found = np.fromfile(path.with_suffix(".bin"), "<i8"), 0, {}
    for question, of in shapes.items():
        found[question] = []
        for rows, columns in of:
            found[question].append(numbers[at:at + rows * columns].reshape(rows, columns))
            at += rows * columns
    if at != len(numbers):
        sys.exit(f"{path}: {at} numbers are told of, the file holds {len(numbers)}")
    return found


def canonical(question, rows):
    """Groups in ascending order; M1's means as floats, from sum and count where these are what there is."""
    if question not in ORDERED and len(rows):
        keys = rows[:, :KEYS.get(question, 1)]
        rows = rows[np.lexsort(keys.T[::-1])]
    if question != "M1" or not len(rows):
        return rows, None
    means = rows[:, 1] / rows[:, 2] / 3_600 if rows.shape[1] == 3 else np.ascontiguousarray(rows[:, 1]).view(float)
    return rows[:, :1], means


def difference(question, one, other):
    """None, or the first row in which two answers differ."""
    (one, means), (other, others) = canonical(question, one), canonical(question, other)
    if len(one) != len(other):
        return f"{len(one)} rows against {len(other)}"
    if not len(one):
        return None
    if one.shape[1] != other.shape[1]:
        return f"{one.shape[1]} columns against {other.shape[1]}"
    same = (one == other).all(axis=1)
    if means is not None:
        same &= np.abs(means - others) <= 1e-9 * np.abs(others)
    if same.all():
        return None
    at = int(np.argmin(same))
    told = [[*map(int, rows[at]), *([] if mean is None else [float(mean[at])])]
            for rows, mean in ((one, means), (other, others))]
    return f"row {at}: {told[0]} against {told[1]}"


def main():
    asked = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))["asked"]
    engines = dict(word.split("=", 1) for word in sys.argv[2:])
    found = {engine: answers(pathlib.Path(path)) for engine, path in engines.items()}
    compared = cells = 0
    for question, constants in asked.items():
        if question == "empty":
            continue
        having = [engine for engine in found if question in found[engine]]
        for at, given in enumerate(constants):
            first, *others = having
            for other in others:
                told = difference(question, found[first][question][at], found[other][question][at])
                if told:
                    sys.exit(f"{question}: {first} against {other}: {told}\n  with {json.dumps(given)}")
                compared += 1
                cells += found[other][question][at].size
    print(json.dumps({"answers": compared, "cells": cells}))


if __name__ == "__main__":
    main()
