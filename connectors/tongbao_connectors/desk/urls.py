"""The addresses of the desk. Each part brings its own."""

from django.urls import include, path

from tongbao_connectors.desk import account, keys, language_switch, login, people, start

urlpatterns = [
    path("", start.start, name="start"),
    path("", include("tongbao_connectors.desk.inbox.urls")),
    path("", include("tongbao_connectors.papers.urls")),
    path("", include("tongbao_connectors.duty.urls")),
    path("", include("tongbao_connectors.desk.posted.urls")),
    path("login/", login.first, name="login"),
    path("login/second/", login.second, name="login-second"),
    path("login/enrol/", login.enrol, name="login-enrol"),
    path("login/key/begin/", keys.show_begin, name="login-key-begin"),
    path("login/key/complete/", keys.show_complete, name="login-key-complete"),
    path("logout/", login.leave, name="logout"),
    path("language/", language_switch.switch, name="language"),
    path("account/", account.account, name="account"),
    path("account/password/", account.password, name="password"),
    path("account/token/", account.token, name="token"),
    path("account/keys/", keys.keys, name="keys-own"),
    path("account/keys/begin/", keys.add_begin, name="keys-add-begin"),
    path("account/keys/complete/", keys.add_complete, name="keys-add-complete"),
    path("accounts/", people.accounts, name="accounts"),
    path("accounts/add/", people.add, name="accounts-add"),
    path("accounts/<int:pk>/", people.one, name="accounts-one"),
]

handler400 = "tongbao_connectors.desk.pages.bad_request"
handler404 = "tongbao_connectors.desk.pages.not_found"
handler500 = "tongbao_connectors.desk.pages.server_error"
