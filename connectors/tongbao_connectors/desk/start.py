"""The address without a path: the first page that the person may see."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from tongbao_connectors.desk import access
from tongbao_connectors.desk.context import navigation


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Goes to the first place of the navigation, or to the own account where there is none."""
    first = next(navigation(request, access.who_asks(request)), None)
    return redirect(first.href if first else "account")
