"""The addresses of 值班, 交接 and 通知."""

from django.urls import path

from tongbao_connectors.duty import handover_views, notification_views, views

urlpatterns = [
    path("duty/", views.duty, name="duty"),
    path("duty/override/", views.change, {"kind": "override"}, name="duty-override"),
    path("duty/substitute/", views.change, {"kind": "substitute"}, name="duty-substitute"),
    path("duty/swap/", views.change, {"kind": "swap"}, name="duty-swap"),
    path("duty/swap/<uuid:swap>/", views.swap, name="duty-agree"),
    path("duty/change/<int:pk>/withdraw/", views.withdraw, name="duty-withdraw"),
    path("handover/", handover_views.handover, name="handover"),
    path("notifications/", notification_views.notifications, name="notifications"),
    path("notifications/<slug:name>/test/", notification_views.channel_test, name="channel-test"),
]
