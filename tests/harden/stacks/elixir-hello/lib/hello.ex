defmodule Hello do
  def answer, do: Application.fetch_env!(:hello, :answer)
end
