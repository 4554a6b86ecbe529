"""The Django app of duty."""

from django.apps import AppConfig


class DutyConfig(AppConfig):
    """Label `duty`."""

    name = "tongbao_connectors.duty"
    label = "duty"
