"""The `tongbao` command, put together: one module for each subcommand, in the order of the help."""

from tongbao_connectors.cli import (
    account,
    answer,
    attachment,
    claim,
    demo,
    directory,
    doctor,
    down,
    enrol,
    inbox,
    init,
    quarantine,
    recover,
    rotate,
    schema,
    send,
    show,
    status,
    topology,
    trail,
    up,
    validate,
)
from tongbao_connectors.cli.frame import Root, new_group
from tongbao_connectors.cli.language import both

app = new_group(
    both(
        "通报：省际外流贩毒线索的安全通报。先试：tongbao demo",
        "Tongbao: alerts about outbound drug trafficking between provinces. Try first: tongbao demo",
    ),
    Root,
)
for command in (
    demo.demo,
    init.init,
    up.up,
    down.down,
    status.status,
    doctor.doctor,
    validate.validate,
    send.send,
    inbox.inbox,
    show.show,
    claim.claim,
    answer.answer,
    trail.trail,
    recover.recover,
):
    command.add_to(app)
app.add_typer(account.group, name="account")
app.add_typer(attachment.group, name="attachment")
app.add_typer(quarantine.group, name="quarantine")
app.add_typer(directory.group, name="directory")
app.add_typer(enrol.group, name="enrol")
app.add_typer(rotate.group, name="rotate")
app.add_typer(schema.group, name="schema")
app.add_typer(topology.group, name="topology")


def main() -> None:
    """The console script."""
    app()
