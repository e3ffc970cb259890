#include "relay/grpc/tls_buffers.h"

#include <malloc.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace guantong {
namespace {

struct Pair {
  explicit Pair(size_t bytes = 0) { REQUIRE(BIO_new_bio_pair(&network, bytes, &tls, bytes) == 1); }
  ~Pair() {
    BIO_free(network);
    BIO_free(tls);
  }
  BIO* network = nullptr;
  BIO* tls = nullptr;
};

std::string ReadAll(BIO* bio, int at_once) {
  std::string all, piece(static_cast<size_t>(at_once), '\0');
  for (int read; (read = BIO_read(bio, piece.data(), at_once)) > 0;)
    all.append(piece, 0, static_cast<size_t>(read));
  return all;
}

std::string Bytes(size_t size, int seed) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i * i >> 5 ^ seed));
  return bytes;
}

// Connections that have all said something, as seen by the allocator.
size_t HeldByPairs(int count, size_t bytes) {
  const std::string record = Bytes(16'306, 0);
  std::vector<std::unique_ptr<Pair>> pairs;
  const size_t before = mallinfo2().uordblks;
  for (int i = 0; i < count; ++i) {
    pairs.push_back(std::make_unique<Pair>(bytes));
    for (BIO* from : {pairs.back()->tls, pairs.back()->network}) {
      BIO* const to = from == pairs.back()->tls ? pairs.back()->network : pairs.back()->tls;
      REQUIRE(BIO_write(from, record.data(), static_cast<int>(record.size())) == 16'306);
      REQUIRE(ReadAll(to, 8192) == record);
    }
  }
  return (mallinfo2().uordblks - before) / static_cast<size_t>(count);
}

TEST_CASE("tls buffers: gRPC gets ours") { CHECK(TlsBuffersAreOurs()); }

TEST_CASE("tls buffers: a context lets go of records") {
  SSL_CTX* const context = SSL_CTX_new(TLS_method());
  REQUIRE(context != nullptr);
  CHECK((SSL_CTX_get_mode(context) & SSL_MODE_RELEASE_BUFFERS) != 0);
  SSL_CTX_free(context);
}

TEST_CASE("tls buffers: bytes come as they went, both ways at once") {
  for (const int at_once : {1, 100, 8192, 20'000}) {
    const Pair pair;
    const std::string there = Bytes(7000, 1), back = Bytes(9000, 2);
    std::string came_there, came_back;
    for (size_t from = 0; from < 7000; from += 1000) {
      REQUIRE(BIO_write(pair.tls, there.data() + from, 1000) == 1000);
      REQUIRE(BIO_write(pair.network, back.data() + from, 1000) == 1000);
      std::string piece(333, '\0');
      REQUIRE(BIO_read(pair.network, piece.data(), 333) == 333);
      came_there += piece;
    }
    REQUIRE(BIO_write(pair.network, back.data() + 7000, 2000) == 2000);
    CHECK(BIO_pending(pair.tls) == 9000);
    CHECK(BIO_wpending(pair.tls) == 7000 - 7 * 333);
    came_there += ReadAll(pair.network, at_once);
    came_back += ReadAll(pair.tls, at_once);
    CHECK(came_there == there);
    CHECK(came_back == back);
  }
}

TEST_CASE("tls buffers: a full way takes what fits, then asks to be tried again") {
  const Pair pair;
  const std::string bytes = Bytes(20'000, 3);
  REQUIRE(BIO_write(pair.tls, bytes.data(), 20'000) == 16'384);
  CHECK(BIO_write(pair.tls, bytes.data(), 1) <= 0);
  CHECK(BIO_should_write(pair.tls));
  std::string start(10'000, '\0');
  REQUIRE(BIO_read(pair.network, start.data(), 10'000) == 10'000);
  REQUIRE(BIO_write(pair.tls, bytes.data() + 16'384, 3616) == 3616);
  CHECK(start + ReadAll(pair.network, 8192) == bytes);
  CHECK(BIO_read(pair.network, start.data(), 1) <= 0);
  CHECK(BIO_should_read(pair.network));
}

TEST_CASE("tls buffers: a half whose other is gone is at its end") {
  Pair pair;
  BIO_free(pair.network);
  pair.network = nullptr;
  char byte = 0;
  CHECK(BIO_eof(pair.tls) == 1);
  CHECK(BIO_write(pair.tls, "x", 1) <= 0);
  CHECK_FALSE(BIO_should_retry(pair.tls));
  CHECK(BIO_read(pair.tls, &byte, 1) <= 0);
  CHECK_FALSE(BIO_should_retry(pair.tls));
}

TEST_CASE(
    "tls buffers: a pair at rest keeps nothing; one of a size that was asked for is OpenSSL's") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GUANTONG_SKIP("the sanitizer brings an allocator of its own");
#endif
  CHECK(HeldByPairs(16, 0) < 1024);
  CHECK(HeldByPairs(16, 17'408) > 32'768);
}

}  // namespace
}  // namespace guantong
