"""A court for admission: a world, a view, and a way to put a record before it."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.support.world import World
from tongbao_broker.exchange.admission import Admit, Circumstances, Decision, Hold, Reject, View, admit
from tongbao_broker.trust.directory import Directory, load_trust
from tongbao_schemas.record import OutRecord
from tongbao_schemas.refusals import Code


def directory_of(world: World) -> Directory:
    """The verified directory that the exchange goes by in this world, expired or not."""
    network, now = world.network, world.now
    trust = load_trust(world.trust_file, world.root, network=network, now=now, allow_expired=True)
    return trust.directory


@dataclass
class Court:
    """Judges records one after the other, each in the light of those before."""

    world: World
    view: View = field(default_factory=View)
    clock_sound: bool = True
    _directory: Directory | None = None

    @property
    def circumstances(self) -> Circumstances:
        self._directory = self._directory or directory_of(self.world)
        return Circumstances(self.world.network, self._directory, self.world.now, self.clock_sound)

    def judge(self, value: OutRecord | bytes | None, owner: str = "520000") -> Decision | Hold:
        """The outcome for a record in `owner`'s topic, taken into account from now on."""
        data = self.world.record_bytes(value) if isinstance(value, OutRecord) else value
        decision = admit(data, owner, self.circumstances, self.view)
        if not isinstance(decision, Hold):
            self.view.note(decision)
        return decision

    def admits(self, record: OutRecord, owner: str = "520000") -> Admit:
        """Puts a record before the court that must be admitted."""
        decision = self.judge(record, owner)
        assert isinstance(decision, Admit), decision
        return decision

    def code(self, value: OutRecord | bytes | None, owner: str = "520000") -> Code | None:
        """The code of the rejection; None for an admission."""
        decision = self.judge(value, owner)
        assert isinstance(decision, Admit | Reject), decision
        return decision.code if isinstance(decision, Reject) else None

    def under(self, world: World, now: datetime | None = None) -> "Court":
        """The same court with the same memory, under another directory or at another time."""
        return Court(replace(world, now=now or world.now), self.view)
