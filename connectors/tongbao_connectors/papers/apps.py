"""The Django app of drafts in review."""

from django.apps import AppConfig


class Papers(AppConfig):
    """Label `papers`."""

    name = "tongbao_connectors.papers"
    label = "papers"
    default_auto_field = "django.db.models.BigAutoField"
