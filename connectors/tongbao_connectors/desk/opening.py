"""Opens a province's desk in this process: Django with its pages, the database, a demo's first accounts."""

from typing import TYPE_CHECKING

from tongbao_broker import database
from tongbao_broker.clock import SystemClock
from tongbao_connectors.desk import web
from tongbao_connectors.desk.configuration import DeskFile
from tongbao_connectors.settings import APPS, ConnectorSettings

if TYPE_CHECKING:
    from tongbao_connectors.desk.here import Desk

DATABASE = "default"  # the name that Django's own parts look for


def open_desk(settings: ConnectorSettings, file: DeskFile) -> "Desk":
    """The desk, with its tables up to date and what is left of ended logins gone.

    To be called once in a process, before anything else opens a database.
    """
    apps = (*APPS, *web.APPS)
    database.install(apps, web.settings(settings.code, file, web.secret(settings.folder)))
    settings.open_database(migrate=True, apps=apps, name=DATABASE)
    from django.contrib.sessions.models import Session

    from tongbao_connectors.desk import first_accounts, here

    desk = here.Desk(settings, file, SystemClock())
    here.serve(DATABASE, desk)
    first_accounts.make(settings)
    Session.objects.filter(expire_date__lt=desk.now()).delete()
    return desk
