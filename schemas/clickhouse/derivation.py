"""Derive the histories of some entities from their raw events.

The rules are those of `schemas.clickhouse.lives`.

It is one SELECT in layers, each a sub-query that adds columns to the one before: `read` (the events
as steps, each with its position on the working clock), `ordered` (the neighbours of each step),
`spans` (how long a step lasted, whether it closed the entity, whether it was possible), `sums`
(time worked and time paused before each step), `bases` (the values of these sums when the deadline
and the work began), `judged` (the deadline and the closing). Everything is computed on both clocks,
working time and all time; the last layers choose the one that counts.
"""

from datetime import date

from schemas.clickhouse.columns import MOMENT
from schemas.clickhouse.lives import FAR, Allowance, Code, Life
from schemas.clickhouse.ordering import happened_sql, version_sql
from schemas.clickhouse.tables import events_table, fields
from schemas.clickhouse.working_time import days_sql, position_sql
from schemas.events.kinds import Kind
from schemas.moments import TIME, last_sql
from schemas.places.restate import before_sql, today_sql
from schemas.places.rows import heir_rows
from schemas.reference import statuses

NEVER = (1 << 62) - 1
_BEFORE, _UP_TO, _WHOLE = "1 PRECEDING", "CURRENT ROW", "UNBOUNDED FOLLOWING"


def derive(life: Life, calendar: int, source: str, epoch: int = 0) -> str:
    """Return a SELECT of the columns of `life_K`, from raw events.

    `source` must give all steps of each entity, or all that had arrived by some moment; rows that
    were written twice count once.

    Args:
        life: The kind's history.
        calendar: The number of a calendar in `working_weeks`.
        source: What follows FROM, a table with its conditions.
        epoch: Unix time at which the rules were adopted.
    """
    adds = {
        "ordered": _ordered(),
        "spans": _spans(life),
        "sums": _sums(),
        "bases": _bases(),
        "judged": _judged(life),
    }
    layers = {"read": _read(life, source)}
    for (name, added), below in zip(adds.items(), ["read", *adds], strict=False):
        layers[name] = f"SELECT *, {_listed(added)}\nFROM {below}"
    with_layers = ",\n".join(f"{name} AS (\n{query}\n)" for name, query in layers.items())
    final = {
        # One millisecond earlier: the working clock stands still after work, so a closing in the
        # evening has the position of a deadline at the end of that working day, and is late.
        "late": "standing = 'closed' AND ifNull(if(due_at IS NOT NULL, closed_first > due_at, "
        f"due <= if(around, closed_ms - 1, {position_sql('(closed_ms - 1)')})), false)",
        "at": "if(around, since_ms, position)",
        "due": "if(around, due_around, due_working)",
        "worked": "if(around, ran_around - from_around, ran_working - from_working)",
        "paused": "if(around, stood_around, stood_working)",
        "taken": f"nullIf(if(around, taken_around, taken_working), {NEVER})",
        "version": f"toUInt64({epoch}) * 4294967296 + steps",
    }
    columns = ", ".join(
        f"{final[column.name]} AS {column.name}" if column.name in final else column.name
        for column in life.columns
    )
    return f"WITH {days_sql(calendar)},\n{with_layers}\nSELECT {columns}\nFROM judged"


def rules(life: Life, calendar: int) -> str:
    """Return all that histories depend on besides the events: the SQL and the rows it looks up."""
    return f"{derive(life, calendar, of_entities(life.kind, ''))} {heir_rows()}"


def of_entities(kind: Kind, which: str) -> str:
    """Return the `source` of `derive` for some entities.

    Args:
        kind: Their kind.
        which: A subquery or a list of entity ids.
    """
    return f"{events_table(kind).name} WHERE entity_id IN ({which})"


