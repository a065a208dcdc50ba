import Config

config :hello, answer: 42
