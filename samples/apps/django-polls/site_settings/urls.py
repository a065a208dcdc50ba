from django.urls import path

from polls import views

urlpatterns = [
    path("", views.index),
    path("vote/<str:answer>", views.vote),
    path("export", views.export),
]
