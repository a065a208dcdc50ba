from django.db import models
class Item(models.Model):
    photo = models.ImageField(upload_to='photos')
