"""通知: the channels, how they do, what was sent lately, and a button that tries one."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from tongbao_broker.database import atomic
from tongbao_broker.errors import BadConfiguration, Conflict, NotFound, Words
from tongbao_connectors.authorisation import Role, Verb
from tongbao_connectors.desk import access
from tongbao_connectors.desk.here import desk
from tongbao_connectors.duty import board, plan
from tongbao_connectors.duty.channels import Channels, Webhook
from tongbao_connectors.duty.models import Notification
from tongbao_connectors.duty.notice import Why
from tongbao_connectors.duty.plan import Plan, Steps
from tongbao_connectors.duty.timetable import length_of
from tongbao_schemas.codes import Status, Urgency
from tongbao_schemas.identifiers import new_id


@require_GET
@access.needs(Verb.SEE_CHANNELS)
def notifications(request: HttpRequest) -> HttpResponse:
    """Channels and words; an officer sees his own words, who looks after channels all of them."""
    who, now = access.who_asks(request), desk().now()
    own, mistake = _channels()
    standing, plan_mistake = _plan()
    everything = who.role in (Role.ADMIN, Role.SUPERVISOR, Role.LEADER)
    facts = {
        "channels": board.channels(own, now),
        "mistakes": [one for one in (mistake, plan_mistake) if one],
        "words": board.lately(own, "" if everything else who.officer_ref),
        "everything": everything,
        "watch": board.watch(now),
        "now": now,
        "told": board.badge(who.officer_ref),
        "may_test": bool(access.may(request, Verb.MANAGE_CHANNELS)),
        "steps": [(urgency, _in_words(standing.steps(urgency))) for urgency in Urgency],
        "window": int(own.window.total_seconds() // 60),
    }
    return render(request, "duty/notifications.html", facts)


@require_POST
@access.needs(Verb.MANAGE_CHANNELS)
def channel_test(request: HttpRequest, name: str) -> HttpResponse:
    """Sends a word without a case over a channel, to whoever asks; the watch carries it."""
    own, who, now = Channels.load(desk().settings.folder), access.who_asks(request), desk().now()
    if name not in own.all:
        raise NotFound(name)
    waiting = Notification.objects.filter(
        channel=name, why=Why.TEST, state__in=(Notification.State.WAITING, Notification.State.SENDING)
    )
    with atomic():
        if waiting.exists():
            raise Conflict(Words("该渠道已有测试待发", "a test of this channel is under way"))
        Notification.objects.create(
            batch=new_id(now),
            why=Why.TEST,
            channel=name,
            recipient="" if isinstance(own.all[name], Webhook) else who.officer_ref,
            status=Status.TEST,
            urgency="",
            number="",
            path="/notifications/",
            queued_at=now,
            due_at=now,
        )
    return redirect("notifications")


def _channels() -> tuple[Channels, Words | None]:
    """The channels; where their file has a mistake none, and the mistake."""
    folder = desk().settings.folder
    try:
        return Channels.load(folder), None
    except BadConfiguration as error:
        return Channels.none(folder), Words(error.detail_in("zh"), error.detail_in("en"))


def _plan() -> tuple[Plan, Words | None]:
    """Who is asked when; where the file has a mistake the defaults, and the mistake."""
    try:
        return plan.load(desk().settings.folder), None
    except BadConfiguration as error:
        return Plan(), Words(error.detail_in("zh"), error.detail_in("en"))


def _in_words(steps: Steps) -> dict[str, Words | int | None]:
    """How long after arrival each is asked."""
    repeated = steps.repeat if steps.repeats else None
    minutes = {
        "group": steps.group,
        "leader": steps.leader,
        "desk": steps.desk,
        "repeat": repeated,
        "comes_back": steps.comes_back,
    }
    return {"repeats": steps.repeats} | {
        name: length_of(timedelta(minutes=given)) if given else None for name, given in minutes.items()
    }
