"""Django's settings for a desk.

1. Nothing is loaded from elsewhere: no script, style, font or picture that the desk does not serve itself,
   no inline script, no style attribute.
2. Sessions lie in the province's database and are short; their cookie carries the province's code, since a
   browser doesn't tell two ports of one machine apart.
3. Passwords are hashed with Argon2; five wrong ones lock the name out for a quarter of an hour.
4. Pages are never stored by a browser or proxy.
"""

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from tongbao_connectors.desk.configuration import DeskFile
from tongbao_connectors.desk.language import CHINESE, ENGLISH

LOGIN_TRIES = 5
LOCKED_FOR = timedelta(minutes=15)
SECRET_BYTES = 48
FORM_BYTES = 1024 * 1024

APPS = (
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django_otp_webauthn",
    "tongbao_connectors.desk",
    "tongbao_connectors.papers",
)

MIDDLEWARE = (
    "tongbao_connectors.desk.meters.timed",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "tongbao_connectors.desk.middleware.not_stored",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tongbao_connectors.desk.middleware.Gate",
)

NOT_SO_HERE = (
    "axes.W002",  # a locked name is told so by the login page itself
    "axes.W003",
    "otp_webauthn.E010",  # `keys.Helper` takes name and address from the request
    "otp_webauthn.E011",
    "otp_webauthn.E030",
)

POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}


def settings(code: str, file: DeskFile, secret: str) -> dict[str, Any]:
    """What Django is configured with, besides databases and apps."""
    return {
        "SECRET_KEY": secret,
        "ALLOWED_HOSTS": list(file.hosts),
        "AUTH_USER_MODEL": "desk.Account",
        "AUTHENTICATION_BACKENDS": [
            "axes.backends.AxesStandaloneBackend",
            "tongbao_connectors.desk.backends.PasswordBackend",
        ],
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
            for name, options in (
                ("MinimumLengthValidator", {"min_length": 12}),
                ("CommonPasswordValidator", {}),
                ("NumericPasswordValidator", {}),
            )
        ],
        "MIDDLEWARE": list(MIDDLEWARE),
        "ROOT_URLCONF": "tongbao_connectors.desk.urls",
        "TEMPLATES": [_templates()],
        "STATIC_URL": "/static/",
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_AUTOREFRESH": False,
        "WHITENOISE_MAX_AGE": 60,
        "LOGIN_URL": "login",
        "LANGUAGE_CODE": CHINESE,
        "LANGUAGES": [(CHINESE, "中文"), (ENGLISH, "English")],
        "USE_I18N": True,
        "USE_TZ": True,
        "TIME_ZONE": "Asia/Shanghai",
        "CONTENT_SECURITY_POLICY": POLICY,
        "CSRF_FAILURE_VIEW": "tongbao_connectors.desk.pages.csrf_failure",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": FORM_BYTES,
        "DATA_UPLOAD_MAX_NUMBER_FIELDS": 2000,
        **_cookies(code, file),
        **_lockout(),
        "OTP_TOTP_ISSUER": f"Tongbao {code}",
        "OTP_TOTP_THROTTLE_FACTOR": 0,
        "OTP_STATIC_THROTTLE_FACTOR": 0,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "SECURE_HSTS_SECONDS": 31_536_000 if file.https else 0,
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https") if file.https else None,
        "SILENCED_SYSTEM_CHECKS": list(NOT_SO_HERE),
    }


def secret(folder: Path) -> str:
    """The key that signs this desk's cookies and forms; made when it isn't there, for its owner only."""
    path = folder / "keys" / "desk.key"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(SECRET_BYTES), encoding="ascii")
    return path.read_text(encoding="ascii")


def _templates() -> dict[str, Any]:
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "tongbao_connectors.desk.context.page",
            ],
            "builtins": ["tongbao_connectors.desk.templatetags.desk"],
        },
    }


def _cookies(code: str, file: DeskFile) -> dict[str, Any]:
    return {
        "SESSION_ENGINE": "django.contrib.sessions.backends.db",
        "SESSION_COOKIE_NAME": f"desk-{code}",
        "SESSION_COOKIE_AGE": file.session_hours * 3600,
        "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": file.https,
        "CSRF_COOKIE_NAME": f"form-{code}",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Strict",
        "CSRF_COOKIE_SECURE": file.https,
        "LANGUAGE_COOKIE_NAME": "language",
        "LANGUAGE_COOKIE_HTTPONLY": True,
        "LANGUAGE_COOKIE_SAMESITE": "Lax",
        "LANGUAGE_COOKIE_AGE": 31_536_000,
    }


def _lockout() -> dict[str, Any]:
    return {
        "AXES_FAILURE_LIMIT": LOGIN_TRIES,
        "AXES_COOLOFF_TIME": LOCKED_FOR,
        "AXES_LOCKOUT_PARAMETERS": ["username"],
        "AXES_RESET_ON_SUCCESS": True,
        "AXES_SENSITIVE_PARAMETERS": ["username", "ip_address", "code"],
        "AXES_ENABLE_ADMIN": False,
        "AXES_VERBOSE": False,
    }
