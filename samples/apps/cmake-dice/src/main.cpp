#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <string>

#include "server.hpp"

namespace {

int configured_sides(const char* file) {
  std::ifstream input(file);
  std::string name, sign;
  int sides = 0;
  if (!(input >> name >> sign >> sides) || name != "sides" || sides < 2) {
    std::cerr << "cannot read " << file << "\n";
    std::exit(1);
  }
  return sides;
}

std::string checksum(const std::string& text) {
  return std::to_string(crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

}  // namespace

int main() {
  const int sides = configured_sides("/usr/local/etc/dice.conf");
  std::cout << "a die of " << sides << " sides on port 7000" << std::endl;
  serve(7000, [sides](const std::string& path) -> Reply {
    if (path == "/sides") return {200, std::to_string(sides) + "\n"};
    if (path == "/roll") {
      static thread_local std::mt19937 source{std::random_device{}()};
      return {200, std::to_string(std::uniform_int_distribution<int>(1, sides)(source)) + "\n"};
    }
    if (path.rfind("/crc/", 0) == 0) return {200, checksum(path.substr(5)) + "\n"};
    return {404, "no such die\n"};
  });
}
