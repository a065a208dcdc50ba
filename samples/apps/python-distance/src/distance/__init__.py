from ._edit import edit_distance

__all__ = ["edit_distance"]
