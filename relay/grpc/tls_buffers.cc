#include "relay/grpc/tls_buffers.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

#include "catalog/base/replaced.h"

namespace guantong {
namespace {

// gRPC gives OpenSSL 16,284 bytes at most to make a record of, and takes the record before it gives
// more: it counts with 100 bytes around them, TLS 1.3 takes 22.
constexpr size_t kPairBytes = 16'384;

// What was written into one half of a pair and is read from the other.
class Way {
 public:
  size_t held() const { return end_ - begin_; }

  size_t Put(const char* data, size_t size) {
    size = std::min(size, kPairBytes - held());
    if (size == 0) return 0;
    if (bytes_ == nullptr) bytes_.reset(new (std::nothrow) char[kPairBytes]);
    if (bytes_ == nullptr) return 0;
    if (size > kPairBytes - end_) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, held());
      end_ -= begin_;
      begin_ = 0;
    }
    std::memcpy(bytes_.get() + end_, data, size);
    end_ += size;
    return size;
  }

  size_t Take(char* data, size_t size) {
    size = std::min(size, held());
    if (size == 0) return 0;
    std::memcpy(data, bytes_.get() + begin_, size);
    begin_ += size;
    if (held() == 0) Clear();
    return size;
  }

  void Clear() {
    bytes_.reset();
    begin_ = end_ = 0;
  }

 private:
  std::unique_ptr<char[]> bytes_;  // none while nothing is held
  size_t begin_ = 0;
  size_t end_ = 0;
};

struct Half {
  Half* other = nullptr;  // null once it is freed
  Way written;
};

Half* HalfOf(BIO* bio) { return static_cast<Half*>(BIO_get_data(bio)); }

int Create(BIO* bio) {
  auto* const half = new (std::nothrow) Half;
  BIO_set_data(bio, half);
  BIO_set_init(bio, half != nullptr ? 1 : 0);
  return half != nullptr ? 1 : 0;
}

int Destroy(BIO* bio) {
  Half* const half = HalfOf(bio);
  if (half == nullptr) return 1;
  if (half->other != nullptr) half->other->other = nullptr;
  delete half;
  BIO_set_data(bio, nullptr);
  return 1;
}

int Write(BIO* bio, const char* data, size_t size, size_t* written) {
  BIO_clear_retry_flags(bio);
  Half* const half = HalfOf(bio);
  *written = 0;
  if (half->other == nullptr) return 0;
  *written = half->written.Put(data, size);
  if (*written == 0) BIO_set_retry_write(bio);
  return *written == 0 ? 0 : 1;
}

int Read(BIO* bio, char* data, size_t size, size_t* read) {
  BIO_clear_retry_flags(bio);
  Half* const half = HalfOf(bio);
  *read = 0;
  if (half->other == nullptr) return 0;
  *read = half->other->written.Take(data, size);
  if (*read == 0) BIO_set_retry_read(bio);
  return *read == 0 ? 0 : 1;
}

long Control(BIO* bio, int command, long, void*) {
  const Half* const half = HalfOf(bio);
  switch (command) {
    case BIO_CTRL_PENDING:
      return half->other == nullptr ? 0 : static_cast<long>(half->other->written.held());
    case BIO_CTRL_WPENDING:
      return static_cast<long>(half->written.held());
    case BIO_CTRL_EOF:
      return half->other == nullptr ? 1 : 0;
    case BIO_CTRL_FLUSH:
      return 1;
    default:
      return 0;
  }
}

const BIO_METHOD* MakeMethod() {
  BIO_METHOD* const method =
      BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pair that keeps nothing");
  if (method == nullptr) return nullptr;
  BIO_meth_set_create(method, &Create);
  BIO_meth_set_destroy(method, &Destroy);
  BIO_meth_set_write_ex(method, &Write);
  BIO_meth_set_read_ex(method, &Read);
  BIO_meth_set_ctrl(method, &Control);
  return method;
}

BIO* NewHalf() {
  static const BIO_METHOD* const method = MakeMethod();
  return method == nullptr ? nullptr : BIO_new(method);
}

// As OpenSSL makes it.
BIO* NewSizedHalf(size_t bytes) {
  BIO* const half = BIO_new(BIO_s_bio());
  if (half == nullptr || bytes == 0 || BIO_set_write_buf_size(half, bytes) == 1) return half;
  BIO_free(half);
  return nullptr;
}

bool Join(BIO* first, BIO* second, bool ours) {
  if (first == nullptr || second == nullptr) return false;
  if (!ours) return BIO_make_bio_pair(first, second) == 1;
  HalfOf(first)->other = HalfOf(second);
  HalfOf(second)->other = HalfOf(first);
  return true;
}

}  // namespace

bool TlsBuffersAreOurs() { return IsReplaced("SSL_CTX_new") && IsReplaced("BIO_new_bio_pair"); }

}  // namespace guantong

extern "C" {

// What OpenSSL's own does, and the mode.
SSL_CTX* SSL_CTX_new(const SSL_METHOD* method) {
  SSL_CTX* const context = SSL_CTX_new_ex(nullptr, nullptr, method);
  if (context != nullptr) SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  return context;
}

int BIO_new_bio_pair(BIO** first, size_t first_bytes, BIO** second, size_t second_bytes) {
  const bool ours = first_bytes == 0 && second_bytes == 0;
  *first = ours ? guantong::NewHalf() : guantong::NewSizedHalf(first_bytes);
  *second = ours ? guantong::NewHalf() : guantong::NewSizedHalf(second_bytes);
  if (guantong::Join(*first, *second, ours)) return 1;
  BIO_free(*first);
  BIO_free(*second);
  *first = *second = nullptr;
  return 0;
}

}  // extern "C"
