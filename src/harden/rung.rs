//! Where an image stands on the ladder, and what keeps it from the next rung.
