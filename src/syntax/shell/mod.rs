//! Commands, words, pipes and redirections of a shell script: enough to know what a `RUN` does, not a shell.
