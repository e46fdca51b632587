"""The history of some people as one compiled loop over their touchpoints: the `fast` extra.

The same definitions as `deltas` and `placing`, person by person: touchpoints become +x and -x, sorted and summed;
rules, memories and policies place the person after each instant. It knows nothing of models and tables: arrays in,
arrays out. Tests hold it to the SQL for every policy.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

__all__ = ["AND", "COMPARE", "COMPARE_SIGNALS", "NEVER", "NOT", "OR", "follow", "grouped"]

# what a rule program is made of: rows of (code, signal, operator, number or second signal or number of parts)
COMPARE, COMPARE_SIGNALS, NOT, AND, OR = range(5)
NEVER = np.iinfo(np.int64).max
_FEW = 24  # rows of one person that are sorted by insertion


@numba.njit(cache=True, nogil=True)
def grouped(person: Any, n_people: int) -> tuple[Any, Any]:
    """Return offsets and order: `order[offsets[p]:offsets[p + 1]]` are the rows of person p, as they stood."""
    offsets = np.zeros(n_people + 1, np.int64)
    for p in person:
        offsets[p + 1] += 1
    for p in range(n_people):
        offsets[p + 1] += offsets[p]
    filled = offsets[:-1].copy()
    order = np.empty(person.size, np.int32)
    for row in range(person.size):
        order[filled[person[row]]] = row
        filled[person[row]] += 1
    return offsets, order


@numba.njit(cache=True, nogil=True)
def follow(
    offsets: Any,
    order: Any,
    at: Any,
    code: Any,
    revenue: Any,
    gone_at: Any,
    extra_offsets: Any,
    extra_order: Any,
    extra_at: Any,
    extra_signal: Any,
    extra_amount: Any,
    hears: Any,
    is_sum: Any,
    gone_column: Any,
    lengths: Any,
    window: Any,
    program: Any,
    rule_at: Any,
    ranks: Any,
    forward_only: bool,
    reentry: bool,
    as_of: int,
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Return everybody's spells: person, rank, came_from (-1: none), furthest, valid_from, valid_to (NEVER: lasts).

    Parameters
    ----------
    offsets, order : array of int64
        `order[offsets[p]:offsets[p + 1]]` are the rows of person p, in any order.
    at, code, revenue : array
        Per row: microseconds, number of its event, minor units.
    gone_at : array of int64, (reversing events, rows)
        When a row was given back entirely; NEVER while it stands.
    extra_offsets, extra_order, extra_at, extra_signal, extra_amount : array of int64
        Ready deltas of the same people: of signals that are no plain count or sum, and of partial refunds.
    hears : array of bool, (codes, signals)
    is_sum, gone_column : array, (signals,)
        Sum or count; row of `gone_at`, -1 for none.
    lengths : array of int64, (windows,)
        The different windows, in microseconds.
    window : array of int64, (signals,)
        Number of its window, -1 for ever.
    program : array of int64, (steps, 4)
        All rules in postfix order.
    rule_at : array of int64, (statuses, 4)
        Highest rank first: begin and end of the rule that holds it, or enters it; of the one that exits it, or -1.
    ranks : array of int64, (statuses,)
        The same order.
    forward_only, reentry : bool
    as_of : int
        Microseconds; what would end later has not ended.
    """
    n_people, n_signals, n_statuses, n_windows = offsets.size - 1, is_sum.size, ranks.size, lengths.size
    capacity = max(16, 4 * n_people)
    who, rank_of, came, best_of, begin, end = _room(capacity)
    n = 0
    values = np.zeros(n_signals, np.int64)
    latched = np.zeros(n_statuses, np.bool_)
    left = np.zeros(n_statuses, np.bool_)
    stack = np.zeros(program.shape[0] + 1, np.bool_)
    closes = np.zeros((hears.shape[0], n_windows), np.bool_)  # whether anything ends with a window of an event
    for s in range(n_signals):
        if window[s] >= 0:
            closes[:, window[s]] |= hears[:, s]
    ending = np.zeros(n_windows, np.int64)  # per window: the first row of the person whose window has not ended
    backs = np.empty(0, np.int64)  # rows given back, once per reversing event, as column * rows + row
    for person in range(n_people):
        first, last = offsets[person], offsets[person + 1]
        if first == last:
            continue
        mine = order[first:last]
        _sort(mine, at)
        others = extra_order[extra_offsets[person] : extra_offsets[person + 1]]
        _sort(others, extra_at)
        backs = _given_back(mine, at, gone_at, as_of, backs)

        values[:] = 0
        latched[:] = False
        left[:] = False
        current, furthest, previous = -1, -1, -1
        ending[:] = 0
        i, j, k = 0, 0, 0
        while True:
            # the next instant: a touchpoint, the end of a window, something given back, a ready delta
            now = at[mine[i]] if i < mine.size else NEVER
            for w in range(n_windows):
                while ending[w] < mine.size and not closes[code[mine[ending[w]]], w]:
                    ending[w] += 1
                if ending[w] < mine.size:
                    ends_at = at[mine[ending[w]]] + lengths[w]
                    if ends_at <= as_of:
                        now = min(now, ends_at)
            if j < backs.size:
                now = min(now, gone_at[backs[j] // at.size, backs[j] % at.size])
            if k < others.size:
                now = min(now, extra_at[others[k]])
            if now == NEVER:
                break
            while i < mine.size and at[mine[i]] == now:
                row = mine[i]
                i += 1
                for s in range(n_signals):
                    if hears[code[row], s] and (gone_column[s] < 0 or gone_at[gone_column[s], row] > now):
                        values[s] += revenue[row] if is_sum[s] else 1
            for w in range(n_windows):
                while ending[w] < mine.size and at[mine[ending[w]]] + lengths[w] == now:
                    row = mine[ending[w]]
                    ending[w] += 1
                    if not closes[code[row], w]:
                        continue
                    for s in range(n_signals):
                        # what was given back before has gone already
                        stood = gone_column[s] < 0 or gone_at[gone_column[s], row] >= now
                        if window[s] == w and hears[code[row], s] and stood:
                            values[s] -= revenue[row] if is_sum[s] else 1
            while j < backs.size and gone_at[backs[j] // at.size, backs[j] % at.size] == now:
                column, row = backs[j] // at.size, backs[j] % at.size
                j += 1
                for s in range(n_signals):
                    lasted = window[s] < 0 or now < at[row] + lengths[window[s]]
                    if gone_column[s] == column and hears[code[row], s] and lasted:
                        values[s] -= revenue[row] if is_sum[s] else 1
            while k < others.size and extra_at[others[k]] == now:
                values[extra_signal[others[k]]] += extra_amount[others[k]]
                k += 1
            rank, place = 0, -1
            for s in range(n_statuses):
                if rule_at[s, 2] >= 0:
                    if _holds(program, rule_at[s, 2], rule_at[s, 3], values, stack):
                        latched[s] = False
                    elif _holds(program, rule_at[s, 0], rule_at[s, 1], values, stack):
                        latched[s] = True
            for s in range(n_statuses):
                if left[s]:
                    continue
                if latched[s] or (rule_at[s, 2] < 0 and _holds(program, rule_at[s, 0], rule_at[s, 1], values, stack)):
                    rank, place = ranks[s], s
                    break
            if not reentry and place != previous:
                if previous >= 0:
                    left[previous] = True
                previous = place
            if forward_only and rank < furthest:
                rank = furthest
            if rank == current:
                continue
            if n == capacity:
                capacity *= 2
                who, rank_of, came, best_of, begin, end = _grown(capacity, n, who, rank_of, came, best_of, begin, end)
            furthest = max(furthest, rank)
            if current >= 0:
                end[n - 1] = now
            who[n], rank_of[n], came[n], best_of[n], begin[n], end[n] = person, rank, current, furthest, now, NEVER
            n += 1
            current = rank
    return who[:n], rank_of[:n], came[:n], best_of[:n], begin[:n], end[:n]


@numba.njit(cache=True, nogil=True)
def _holds(program: Any, start: int, stop: int, values: Any, stack: Any) -> bool:
    top = 0
    for step in range(start, stop):
        what = program[step, 0]
        if what in (COMPARE, COMPARE_SIGNALS):
            left = values[program[step, 1]]
            right = program[step, 3] if what == COMPARE else values[program[step, 3]]
            operator = program[step, 2]
            if operator == 0:
                stack[top] = left == right
            elif operator == 1:
                stack[top] = left != right
            elif operator == 2:
                stack[top] = left < right
            elif operator == 3:
                stack[top] = left <= right
            elif operator == 4:
                stack[top] = left > right
            else:
                stack[top] = left >= right
            top += 1
        elif what == NOT:
            stack[top - 1] = not stack[top - 1]
        else:
            n_parts = program[step, 3]
            holds = stack[top - n_parts]
            for part in range(top - n_parts + 1, top):
                holds = (holds and stack[part]) if what == AND else (holds or stack[part])
            top -= n_parts - 1
            stack[top - 1] = holds
    return bool(stack[0])


@numba.njit(cache=True, nogil=True)
def _sort(rows: Any, at: Any) -> None:
    """Sort a person's rows by time, in place."""
    if rows.size > _FEW:
        in_order = True
        for i in range(1, rows.size):
            in_order = in_order and at[rows[i - 1]] <= at[rows[i]]
        if not in_order:
            rows[:] = rows[np.argsort(at[rows])]
        return
    for i in range(1, rows.size):
        row = rows[i]
        t, j = at[row], i - 1
        while j >= 0 and at[rows[j]] > t:
            rows[j + 1] = rows[j]
            j -= 1
        rows[j + 1] = row


@numba.njit(cache=True, nogil=True)
def _given_back(mine: Any, at: Any, gone_at: Any, as_of: int, backs: Any) -> Any:
    """Return what of a person was given back after it had begun, in the order of that: column * rows + row."""
    m = 0
    for column in range(gone_at.shape[0]):
        for row in mine:
            if at[row] < gone_at[column, row] <= as_of:
                m += 1
    if m == 0:
        return backs[:0]
    found, when, m = np.empty(m, np.int64), np.empty(m, np.int64), 0
    for column in range(gone_at.shape[0]):
        for row in mine:
            if at[row] < gone_at[column, row] <= as_of:
                found[m], when[m] = column * at.size + row, gone_at[column, row]
                m += 1
    return found[np.argsort(when)]


@numba.njit(cache=True, nogil=True)
def _room(capacity: int) -> tuple[Any, Any, Any, Any, Any, Any]:
    return (
        np.empty(capacity, np.int64),
        np.empty(capacity, np.int64),
        np.empty(capacity, np.int64),
        np.empty(capacity, np.int64),
        np.empty(capacity, np.int64),
        np.empty(capacity, np.int64),
    )


@numba.njit(cache=True, nogil=True)
def _grown(
    capacity: int, n: int, who: Any, rank_of: Any, came: Any, best_of: Any, begin: Any, end: Any
) -> tuple[Any, Any, Any, Any, Any, Any]:
    larger = _room(capacity)
    for new, old in zip(larger, (who, rank_of, came, best_of, begin, end)):  # noqa: B905
        new[:n] = old[:n]
    return larger
