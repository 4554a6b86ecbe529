"""Drafts: how a case system, a desk or the command line hands over what is to be sent.

1. A submission is checked completely before anything is stored; what is wrong raises `Refused` with its code.
2. `client_ref` is the submitter's own unique reference. The same reference with the same content gives the
   same message id again, however often it is sent; with other content it is `CLIENT_REF_CONFLICT`.
3. A draft that the connector had to refuse keeps its text. Submitting the same again makes it a draft again.
4. Files come with their message. An alert lists each of them; their bytes lie beside the draft until the
   message is sealed and they are cut into attachments (`attaching`).
5. Only the connector's process numbers, seals and signs. Everybody else writes drafts, with or without the
   broker, and wakes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError

from tongbao_broker.database import atomic
from tongbao_broker.errors import NoRight, NotFound, Words
from tongbao_broker.insertion import insert
from tongbao_broker.statements import select
from tongbao_connectors.files import File
from tongbao_connectors.store.models import Draft as DraftRow
from tongbao_connectors.store.models import HeldFile, InboxItem, Message, Outbox
from tongbao_connectors.waking import wake_connector
from tongbao_schemas.codes import MessageType
from tongbao_schemas.errors import Refused
from tongbao_schemas.identifiers import new_id
from tongbao_schemas.refusals import Code
from tongbao_schemas.submission import Submission, check_submission, parse_submission

SENDERS_OWN = frozenset({MessageType.UPDATE, MessageType.CANCEL, MessageType.CLOSURE, MessageType.ATTACHMENT})
"""What only the sender of what it refers to may send."""
ONLY_WHO_SIGNED = (
    Words(
        "只有签收人或承办人可以办理", "only the officer who signed for the alert, or has it assigned, acts"
    ),
    Words("先签收。", "Sign for it first."),
)
"""Why somebody may not answer, and what to do."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Where a submission stands. `state` is drafted, sealed, published, settled, refused or rejected."""

    message_id: str
    thread: str
    client_ref: str
    type: str
    status: str
    state: str
    code: str | None
    number: str | None
    created: bool


def submit(data: bytes, *, origin: str, by: str, now: datetime, files: Sequence[File] = ()) -> Draft:
    """Takes a submission (`submission/1.0`, UTF-8 JSON) as a draft of the province `origin`.

    `by` is an officer's reference or a system's name. Raises Refused, and NoRight where somebody answers an
    alert that he didn't sign for.
    """
    submission = parse_submission(data)
    check_submission(submission, now=now, origin=origin)
    _check_files(submission, files)
    try:
        return _take(submission, data, by, now, files)
    except IntegrityError:  # the same client_ref was stored by another process in between
        return _take(submission, data, by, now, files)


def _check_files(submission: Submission, files: Sequence[File]) -> None:
    """An alert lists what comes with it; parts bear no files."""
    if submission.type == MessageType.ATTACHMENT and files:
        raise Refused(Code.SUBMISSION_SHAPE, "type")
    if submission.type != MessageType.ALERT:
        return
    notes = submission.body.get("attachments", [])
    listed = {(note["name"], note["digest"], note["size"]) for note in notes}
    if not {(file.name, file.digest, file.size) for file in files} <= listed:
        raise Refused(Code.SUBMISSION_SHAPE, "body.attachments")


def _take(submission: Submission, data: bytes, by: str, now: datetime, files: Sequence[File]) -> Draft:
    with atomic():
        wake_connector()
        if select("1", DraftRow, '"client_ref" = %s', (submission.client_ref,)):
            return _again(DraftRow.objects.get(client_ref=submission.client_ref), submission)
        thread = _thread_of(submission, by)
        draft = _store(submission, data, thread, by, now)
        HeldFile.objects.bulk_create(
            HeldFile(
                message_id=draft.message_id,
                number=number,
                name=file.name,
                digest=file.digest,
                size=file.size,
                content=file.content,
            )
            for number, file in enumerate(files, start=1)
        )
        return draft


def find(reference: str) -> Draft:
    """The draft by message id, readable number or client_ref; raises NotFound."""
    row = DraftRow.objects.filter(message_id=reference).first() or _by_other_name(reference)
    if row is None:
        raise NotFound(reference)
    return _view(row)


def _by_other_name(reference: str) -> DraftRow | None:
    own = Message.objects.filter(number=reference, outbox__isnull=False).order_by("pk").first()
    found = DraftRow.objects.filter(message_id=own.message_id).first() if own and reference else None
    return found or DraftRow.objects.filter(client_ref=reference).first()


def _again(earlier: DraftRow, submission: Submission) -> Draft:
    if earlier.content_digest != submission.digest:
        raise Refused(Code.CLIENT_REF_CONFLICT, "client_ref")
    if earlier.state == DraftRow.State.REFUSED:
        earlier.state, earlier.code, earlier.where = DraftRow.State.DRAFTED, "", ""
        earlier.save(update_fields=["state", "code", "where"])
    return _view(earlier)


def _store(submission: Submission, data: bytes, thread: str | None, by: str, now: datetime) -> Draft:
    message_id = new_id(now)
    facts = {
        "client_ref": submission.client_ref,
        "message_id": message_id,
        "thread": thread or message_id,
        "type": submission.type,
        "status": submission.status,
        "state": DraftRow.State.DRAFTED.value,
    }
    row = {"content_digest": submission.digest, "submitted_by": by, "submitted_at": now, "text": data}
    insert(DraftRow, [facts | row])
    return Draft(**facts, code=None, number=None, created=True)


def _thread_of(submission: Submission, by: str) -> str | None:
    """The thread that the references lead to, None for a new one; checks them against what is known here."""
    threads = {_target(ref.id, ref.digest, submission, by).thread for ref in submission.refs}
    if len(threads) > 1:
        raise Refused(Code.REF_THREAD, "refs")
    return next(iter(threads), None)


def _target(target: str, digest: str, submission: Submission, by: str) -> Message:
    known = list(Message.objects.filter(message_id=target).select_related("inbox_item"))
    if not known:
        raise Refused(Code.REF_UNKNOWN, "refs")
    message = next((message for message in known if message.digest == digest), None)
    if message is None:
        raise Refused(Code.REF_DIGEST, "refs")
    if message.status != submission.status:
        raise Refused(Code.REF_STATUS, "refs")
    if submission.type == MessageType.ANSWER:
        _check_claimer(message, by)
    if submission.type in SENDERS_OWN and not Outbox.objects.filter(message=message).exists():
        raise Refused(Code.NOT_THE_ORIGIN, "refs")
    return message


def _check_claimer(alert: Message, by: str) -> None:
    if alert.type != MessageType.ALERT:
        raise Refused(Code.NOT_AN_ADDRESSEE, "refs")
    item: InboxItem | None = getattr(alert, "inbox_item", None)
    if item is None or item.holder != by:
        raise NoRight(*ONLY_WHO_SIGNED)


def _view(row: DraftRow) -> Draft:
    outbox = _outbox(row)
    return Draft(
        message_id=row.message_id,
        thread=row.thread,
        client_ref=row.client_ref,
        type=row.type,
        status=row.status,
        state=outbox.state if outbox else row.state,
        code=(outbox.code if outbox else row.code) or None,
        number=(outbox.message.number if outbox else "") or None,
        created=False,
    )


def _outbox(row: DraftRow) -> Outbox | None:
    if row.state != DraftRow.State.SEALED:
        return None
    return Outbox.objects.select_related("message").filter(message__message_id=row.message_id).first()
