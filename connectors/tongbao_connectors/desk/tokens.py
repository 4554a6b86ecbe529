"""Second factors: a token on the phone (TOTP), recovery codes for the day it is not at hand."""

import base64
import secrets
from typing import Any

import segno
from django.utils.safestring import mark_safe
from django_otp import devices_for_user
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from tongbao_broker.database import atomic
from tongbao_connectors.desk.models import Account

RECOVERY_CODES = 10
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
CODE_LENGTH = 10
GROUP = 4


def match(account: Account, code: str) -> Device | None:
    """The device that this code fits; a recovery code is used up by that."""
    with atomic():
        return next(
            (each for each in devices_for_user(account, confirmed=True) if each.verify_token(code)), None
        )


def unconfirmed(account: Account) -> TOTPDevice:
    """The token that is being set up; its key stays the same until it is confirmed."""
    device = TOTPDevice.objects.filter(user=account, confirmed=False).first()
    if device is None:
        device = TOTPDevice.objects.create(user=account, name="token", confirmed=False)
    return device


def confirm(device: TOTPDevice, code: str) -> bool:
    """Takes a token into use when it gives the right code; others of its owner end."""
    with atomic():
        if not device.verify_token(code):
            return False
        device.confirmed = True
        device.save()
        TOTPDevice.objects.filter(user=device.user).exclude(pk=device.pk).delete()
    return True


def new_recovery_codes(account: Account) -> list[str]:
    """Ten fresh recovery codes in place of all former ones."""
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(RECOVERY_CODES)]
    with atomic():
        StaticDevice.objects.filter(user=account).delete()
        device = StaticDevice.objects.create(user=account, name="recovery")
        StaticToken.objects.bulk_create([StaticToken(device=device, token=code) for code in codes])
    return codes


def recovery_codes_left(account: Account) -> int:
    """How many recovery codes haven't been used."""
    left: int = StaticToken.objects.filter(device__user=account).count()
    return left


def forget(account: Account) -> None:
    """Takes every second factor away: its owner sets up a new one at his next login."""
    for device in devices_for_user(account, confirmed=None):
        device.delete()


def shown(device: TOTPDevice) -> dict[str, Any]:
    """What a page shows of a token that is being set up: a picture to scan, and the key to type."""
    picture = segno.make(device.config_url, error="m")
    svg = picture.svg_inline(omitsize=True, border=1, dark="#000000", light=None)
    key = _base32(device)
    groups = [key[start : start + GROUP] for start in range(0, len(key), GROUP)]
    return {"qr": mark_safe(svg), "key": " ".join(groups)}  # noqa: S308 - made by the QR library


def _base32(device: TOTPDevice) -> str:
    return base64.b32encode(device.bin_key).decode("ascii").rstrip("=")
