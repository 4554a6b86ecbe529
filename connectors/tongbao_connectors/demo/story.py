"""What happens in the demo: samples are sent, and officers sign for them and answer them.

1. Every stage shown is what the origin's own database says: notices, receipts and answers that really came
   back.
2. Officers act through `casework.claim` and `casework.answer`, each as the officer whom routing made
   accountable.
3. An officer signs once the origin knows that the alert was routed, and answers once it knows that it was
   signed for.
4. A sample that is left for the person at the terminal ends at `routed`; a test message ends at
   `delivered`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Event

from tongbao_broker import database
from tongbao_broker.clock import Clock
from tongbao_broker.errors import Conflict
from tongbao_connectors import casework, drafts, ledger, trail
from tongbao_connectors.demo.journey import ALL_STAGES, ROUTED_STAGES, TEST_STAGES, Journey
from tongbao_connectors.demo.samples import Sample
from tongbao_connectors.settings import ConnectorSettings
from tongbao_schemas.bodies.codes import AnswerKind, Outcome
from tongbao_schemas.codes import Category

LOOK_EVERY_S = 0.05
OUTCOMES = {
    Category.OUTBOUND_TRAFFICKING: Outcome.CONTROLLED,
    Category.MANUFACTURING: Outcome.CONFIRMED,
    Category.INTERDICTION: Outcome.SEIZED,
    Category.ONLINE: Outcome.CONFIRMED,
    Category.STREET_DEALING: Outcome.LOCATED,
    Category.PRECURSOR: Outcome.CONFIRMED,
}


class Story:
    """Sends the samples and plays the officers. All databases must be open under their province's code."""

    def __init__(
        self,
        provinces: Mapping[str, ConnectorSettings],
        clock: Clock,
        *,
        pause_s: float = 0.0,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.journeys: list[Journey] = []
        self._provinces = provinces
        self._clock = clock
        self._pause_s = pause_s
        self._changed = changed
        self._acted: set[tuple[str, str, str]] = set()

    def send(self, samples: Sequence[Sample], run: str, left_alone: Sequence[int] = ()) -> None:
        """Hands the samples to their provinces' connectors; those of `left_alone` no officer will touch."""
        for sample in samples:
            goal: tuple[str, ...] = ALL_STAGES
            if sample.is_test:
                goal = TEST_STAGES
            elif sample.number in left_alone:
                goal = ROUTED_STAGES
            now = self._clock.now()
            with database.use(sample.origin):
                draft = drafts.submit(
                    sample.fresh(run, now),
                    origin=sample.origin,
                    by="tongbao demo",
                    now=now,
                    files=sample.files(),
                )
            self.journeys.append(Journey(sample, draft.message_id, goal, time.monotonic()))
            self._changed()

    def play(self, stop: Event, within_s: float) -> bool:
        """Looks and acts until every journey is over; False if the time or the person ended it before."""
        until = time.monotonic() + within_s
        while not all(journey.is_over for journey in self.journeys):
            if stop.is_set() or time.monotonic() > until:
                return False
            for journey in self.journeys:
                if not journey.is_over:
                    self._look(journey)
                    self._act(journey)
            stop.wait(LOOK_EVERY_S)
        return True

    def _look(self, journey: Journey) -> None:
        with database.use(journey.sample.origin):
            draft = drafts.find(journey.message_id)
            stages = trail.stages(journey.message_id, code=journey.sample.origin) if draft.number else {}
        if draft.state in ("refused", "rejected"):
            journey.refusal = draft.code
        if (draft.number, stages) == (journey.number, journey.stages) and journey.refusal is None:
            return
        journey.number, journey.stages = draft.number, stages
        for code, reached in stages.items():
            for stage in reached:
                journey.after_s.setdefault((code, stage), time.monotonic() - journey.sent)
        self._changed()

    def _act(self, journey: Journey) -> None:
        for code in journey.stages:
            if self._is_due(journey, code, "routed", "claimed"):
                self._claim(journey, code)
            if self._is_due(journey, code, "claimed", "result"):
                self._answer(journey, code)

    def _is_due(self, journey: Journey, code: str, seen: str, stage: str) -> bool:
        """True once, when the origin has seen one stage and the next one is an officer's to bring."""
        key = (journey.message_id, code, stage)
        after_s = journey.after_s.get((code, seen))
        if stage not in journey.goal or after_s is None or key in self._acted:
            return False
        if time.monotonic() - journey.sent - after_s < self._pause_s:
            return False
        self._acted.add(key)
        return True

    def _claim(self, journey: Journey, code: str) -> None:
        with database.use(code), suppress(Conflict):  # the person at the terminal was faster: so be it
            item = casework.show(journey.message_id)
            casework.claim(
                journey.message_id,
                officer_ref=item.officer_ref,
                roster=self._provinces[code].roster(),
                at=self._clock.now(),
            )

    def _answer(self, journey: Journey, code: str) -> None:
        category = Category(journey.sample.content["category"])
        outcome = OUTCOMES[category]
        with database.use(code):
            item = casework.show(journey.message_id)
            casework.answer(
                journey.message_id,
                officer_ref=item.claimed_by or item.officer_ref,
                roster=self._provinces[code].roster(),
                kind=AnswerKind.RESULT,
                text=f"演练反馈：{category.zh}线索已核查，{outcome.zh}。",
                outcome=outcome,
                origin=code,
                at=self._clock.now(),
            )

    def watch(self, stop: Event, every_s: float) -> None:
        """Goes on looking, without acting, at those that nobody has answered yet."""
        while not stop.wait(every_s):
            for journey in self.journeys:
                if any(ALL_STAGES[-1] not in journey.stages.get(code, ()) for code in journey.audience):
                    self._look(journey)

    def accountable(self, journey: Journey, code: str) -> str:
        """The officer whom routing made accountable at this addressee."""
        with database.use(code):
            return casework.show(journey.message_id).officer_ref

    def trail(self) -> dict[str, int | str]:
        """The largest checkpoint of the exchange's log that any province has verified."""
        seen = []
        for code in self._provinces:
            with database.use(code):
                seen.append(ledger.seen())
        size, root = max(seen)
        return {"size": size, "root": root}
