"""What was delivered about alerts of all instances, in PostgreSQL: a row for each alert."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Column, Connection, DateTime, MetaData, Table, Text, extract, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from proxy import clock
from proxy.diagnostics.alerts.fleet import AlertKey, ToldAlert

TOLD: Final = MetaData()

told_alerts = Table(
    "told_alerts",
    TOLD,
    Column("rule", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("what", Text, nullable=False),
    Column("alert", Text, nullable=False),
    Column("told", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


def save_told(connection: Connection, new: Mapping[AlertKey, ToldAlert]) -> None:
    """Put each in the place of what was told before."""
    rows = [
        {"rule": rule, "subject": subject, "what": told.what, "alert": told.alert_id}
        for (rule, subject), told in sorted(new.items(), key=lambda item: item[0])
    ]
    made = upsert(told_alerts)
    values = {"what": made.excluded.what, "alert": made.excluded.alert, "told": func.now()}
    keys = [told_alerts.c.rule, told_alerts.c.subject]
    connection.execute(made.on_conflict_do_update(index_elements=keys, set_=values), rows)


def read_told(connection: Connection) -> dict[AlertKey, ToldAlert]:
    """All of it; by the server's clock it is known how long ago each was."""
    column = told_alerts.c
    age = extract("epoch", func.now() - column.told)
    asked = select(column.rule, column.subject, column.what, column.alert, age)
    now = clock.now()
    return {
        (rule, subject): ToldAlert(what, alert, now - float(seconds))
        for rule, subject, what, alert, seconds in connection.execute(asked)
    }
