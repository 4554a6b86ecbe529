"""Which status an alert may have on a network: an exercise must never pass for an actual alert, nor the other
way round.
"""

from tongbao_schemas.codes import Status

DEMO = "demo"
EXERCISES = "exercise"
TESTS = "test"


def statuses(network: str) -> tuple[Status, ...]:
    """What may be chosen on the network of this name."""
    if network == DEMO:
        return (Status.EXERCISE, Status.TEST)
    if network.startswith(EXERCISES):
        return (Status.EXERCISE,)
    if network.startswith(TESTS):
        return (Status.TEST,)
    return (Status.ACTUAL, Status.EXERCISE, Status.TEST)
