"""Addresses of a posted officer's pages."""

from django.urls import path

from tongbao_connectors.desk.posted import views

urlpatterns = [
    path("posted/", views.posted, name="posted"),
    path("posted/badge/", views.badge, name="posted-badge"),
    path("posted/<slug:way>/", views.posted, name="posted-way"),
    path("posted/m/<uuid:message_id>/", views.one, name="posted-one"),
    path("posted/m/<uuid:message_id>/remind/", views.urge, name="posted-urge"),
    path("posted/m/<uuid:message_id>/comment/", views.remark, name="posted-remark"),
]
