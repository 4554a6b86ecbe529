"""The addresses of drafts and of what was sent."""

from django.urls import path

from tongbao_connectors.papers import sent, views

urlpatterns = [
    path("sent/", sent.sent, name="sent"),
    path("sent/<uuid:message_id>/", sent.sent_one, name="sent-one"),
    path("sent/<uuid:message_id>/again/", views.again, name="draft-again"),
    path("sent/<uuid:message_id>/print/", sent.print_view, name="sent-print"),
    path("sent/<uuid:message_id>/export/", sent.export, name="sent-export"),
    path("sent/<uuid:message_id>/files/<slug:digest>/", sent.sent_file, name="sent-file"),
    path("sent/<uuid:message_id>/<slug:name>/", sent.sent_act, name="sent-act"),
    path("drafts/", sent.drafts, name="drafts"),
    path("drafts/new/", views.new, name="draft-new"),
    path("drafts/import/", views.import_one, name="draft-import"),
    path("drafts/<int:number>/", views.draft, name="draft"),
    path("drafts/<int:number>/category/", views.category, name="draft-category"),
    path("drafts/<int:number>/files/<int:key>/", views.file, name="draft-file"),
    path("drafts/<int:number>/act/", views.act, name="draft-act"),
]
