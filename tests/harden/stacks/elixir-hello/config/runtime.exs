import Config

if System.get_env("PHX_SERVER"), do: config(:hello, HelloWeb.Endpoint, server: true)
