#include "server.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

namespace {

void answer(int connection, const std::function<Reply(const std::string&)>& handler) {
  char buffer[4096];
  const ssize_t length = read(connection, buffer, sizeof buffer);
  const std::string request(buffer, length > 0 ? static_cast<size_t>(length) : 0);
  const auto start = request.find(' ');
  const auto end = request.find(' ', start + 1);
  Reply reply{400, "bad request\n"};
  if (start != std::string::npos && end != std::string::npos) {
    reply = handler(request.substr(start + 1, end - start - 1));
  }
  const std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " X\r\nContent-Type: text/plain\r\nConnection: close\r\n" +
                           "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
  if (write(connection, text.data(), text.size()) < 0) {
    perror("write");
  }
  close(connection);
}

}  // namespace

void serve(unsigned short port, const std::function<Reply(const std::string&)>& handler) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 16) != 0) {
    throw std::runtime_error("cannot listen");
  }
  for (;;) {
    const int connection = accept(listener, nullptr, nullptr);
    if (connection >= 0) {
      std::thread(answer, connection, handler).detach();
    }
  }
}
