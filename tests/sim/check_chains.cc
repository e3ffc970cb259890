// Walks every log from where it begins to the feed's head: batch follows batch, hash follows hash,
// and the newest signature vouches for all before it. Nothing can be missing, twice or invented in
// a log that passes.
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/batch.h"
#include "catalog/logged.h"
#include "guantong/storage/v1/store.pb.h"
#include "tests/sim/checkers.h"
#include "tests/sim/identity.h"

namespace guantong::sim {

namespace {

std::string FaultOf(const Node& node, const storage::v1::FeedRecord& record) {
  const FeedKey key = FeedKey::Of(record.feed());
  v1::Position at = record.log_from();
  v1::SignedBatch newest;
  ParsedBatch last;
  const std::string prefix = LogPrefix(key);
  for (auto cursor = node.store().Scan(prefix, PrefixEnd(prefix)); cursor->Valid();
       cursor->Next()) {
    absl::StatusOr<v1::SignedBatch> batch = ReadLogged(node.store(), key, cursor->value());
    if (!batch.ok()) return std::string(batch.status().message());
    absl::StatusOr<ParsedBatch> parsed = ParseBatch(*batch);
    if (!parsed.ok()) return parsed.status().ToString();
    const v1::BatchHeader& header = parsed->header;
    const bool next = header.epoch().number() == at.epoch().number()
                          ? header.epoch().id() == at.epoch().id() && header.prev() == at.sequence()
                          : header.epoch().number() > at.epoch().number() && header.prev() == 0;
    if (!next || header.prev_hash() != at.chain_hash()) {
      return absl::StrCat("batch ", header.epoch().number(), ".", header.prev() + 1,
                          " does not follow ", at.epoch().number(), ".", at.sequence());
    }
    at = PositionOf(header, parsed->chain_hash);
    last = *std::move(parsed);
    newest = *std::move(batch);
  }
  if (!SamePosition(at, record.head())) {
    return absl::StrCat("the log ends at ", at.epoch().number(), ".", at.sequence(),
                        ", the head says ", record.head().epoch().number(), ".",
                        record.head().sequence());
  }
  if (newest.header().empty()) return "";
  std::string bytes;
  v1::CertificateChain chain;
  if (!node.store().Get(ChainKey(last.header.signer_chain()), &bytes).ok() ||
      !chain.ParseFromString(bytes)) {
    return "the signer's certificate chain is not stored";
  }
  const absl::StatusOr<VerifiedChain> signer = VerifyChainOnce(chain, node.network());
  if (!signer.ok()) return signer.status().ToString();
  const absl::Status signature = CheckBatchSignature(last, newest, *signer, node.network());
  return signature.ok() ? "" : signature.ToString();
}

}  // namespace

void CheckChains(World& world, size_t index) {
  const Node& node = world.node(index);
  const std::string prefix = KindPrefix('F');
  for (auto cursor = node.store().Scan(prefix, PrefixEnd(prefix)); cursor->Valid();
       cursor->Next()) {
    storage::v1::FeedRecord record;
    record.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size()));
    const std::string fault = FaultOf(node, record);
    if (fault.empty()) continue;
    world.Wrong(absl::StrCat(node.name(), " feed ", HexOf(cursor->key().substr(1, 3)), " ",
                             v1::FeedKind_Name(record.feed().kind()), " ", record.feed().resource(),
                             ": ", fault));
  }
}

}  // namespace guantong::sim
