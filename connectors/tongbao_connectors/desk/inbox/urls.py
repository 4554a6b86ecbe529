"""Addresses of the receiving side. None holds a name, a number of a person or a word of a body."""

from django.urls import path

from tongbao_connectors.desk.inbox import views

urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/sign/", views.sign_many, name="sign-many"),
    path("inbox/keys/", views.keys, name="keys"),
    path("inbox/<slug:tab>/", views.inbox, name="inbox-tab"),
    path("badge/", views.badge, name="badge"),
    path("m/<uuid:message_id>/", views.message, name="message"),
    path("m/<uuid:message_id>/print/", views.print_view, name="message-print"),
    path("m/<uuid:message_id>/export/", views.export, name="message-export"),
    path("m/<uuid:message_id>/<slug:name>/", views.act, name="message-act"),
]
