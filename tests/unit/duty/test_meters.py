"""What a watch counts and tells: who has to sign, what is late, which words got through."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.metering import exposed, value
from tests.unit.duty.test_delivering import MAIL
from tests.unit.duty.test_watch import RECIPIENTS, Watched, watched
from tongbao_broker import database
from tongbao_connectors.duty import meters, watching
from tongbao_connectors.duty.delivering import Reason


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watched]:
    """One 特急 exercise in 待签收, and e-mail that takes exercises."""
    made = watched(tmp_path, MAIL.format(port=465, more="exercise = true") + RECIPIENTS)
    with made.gd.here():
        yield made
    database.close()


def told(watch: Watched) -> str:
    return exposed(meters.look(watch.net.clock))


def test_what_waits_is_counted_by_urgency(watch: Watched) -> None:
    """Nobody has signed; when its time is over, it is late, as the exercise it is."""
    waiting = told(watch)
    watch.net.clock.forward(hours=3)
    late = told(watch)
    watch.claim()
    signed = told(watch)

    assert value(waiting, "tongbao_watch_to_sign", urgency="flash") == 1
    assert value(waiting, "tongbao_watch_to_sign_late", urgency="flash", status="exercise") == 0
    assert value(late, "tongbao_watch_to_sign_late", urgency="flash", status="exercise") == 1
    assert value(late, "tongbao_watch_to_sign_late", urgency="flash", status="actual") == 0
    assert value(late, "tongbao_watch_to_sign_oldest_seconds") == 0, "an exercise alarms nobody"
    assert value(signed, "tongbao_watch_to_sign", urgency="flash") == 0
    assert value(signed, "tongbao_watch_to_sign_late", urgency="flash", status="exercise") == 0


def test_steps_and_words_are_counted(watch: Watched) -> None:
    """Each step taken, each word sent or not, whether the channel works."""
    before = told(watch)
    watch.after(minutes=0)
    watch.road.fail = Reason.TIMEOUT
    watch.after(minutes=5)
    after = told(watch)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("tongbao_watch_escalations_total", step="on_duty", urgency="flash") == 1
    assert grown("tongbao_watch_escalations_total", step="group", urgency="flash") == 1
    assert grown("tongbao_watch_notifications_total", channel="mail", result="sent") >= 1
    assert grown("tongbao_watch_notifications_total", channel="mail", result="timeout") >= 1
    assert value(after, "tongbao_watch_channel_works", channel="mail") == 0
    assert value(after, "tongbao_watch_words_waiting", channel="mail") >= 1


def test_steps_that_nobody_takes_show(watch: Watched) -> None:
    """A watch that is behind leaves due steps behind: how many, since when, and that it is behind."""
    watch.after(minutes=0)
    watch.net.clock.forward(minutes=20)
    now = watch.net.clock.now()
    watching.note_turn(watch.judge.epoch, False, now)
    text = told(watch)

    assert value(text, "tongbao_watch_escalations_due") >= 2
    assert value(text, "tongbao_watch_escalations_oldest_seconds") >= 600
    assert value(text, "tongbao_watch_caught_up") == 0
    assert meters.held() == "behind"
