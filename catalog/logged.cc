#include "catalog/logged.h"

#include <utility>

#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/batch.h"
#include "catalog/spare.h"
#include "guantong/storage/v1/store.pb.h"

namespace guantong {
namespace {

absl::Status Corrupt(absl::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "store_corrupt", what);
}

}  // namespace

void PutLogged(const FeedKey& feed, bool own, const v1::BatchHeader& header,
               const v1::SignedBatch& batch, WriteSet* writes) {
  storage::v1::LoggedBatch logged;
  logged.set_header(batch.header());
  logged.set_signature(batch.signature());
  const bool block = header.encoding() == v1::ENCODING_SORTED_ROWS && !batch.payload().empty();
  if (block) {
    logged.set_block_bytes(static_cast<uint32_t>(batch.payload().size()));
    writes->Put(LogBlockKey(feed, header.epoch().number(), header.last()), batch.payload());
  }
  if (!block) {
    logged.set_payload(batch.payload());
  } else if (own && batch.payload().size() >= kSpareBlockBytesMin) {
    *logged.mutable_spare() = MakeSpare(batch.payload());
  } else if (own) {
    logged.set_payload(batch.payload());
  }
  writes->Put(LogKey(feed, header.epoch().number(), header.last()), logged.SerializeAsString());
}

absl::StatusOr<LoggedHead> ReadLoggedHead(absl::string_view value) {
  storage::v1::LoggedBatch logged;
  LoggedHead head;
  if (!logged.ParseFromArray(value.data(), static_cast<int>(value.size())) ||
      !head.header.ParseFromString(logged.header())) {
    return Corrupt("a batch of the log cannot be read");
  }
  head.position = PositionOf(head.header, ChainHash(head.header.prev_hash(), logged.header(),
                                                    head.header.payload_digest()));
  head.block = logged.block_bytes() > 0;
  head.bytes = logged.header().size() +
               (logged.payload().empty() ? logged.block_bytes() : logged.payload().size());
  return head;
}

absl::StatusOr<v1::SignedBatch> ReadLogged(const Reader& store, const FeedKey& feed,
                                           absl::string_view value) {
  storage::v1::LoggedBatch logged;
  if (!logged.ParseFromArray(value.data(), static_cast<int>(value.size())))
    return Corrupt("a batch of the log cannot be read");
  v1::SignedBatch batch;
  if (logged.block_bytes() > 0 && logged.payload().empty()) {
    v1::BatchHeader header;
    if (!header.ParseFromString(logged.header())) return Corrupt("a batch cannot be read");
    const absl::Status got = store.Get(LogBlockKey(feed, header.epoch().number(), header.last()),
                                       batch.mutable_payload());
    if (absl::IsNotFound(got)) return Corrupt("the rows of a batch are missing");
    GT_RETURN_IF_ERROR(got);
  } else {
    batch.set_payload(std::move(*logged.mutable_payload()));
  }
  batch.set_header(std::move(*logged.mutable_header()));
  batch.set_signature(std::move(*logged.mutable_signature()));
  return batch;
}

}  // namespace guantong
