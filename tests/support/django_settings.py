"""Settings for mypy's Django plugin and `makemigrations`: every app of the project, no real database."""

from tongbao_connectors.desk import web
from tongbao_connectors.desk.configuration import DeskFile

SECRET_KEY = "only-for-type-checking-and-makemigrations"
USE_TZ = True
INSTALLED_APPS = [
    "tongbao_broker.streams",
    "tongbao_broker.exchange",
    "tongbao_connectors.store",
    "tongbao_connectors.search",
    "tongbao_connectors.duty",
    *web.APPS,
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "desk.Account"
SILENCED_SYSTEM_CHECKS = list(web.NOT_SO_HERE)
MIDDLEWARE = list(web.MIDDLEWARE)
WEB = web.settings("000000", DeskFile(hosts=("testserver", "127.0.0.1")), SECRET_KEY)
