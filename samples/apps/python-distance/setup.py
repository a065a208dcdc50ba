from setuptools import Extension, setup

setup(
    name="distance",
    version="1.1.0",
    package_dir={"": "src"},
    packages=["distance"],
    ext_modules=[Extension("distance._edit", sources=["src/distance/edit.c"])],
)
