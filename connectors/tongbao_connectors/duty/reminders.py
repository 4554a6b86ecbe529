"""Reminders that an officer sets for himself: in an hour, in four, tomorrow at 08:30."""

from datetime import datetime, time, timedelta

from tongbao_connectors.duty_time import BEIJING
from tongbao_schemas.codes import Labelled

MORNING = time(8, 30)


class Choice(Labelled):
    """When to be reminded."""

    HOUR = "1h", "1 小时后", "In 1 hour"
    FOUR_HOURS = "4h", "4 小时后", "In 4 hours"
    TOMORROW = "tomorrow", "明日 08:30", "Tomorrow 08:30"


def due(choice: Choice, at: datetime) -> datetime:
    """When a reminder chosen at `at` is due; tomorrow is Beijing's."""
    match choice:
        case Choice.HOUR:
            return at + timedelta(hours=1)
        case Choice.FOUR_HOURS:
            return at + timedelta(hours=4)
        case Choice.TOMORROW:
            tomorrow = at.astimezone(BEIJING).date() + timedelta(days=1)
            return datetime.combine(tomorrow, MORNING, BEIJING)