def _read(life: Life, source: str) -> str:
    names = {column.name for column in fields(life.kind)}
    standing = {
        what: ", ".join(
            f"'{one.status}'" for one in statuses(life.kind.name) if one.standing == what
        )
        or "''"
        for what in ("paused", "closed")
    }
    given = [
        "entity_id",
        "received_at",
        "partition",
        "offset",
        "agency",
        "commune",
        life.status,
        *life.kept,
    ]
    given += [name for name in ("due_at", "finished_at") if name in names]
    ended = f"greatest(finished_at, least({last_sql('finished_at')}, since))"
    computed = {
        "unit": today_sql("toString(commune)", before_sql("since")),
        "started_at": life.started,
        # A promise that is a date holds until that day ends, on either clock: it has passed from
        # the first moment of the next day on.
        "promise": _nullable(last_sql("due_at") if "due_at" in names else "NULL"),
        "promise_lasts": "has(precision, 'due_at:day')",
        # An end that is known only to the day does not count as late on that day.
        "ended_first": _nullable("finished_at" if "finished_at" in names else "NULL"),
        "ended": _nullable(ended if "finished_at" in names else "NULL"),
        "since_first": f"if(has(precision, '{TIME}:day'), least(occurred_at, received_at), since)",
        "rank": version_sql(life.kind),
        "code": f"toString({life.status})",
        "since": happened_sql(life.kind),
        "since_ms": "toUnixTimestamp64Milli(since)",
        "position": position_sql("since_ms"),
        "standing": (
            f"multiIf(code IN ({standing['paused']}), 'paused', code IN ({standing['closed']}), "
            "'closed', 'open')"
        ),
        "around": life.around,
        "allowed": _allowed(life),
        "starts_work": _among(life, life.work_from),
        "starts_due": _among(life, life.due_from),
        "takes": _among(life, life.taken),
        "reopens": _among(life, life.reopened),
    }
    return (
        f"SELECT {_listed(computed, given)}\nFROM {source} LIMIT 1 BY entity_id, partition, offset"
    )


def _ordered() -> dict[str, str]:
    whole, up_to = _over(_WHOLE, "rank"), _over(_UP_TO, "rank")
    return {
        "step": f"row_number() OVER {up_to}",
        "steps": f"count() OVER {whole}",
        "until": f"leadInFrame(since, 1, {FAR}) OVER {whole}",
        "next_received_at": f"leadInFrame(received_at, 1, {FAR}) OVER {whole}",
        "position_next": f"leadInFrame(position) OVER {whole}",
        "code_before": f"lagInFrame(code, 1, '') OVER {whole}",
        "standing_before": f"lagInFrame(standing, 1, '') OVER {whole}",
        "agency_before": f"lagInFrame(toString(agency), 1, '') OVER {whole}",
        "promised": f"last_value(promise) IGNORE NULLS OVER {up_to}",
    }


def _spans(life: Life) -> dict[str, str]:
    pairs = ", ".join(
        f"'{one.status}>{follower}'"
        for one in statuses(life.kind.name)
        for follower in one.followers
    )
    last = f"until = {FAR}"
    return {
        "runs": "standing = 'open'",
        "stands": "standing = 'paused'",
        "lasted_around": f"if({last}, 0, toUnixTimestamp64Milli(until) - since_ms)",
        "lasted_working": f"if({last}, 0, position_next - position)",
        "turned": "standing = 'closed' AND standing_before != 'closed'",
        "possible": f"code_before = '' OR concat(code_before, '>', code) IN ({pairs})",
        "promised_before": "lagInFrame(promised) OVER (PARTITION BY entity_id ORDER BY step "
        "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
    }


def _sums() -> dict[str, str]:
    before, up_to = _over(_BEFORE), _over(_UP_TO)
    sums = {
        f"{sum_of}_{clock}": f"sum(if({when}, lasted_{clock}, 0)) OVER {before}"
        for sum_of, when in (("ran", "runs"), ("stood", "stands"))
        for clock in ("around", "working")
    }
    return {
        **sums,
        "held_since": f"max(if(agency != agency_before, since, toDateTime64(0, 3))) OVER {up_to}",
        "turned_since": f"max(if(turned, since, toDateTime64(0, 3))) OVER {up_to}",
        "turned_first": f"max(if(turned, since_first, toDateTime64(0, 3))) OVER {up_to}",
        "reopened": f"sum(reopens) OVER {up_to}",
        "impossible": f"sum(NOT possible) OVER {up_to}",
        "restated": "promised IS NOT NULL AND "
        "(promised_before IS NULL OR promised != promised_before)",
        "promised_ms": "toUnixTimestamp64Milli(assumeNotNull(promised))",
        "promised_more": f"argMax(promise_lasts, if(promise IS NULL, 0, step)) OVER {up_to}",
    }


