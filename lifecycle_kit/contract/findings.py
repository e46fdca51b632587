"""What is odd about rows that were kept: worth a look, never changed unasked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lifecycle_kit.contract.capabilities import Capability, capabilities_of
from lifecycle_kit.contract.report import Warned
from lifecycle_kit.contract.sqltext import ident

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecycle_kit.contract.check import Checked
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["escaped", "found_in", "look_for_oddities"]

_INVISIBLE = r"[\x{0000}-\x{001F}\x{007F}\x{00AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2069}\x{FEFF}]"
# what UTF-8 looks like when it was once read as Western Windows text: A-tilde or A-circumflex and one of the
# characters that stand for the bytes 80 to BF there; the start of a dash or quote; a lost character
_WINDOWS = "".join(bytes([b]).decode("cp1252", errors="ignore") for b in range(0x80, 0xC0))
_MOJIBAKE = rf"[\x{{C3}}\x{{C2}}][\x{{0080}}-\x{{00BF}}{_WINDOWS}]|\x{{E2}}\x{{20AC}}|\x{{FFFD}}"
# an amount this many times the median is more often a slip of the decimal mark than an order
_OUTLIER = 1_000
_FEW = 20


def escaped(text: object) -> str:
    """Return a text in quotes with everything invisible written as its code point."""
    shown = "".join(c if c.isprintable() and c not in "\u00ad\u2060\ufeff" else f"\\u{ord(c):04x}" for c in str(text))
    return f"'{shown}'"


def look_for_oddities(engine: DuckDBEngine, checked: Checked) -> list[Warned]:
    """Return what is odd in the stored tables."""
    found = [*_odd_ids(engine), *_odd_people(engine, checked)]
    if "orders" in checked.clean:
        found += [*_odd_orders(engine), *_odd_amounts(engine, checked)]
    if "events" in checked.clean:
        found += _odd_events(engine, checked)
    return found


def found_in(engine: DuckDBEngine, checked: Checked) -> Mapping[str, Capability]:
    """Return what the dataset can feed."""
    found: set[str] = set()
    for table, columns in checked.columns.items():
        if table not in checked.clean:
            continue
        # looked up, not counted: the first value settles it
        filled = {
            c for c in columns if engine.rows(f"SELECT 1 FROM {ident(table)} WHERE {ident(c)} IS NOT NULL LIMIT 1")
        }
        found |= {f"{table}.{c}" for c in filled} | ({table} if filled else set())
    if "events" in checked.clean:
        found |= {f"event:{name}" for (name,) in engine.rows("SELECT DISTINCT event FROM _events WHERE in_log")}
    return capabilities_of(found)


def _examples(engine: DuckDBEngine, sql: str) -> tuple[str, ...]:
    return tuple(escaped(value) for (value,) in engine.rows(f"{sql} ORDER BY 1 LIMIT 3"))


def _odd_ids(engine: DuckDBEngine) -> Iterator[Warned]:
    # ids of plain lower-case ASCII, most of them in practice, need none of the slow looks
    special = "SELECT person_id FROM persons WHERE NOT regexp_full_match(person_id, '[!-@\\[-~]*')"
    engine.execute(f"CREATE TEMP TABLE _special AS {special}")
    try:
        looks = (
            ("mojibake", _MOJIBAKE, "ids look like text read in the wrong encoding; nothing was repaired"),
            ("invisible", _INVISIBLE, "ids hold invisible characters"),
        )
        for name, pattern, text in looks:
            sql = f"SELECT person_id FROM _special WHERE regexp_matches(person_id, '{pattern}')"
            (n,) = engine.rows(f"SELECT count(*) FROM ({sql})")[0]
            if n:
                yield Warned(name, "persons", n, text, _examples(engine, sql))
        # two ids can only fall together if one of them is special
        alike = "lower(strip_accents(nfc_normalize(trim(person_id))))"
        sql = f"""SELECT string_agg(person_id, chr(31) ORDER BY person_id) FROM (
                SELECT person_id, {alike} AS k FROM _special
                UNION SELECT person_id, person_id AS k FROM persons
                    SEMI JOIN (SELECT {alike} AS person_id FROM _special) USING (person_id)
            ) GROUP BY k HAVING count(*) > 1"""
        (n,) = engine.rows(f"SELECT count(*) FROM ({sql})")[0]
        if n:
            groups = engine.rows(f"{sql} ORDER BY 1 LIMIT 3")
            shown = tuple(" and ".join(escaped(p) for p in g.split("\x1f")[:4]) for (g,) in groups)
            text = "groups of ids differ only by case, space, accents or their encoding; kept apart"
            yield Warned("near_ids", "persons", n, text, shown)
    finally:
        engine.execute("DROP TABLE _special")
    for table, column in (
        ("events", "channel"),
        ("events", "campaign"),
        ("customers", "country"),
        ("costs", "channel"),
    ):
        sql = f"SELECT DISTINCT {column} FROM {table} WHERE regexp_matches({column}, '{_MOJIBAKE}')"
        if found := _examples(engine, sql):
            text = f"values of {table}.{column} look like text read in the wrong encoding; nothing was repaired"
            yield Warned("mojibake", table, engine.rows(f"SELECT count(*) FROM ({sql})")[0][0], text, found)


def _odd_people(engine: DuckDBEngine, checked: Checked) -> Iterator[Warned]:
    if "customers" in checked.clean and "orders" in checked.clean:
        n, ids, cents, total = engine.rows(
            """SELECT count(*) FILTER (c.person_id IS NULL), count(DISTINCT o.person_id) FILTER (c.person_id IS NULL),
                coalesce(sum(net_revenue) FILTER (c.person_id IS NULL), 0), coalesce(sum(net_revenue), 0)
            FROM orders o LEFT JOIN customers c ON c.person_id = o.person_id"""
        )[0]
        if n:
            text = f"orders of {ids:,} persons who are not in customers, worth {_of(cents, total)}; kept"
            yield Warned("orphans", "orders", n, text)
    if "identities" in checked.clean:
        sql = "SELECT anonymous_id FROM identities GROUP BY 1 HAVING count(DISTINCT person_id) > 1"
        (n,) = engine.rows(f"SELECT count(*) FROM ({sql})")[0]
        if n:
            text = "devices are linked to several persons; the earliest link counts"
            yield Warned("several_links", "identities", n, text, _examples(engine, sql))


def _odd_orders(engine: DuckDBEngine) -> Iterator[Warned]:
    n, first, last, undated, early = engine.rows(
        """SELECT count(*), min(ordered_at), max(ordered_at),
            count_if(status = 'refunded' AND refunded_at IS NULL), count_if(ingested_at < ordered_at) FROM orders"""
    )[0]
    if undated:
        yield Warned(
            "undated_refunds", "orders", undated, "orders are refunded without a date; they count as completed"
        )
    if early:
        yield Warned("known_before", "orders", early, "orders reached the log before they were placed (ingested_at)")
    if n >= _FEW and first == last:
        yield Warned("one_instant", "orders", n, f"orders all happened at one instant ({first}); no repeat to measure")
    buyers, repeat, top, total = engine.rows(
        """SELECT count(*), count_if(n > 1), max(cents), sum(cents) FROM (
            SELECT person_key, count(*) AS n, sum(net_revenue) AS cents FROM orders GROUP BY 1)"""
    )[0]
    if buyers >= _FEW and not repeat:
        text = "buyers, and none has ordered twice: repeat purchase cannot be estimated"
        yield Warned("one_time_buyers", "orders", buyers, text)
    if buyers > 1 and total and top / total > 0.5:
        yield Warned("concentration", "orders", 1, f"customer has {_of(top, total)}; averages speak of that one")


def _odd_amounts(engine: DuckDBEngine, checked: Checked) -> Iterator[Warned]:
    # a histogram in tenths of a power of ten finds a median near enough, in one cheap pass
    def middle(rows: list[tuple[Any, ...]]) -> float | None:
        total, seen = sum(r[-1] for r in rows), 0
        for bucket, n in sorted((r[-2], r[-1]) for r in rows):
            seen += n
            if seen * 2 >= total:
                return float(10 ** ((bucket + 0.5) / 10))
        return None

    bucket = "CAST(floor(log10(net_revenue) * 10) AS INTEGER)"
    median = middle(engine.rows(f"SELECT {bucket}, count(*) FROM orders WHERE net_revenue > 0 GROUP BY 1"))
    if median:
        limit = int(median * _OUTLIER)
        n, cents, total = engine.rows(
            f"""SELECT count_if(net_revenue > {limit}), sum(net_revenue) FILTER (net_revenue > {limit}),
            sum(net_revenue) FROM orders"""
        )[0]
        if n:
            biggest = engine.rows(
                f"SELECT order_id, net_revenue FROM orders WHERE net_revenue > {limit} ORDER BY 2 DESC, 1 LIMIT 3"
            )
            shown = tuple(f"{escaped(order)} {cents / 100:,.2f}" for order, cents in biggest)
            yield Warned(
                "outliers", "orders", n, f"orders exceed {_OUTLIER:,} times the median, {_of(cents, total)}", shown
            )
    files = (
        engine.rows(f"SELECT _file, {bucket}, count(*) FROM _good_orders WHERE net_revenue > 0 GROUP BY 1, 2")
        if checked.n_files.get("orders", 0) > 1
        else []
    )
    medians = {f: middle([r for r in files if r[0] == f]) or 1.0 for f in {r[0] for r in files}}
    if len(medians) > 1:
        (small, low), *_, (large, high) = sorted(medians.items(), key=lambda m: m[1])
        if high / low >= 30:
            text = (
                f"files differ in their median order by a factor of about {high / low:,.0f} "
                f"({small} against {large}): cents and euros mixed?"
            )
            yield Warned("unit_mix", "orders", len(medians), text)


def _odd_events(engine: DuckDBEngine, checked: Checked) -> Iterator[Warned]:
    if "orders" in checked.clean:
        n, orphans = engine.rows(
            """SELECT count_if(event = 'order_completed' AND order_id IS NULL),
                count_if(event = 'order_completed' AND order_id IS NOT NULL AND in_log) FROM _events"""
        )[0]
        if n:
            text = "order_completed events name no order; left out of the log, as orders are told by the orders table"
            yield Warned("unnamed_orders", "events", n, text)
        if orphans:
            text = "order_completed events name an order that the orders table lacks; they count"
            yield Warned("orphan_orders", "events", orphans, text)
        sql = """SELECT order_id FROM _events WHERE event = 'order_refunded' AND order_id IS NOT NULL
            AND order_id NOT IN (SELECT order_id FROM orders)"""
        (n,) = engine.rows(f"SELECT count(*) FROM ({sql})")[0]
        if n:
            text = "order_refunded events name an order that the orders table lacks; they take no order back"
            yield Warned("orphan_refunds", "events", n, text, _examples(engine, sql))
        sql = """SELECT e.order_id FROM events e JOIN orders o USING (order_id, person_key)
            WHERE e.event = 'order_refunded' GROUP BY 1 HAVING sum(e.revenue) > any_value(o.net_revenue)"""
        (n,) = engine.rows(f"SELECT count(*) FROM ({sql})")[0]
        if n:
            text = "orders had more refunded than was paid; they count as taken back, and the rest is in no figure"
            yield Warned("excess_refunds", "orders", n, text, _examples(engine, sql))
    (early,) = engine.rows("SELECT count_if(ingested_at < occurred_at) FROM events")[0]
    if early:
        yield Warned("known_before", "events", early, "events reached the log before they happened (ingested_at)")


def _of(cents: Any, total: Any) -> str:
    share = f" ({cents / total:.1%} of revenue)" if total else ""
    return f"{cents / 100:,.2f}{share}"
