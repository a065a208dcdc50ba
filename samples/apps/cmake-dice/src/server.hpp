#pragma once

#include <functional>
#include <string>

struct Reply {
  int status;
  std::string body;
};

// Answers each request with what `handler` makes of its path. Does not return.
void serve(unsigned short port, const std::function<Reply(const std::string&)>& handler);
