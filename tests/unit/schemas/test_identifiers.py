"""Message ids."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tongbao_schemas.fields import MessageId
from tongbao_schemas.identifiers import id_time, new_id

TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(max_examples=100)
@given(TIMES)
def test_an_id_is_a_uuid_of_version_7_with_its_time(at: datetime) -> None:
    """The id has the wire's form and holds exactly the millisecond it was made at."""
    made = new_id(at)

    assert TypeAdapter(MessageId).validate_python(made) == made
    assert UUID(made).version == 7
    assert id_time(made) == at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_every_millisecond_of_a_second_is_kept() -> None:
    """No millisecond falls prey to binary fractions."""
    second = datetime(2026, 11, 23, 18, 34, 28, tzinfo=UTC)
    moments = [second + timedelta(milliseconds=count) for count in range(1000)]

    assert moments == [id_time(new_id(moment)) for moment in moments]


def test_a_time_past_all_calendars_is_no_time() -> None:
    """The form of an id allows times up to the year 10889; those past 9999 have no datetime."""
    with pytest.raises(OverflowError):
        id_time("ffffffff-ffff-7000-8000-000000000000")


def test_ids_of_one_moment_differ_and_later_ids_sort_behind() -> None:
    """74 random bits keep ids apart; the time in front keeps them in order."""
    first, second = (datetime(2026, 11, 23, 18, 0, 0, ms * 1000, UTC) for ms in (1, 2))
    ids = {new_id(first) for _ in range(1000)}

    assert len(ids) == 1000
    assert max(ids) < new_id(second)
