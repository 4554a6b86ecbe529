"""Pages that say what went wrong: what happened, what is safe, what to do, the code last.

They lead on as every page does, wherever a request failed; of a case they say nothing.
"""

import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tongbao_broker import logs
from tongbao_broker.errors import Conflict, Held, NoRight, NotFound, OperationError, Refused, Words
from tongbao_connectors.desk import access
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.language import current, pick
from tongbao_connectors.desk.models import Account
from tongbao_schemas.errors import TongbaoError

STATUS = ((NotFound, 404), (NoRight, 403), (Conflict, 409), (Held, 503), (Refused, 422))

log = logs.get(__name__)


def of_error(request: HttpRequest, error: TongbaoError) -> HttpResponse:
    """The page of one of our own errors, in its own words."""
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    if not isinstance(error, OperationError | Refused):
        return server_error(request)
    lang = current()
    detail = error.detail_in(lang) if isinstance(error, OperationError) else ""
    facts = {"title": error.sentence(lang), "detail": detail, "next_step": error.next_step(lang)}
    return _page(request, status, **facts, code=str(error.code))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """No page of that address."""
    return _page(
        request,
        404,
        title=pick(Words("没有这个页面", "There is no such page")),
        next_step=pick(
            Words("检查地址，或从上方的导航进入。", "Check the address, or use the navigation above.")
        ),
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A request that no form of ours makes."""
    return _page(
        request,
        400,
        title=pick(Words("请求无法识别", "The request can't be understood")),
        next_step=pick(Words("返回上一页，刷新后重试。", "Go back, reload the page and try again.")),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form is from an earlier login, or from elsewhere."""
    return _page(
        request,
        403,
        title=pick(Words("表单已失效，没有提交", "The form was out of date; nothing was sent")),
        next_step=pick(Words("返回上一页，刷新后重新提交。", "Go back, reload the page and send it again.")),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Something failed that nobody foresaw; the log has the place, the page the mark to find it by."""
    mark = f"e-{secrets.token_hex(2)}"
    log.error("a page failed", detail=mark)
    return _page(
        request,
        500,
        title=pick(Words("页面出错，没有记录任何更改", "The page failed; no change was recorded")),
        next_step=pick(
            Words("稍后重试；仍不行时把错误号告诉管理员。", "Try again later; else tell an administrator.")
        ),
        code=mark,
    )


def _page(request: HttpRequest, status: int, **facts: str) -> HttpResponse:
    try:
        _recognise(request)
        return render(request, "desk/trouble.html", facts, status=status)
    except Exception:  # whatever failed may be what a page needs: then its words by themselves
        log.exception("a page about trouble failed")
        lines = filter(None, (facts["title"], facts.get("next_step"), facts.get("code")))
        return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8", status=status)


def _recognise(request: HttpRequest) -> None:
    """Who asks, also where no view was reached that would have found out."""
    from tongbao_connectors.desk.middleware import why_over

    account = getattr(request, "user", None)
    if not isinstance(account, Account) or hasattr(request, "who"):
        return
    if why_over(request, desk().now()) is None:
        request.who = access.who_is(account, desk().now())  # type: ignore[attr-defined]
