"""Settings for mypy's Django plugin and `makemigrations`: every app of the project, no real database."""

SECRET_KEY = "only-for-type-checking-and-makemigrations"
USE_TZ = True
INSTALLED_APPS = [
    "tongbao_broker.streams",
    "tongbao_broker.exchange",
    "tongbao_connectors.store",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
