//! What a step leaves in the image: packages, a build, files at known places, or nobody knows what.
