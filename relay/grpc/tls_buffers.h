// What a TLS connection keeps while nothing is said on it.
//
// A node has a connection to each child, nearly all of them idle nearly always. OpenSSL keeps a
// buffer of a whole record for each direction of a connection, used or not, and the pair of BIOs by
// which gRPC hands it bytes holds 17 KiB in each. gRPC has no setting for either. The two functions
// by which it makes them are replaced (catalog/base/replaced.h):
//
//   SSL_CTX_new         sets SSL_MODE_RELEASE_BUFFERS: a record's buffer lives while there is one
//   BIO_new_bio_pair    where the caller names no size, a pair holds what gRPC makes at once, which
//                       is four pages sharp
//
// Where a gRPC to come does not ask for them any more, nothing but the memory changes.
#ifndef GUANTONG_RELAY_GRPC_TLS_BUFFERS_H_
#define GUANTONG_RELAY_GRPC_TLS_BUFFERS_H_

namespace guantong {

// Whether libraries of this process that ask through the linkage table get the functions above.
bool TlsBuffersAreOurs();

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_TLS_BUFFERS_H_
