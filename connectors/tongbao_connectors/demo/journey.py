"""How far a sample has come, per addressee; what the demo shows and reports."""

from dataclasses import dataclass, field

from tongbao_connectors.demo.samples import Sample

TEST_STAGES = ("admitted", "delivered")
ROUTED_STAGES = (*TEST_STAGES, "routed")
ALL_STAGES = (*ROUTED_STAGES, "claimed", "result")


@dataclass
class Journey:
    """One sample on its way; `stages` is by addressee, `after_s` the seconds until each was seen."""

    sample: Sample
    message_id: str
    goal: tuple[str, ...]
    sent: float
    number: str | None = None
    refusal: str | None = None
    stages: dict[str, list[str]] = field(default_factory=dict)
    after_s: dict[tuple[str, str], float] = field(default_factory=dict)

    @property
    def audience(self) -> list[str]:
        return list(self.sample.content["audience"])

    @property
    def is_over(self) -> bool:
        """Every addressee has reached this sample's last stage, or the sample was refused."""
        return self.refusal is not None or not self.missing

    @property
    def missing(self) -> dict[str, list[str]]:
        """By addressee the stages that haven't come."""
        lacking = {
            code: [stage for stage in self.goal if stage not in self.stages.get(code, [])]
            for code in self.audience
        }
        return {code: stages for code, stages in lacking.items() if stages}
