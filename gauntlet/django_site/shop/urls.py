"""The paths, which are the same at the Palisade service beside."""

from django.contrib import admin
from django.urls import path

from . import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("form/", views.form),
    path("login/", views.log_in),
    path("logout/", views.log_out),
    path("password/", views.change_password),
    path("who/", views.who),
    path("session/", views.session),
    path("sign/", views.sign),
    path("unsign/", views.unsign),
    path("greeting/", views.greeting),
    path("reset/", views.reset),
    path("reset/check/", views.check_reset),
    path("can/", views.can),
]
