"""A view for each thing that both sides must agree about; answers are plain text, to be compared."""

import json

from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token

SALT = "shop.values"


def form(request):
    if request.method == "POST":
        return HttpResponse(f"read {request.POST['note']}")
    return HttpResponse(f'<form><input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}"></form>')


def log_in(request):
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return HttpResponse("wrong name or password", status=403)
    login(request, user)
    return HttpResponse("in")


def log_out(request):
    logout(request)
    return HttpResponse("out")


@login_required
def change_password(request):
    if not request.user.check_password(request.POST["old"]):
        return HttpResponse("wrong password", status=403)
    request.user.set_password(request.POST["new"])
    request.user.save()
    update_session_auth_hash(request, request.user)
    return HttpResponse("changed")


def who(request):
    return HttpResponse(request.user.get_username() or "nobody")


def session(request):
    if request.method == "POST":
        request.session[request.POST["key"]] = json.loads(request.POST["value"])
        return HttpResponse("kept")
    kept = request.session.items()
    return JsonResponse({key: value for key, value in kept if not key.startswith("_")})


def sign(request):
    return HttpResponse(signing.dumps(json.loads(request.POST["value"]), salt=SALT, compress=True))


def unsign(request):
    try:
        return JsonResponse(signing.loads(request.POST["signed"], salt=SALT), safe=False)
    except signing.BadSignature:
        return HttpResponse("forged", status=403)


def greeting(request):
    if request.method == "POST":
        response = HttpResponse("kept")
        response.set_signed_cookie("greeting", request.POST["value"], salt="hall", secure=True, httponly=True)
        return response
    return HttpResponse(request.get_signed_cookie("greeting", "none", salt="hall", max_age=60))


def reset(request):
    return HttpResponse(default_token_generator.make_token(User.objects.get(username=request.POST["username"])))


def check_reset(request):
    user = User.objects.get(username=request.POST["username"])
    valid = default_token_generator.check_token(user, request.POST["token"])
    return HttpResponse("valid" if valid else "invalid")


@login_required
def can(request):
    return HttpResponse("yes" if request.user.has_perm(request.POST["permission"]) else "no")
