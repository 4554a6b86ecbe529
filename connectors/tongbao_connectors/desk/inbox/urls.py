"""Addresses of the receiving side. None holds a name, a number of a person or a word of a body."""

from django.urls import path

from tongbao_connectors.desk.inbox import act_views, file_views, list_views, message_views

urlpatterns = [
    path("inbox/", list_views.inbox, name="inbox"),
    path("inbox/sign/", list_views.sign_many, name="sign-many"),
    path("inbox/keys/", list_views.keys, name="keys"),
    path("inbox/<slug:tab>/live/", list_views.live, name="inbox-live"),
    path("inbox/<slug:tab>/", list_views.inbox, name="inbox-tab"),
    path("badge/", list_views.badge, name="badge"),
    path("m/<uuid:message_id>/", message_views.message, name="message"),
    path("m/<uuid:message_id>/print/", message_views.print_view, name="message-print"),
    path("m/<uuid:message_id>/export/", message_views.export, name="message-export"),
    path("m/<uuid:message_id>/files/<slug:digest>/", file_views.file, name="message-file"),
    path("m/<uuid:message_id>/<slug:name>/", act_views.act, name="message-act"),
]