def _bases() -> dict[str, str]:
    # Sums never decrease from step to step: among the steps that meet a condition, the last one has
    # the maximum and the first one the minimum.
    up_to = _over(_UP_TO)
    found = {
        "due_from_around": f"min(if(starts_due, since_ms, {NEVER})) OVER {up_to}",
        "due_from_working": f"min(if(starts_due, position, {NEVER})) OVER {up_to}",
    }
    for clock in ("around", "working"):
        found |= {
            f"stood_{clock}_then": f"max(if(restated, stood_{clock}, 0)) OVER {up_to}",
            f"stood_{clock}_from": f"min(if(starts_due, stood_{clock}, {NEVER})) OVER {up_to}",
            f"least_{clock}": f"min(if(starts_work, ran_{clock}, {NEVER})) OVER {up_to}",
            f"from_{clock}": f"if(least_{clock} = {NEVER}, 0, least_{clock})",
            f"taken_{clock}": f"min(if(takes, ran_{clock}, {NEVER})) OVER {up_to}",
        }
    return found


def _judged(life: Life) -> dict[str, str]:
    promised = {"around": "promised_ms", "working": position_sql("promised_ms")}
    found = {
        f"due_{clock}": f"if(promised IS NOT NULL, {promised[clock]} + promised_more + "
        f"stood_{clock} - stood_{clock}_then, "
        f"if(allowed > 0 AND due_from_{clock} < {NEVER}, due_from_{clock} + allowed + "
        f"stood_{clock} - stood_{clock}_from, NULL))"
        for clock in ("around", "working")
    }
    stood = "if(around, stood_around = stood_around_then, stood_working = stood_working_then)"
    found["due_at"] = f"if(promised IS NOT NULL AND {stood}, promised, NULL)"
    found["closed_at"] = "if(standing = 'closed', coalesce(ended, turned_since), NULL)"
    found["closed_first"] = "if(standing = 'closed', coalesce(ended_first, turned_first), NULL)"
    found["closed_ms"] = "toUnixTimestamp64Milli(assumeNotNull(closed_first))"
    return found


def _listed(computed: dict[str, str], given: list[str] | None = None) -> str:
    return ",\n    ".join(
        [*(given or ()), *(f"{expression} AS {name}" for name, expression in computed.items())]
    )


def _over(end: str, order: str = "step") -> str:
    return f"(PARTITION BY entity_id ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND {end})"


def _nullable(expression: str) -> str:
    return f"CAST({expression} AS Nullable({MOMENT}))"


def _among(life: Life, codes: tuple[Code, ...]) -> str:
    if not codes:
        return "false"
    listed = (str(int(code)) if isinstance(code, int) else repr(str(code)) for code in codes)
    return f"{life.status} IN ({', '.join(listed)})"


def _allowed(life: Life) -> str:
    """Return SQL for the milliseconds that the reference data allows; 0 if it sets no deadline."""
    periods: dict[tuple[date, date | None], list[Allowance]] = {}
    for one in life.allowances():
        periods.setdefault((one[2].valid_from, one[2].valid_to), []).append(one)
    parts = []
    for (start, end), ones in periods.items():
        keys, values = (
            ", ".join(f"'{key}'" for key, _, _ in ones),
            ", ".join(str(ms) for _, ms, _ in ones),
        )
        when = f"started_at >= toDate32('{max(start, date(1970, 1, 1))}')" + (
            f" AND started_at < toDate32('{end}')" if end else ""
        )
        parts.append(f"if({when}, transform(toString({life.decides}), [{keys}], [{values}], 0), 0)")
    return f"toInt64({' + '.join(parts) or 0})"
