from django.conf import settings
from django.db.models import F
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from .models import Answer


def index(request):
    return render(request, "index.html", {"answers": Answer.objects.order_by("text")})


@csrf_exempt
def vote(request, answer):
    if request.method != "POST":
        return HttpResponse(status=405)
    found, _ = Answer.objects.get_or_create(text=answer)
    Answer.objects.filter(pk=found.pk).update(votes=F("votes") + 1)
    found.refresh_from_db()
    return JsonResponse({"answer": answer, "votes": found.votes})


def export(request):
    settings.MEDIA_ROOT.mkdir(exist_ok=True)
    file = settings.MEDIA_ROOT / "votes.csv"
    file.write_text("".join(f"{answer.text},{answer.votes}\n" for answer in Answer.objects.order_by("text")))
    return HttpResponse(file.read_text(), content_type="text/csv")
