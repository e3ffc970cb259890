#include "node/verify.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/certificate.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/batch.h"
#include "catalog/keys.h"
#include "catalog/logged.h"
#include "catalog/table.h"
#include "guantong/storage/v1/store.pb.h"
#include "node/limits.h"

namespace guantong {
namespace {

class Verifier {
 public:
  Verifier(const Reader& store, absl::string_view network) : store_(store), network_(network) {}

  absl::StatusOr<v1::VerifyResponse> Run() {
    const std::string feeds = KindPrefix('F');
    auto cursor = store_.Scan(feeds, PrefixEnd(feeds));
    for (; cursor->Valid(); cursor->Next()) {
      storage::v1::FeedRecord record;
      key_ = FeedKey::FromBytes(cursor->key().substr(feeds.size(), kFeedKeyBytes));
      record.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size()));
      feed_ = record.feed();
      response_.set_feeds(response_.feeds() + 1);
      if (!(FeedKey::Of(feed_) == key_)) {
        Fault(0, "记录与键不符 (the feed record does not belong to its key)");
        continue;
      }
      GT_RETURN_IF_ERROR(VerifyLog(record));
      GT_RETURN_IF_ERROR(VerifyManifest());
      GT_RETURN_IF_ERROR(VerifyChunkNames(record.visible().sequence()));
      GT_RETURN_IF_ERROR(VerifyDerived(record));
    }
    feed_.Clear();
    key_ = FeedKey();
    GT_RETURN_IF_ERROR(
        ReadOn(cursor->status(), 0, "数据流的记录读不出 (feed records cannot be read)"));
    return response_;
  }

 private:
  void Fault(uint64_t sequence, absl::string_view text) {
    if (static_cast<size_t>(response_.faults_size()) >= kVerifyFaultsMax) return;
    v1::VerifyFault* fault = response_.add_faults();
    fault->set_feed_key(HexOf(key_.bytes()));
    *fault->mutable_feed() = feed_;
    fault->set_sequence(sequence);
    fault->set_text(std::string(text));
  }

  // Damaged bytes end the reading of one thing and are its fault.
  absl::Status ReadOn(const absl::Status& status, uint64_t sequence, absl::string_view what) {
    if (!absl::IsDataLoss(status)) return status;
    Fault(sequence, absl::StrCat(what, ": ", status.message()));
    return absl::OkStatus();
  }

  // The chain that signed something, its links proved once; the error is kept too.
  const absl::StatusOr<VerifiedChain>& Signer(const std::string& digest) {
    auto it = signers_.find(digest);
    if (it != signers_.end()) return it->second;
    absl::StatusOr<VerifiedChain> signer =
        absl::DataLossError("没有存下签名者的证书链 (the signer's chain is not stored)");
    std::string bytes;
    v1::CertificateChain chain;
    if (store_.Get(ChainKey(digest), &bytes).ok() && chain.ParseFromString(bytes)) {
      if (ChainDigest(chain) == digest) {
        signer = VerifyChainLinks(chain, network_);
      } else {
        signer = absl::DataLossError(
            "存下的证书链与摘要不符 (the stored chain does not match its digest)");
      }
    }
    return signers_.emplace(digest, std::move(signer)).first->second;
  }

  absl::Status VerifyLog(const storage::v1::FeedRecord& record) {
    v1::Position at = record.log_from();
    if (at.chain_hash().empty()) at.set_chain_hash(ZeroDigest());
    auto cursor = store_.Scan(LogPrefix(key_), PrefixEnd(LogPrefix(key_)));
    for (; cursor->Valid(); cursor->Next()) {
      const uint64_t last =
          ReadBigEndian64(cursor->key().substr(cursor->key().size() - sizeof(uint64_t)));
      response_.set_batches(response_.batches() + 1);
      const absl::StatusOr<v1::SignedBatch> batch = ReadLogged(store_, key_, cursor->value());
      if (!batch.ok()) {
        GT_RETURN_IF_ERROR(ReadOn(batch.status(), last, "批次读不出 (the batch cannot be read)"));
        continue;
      }
      absl::StatusOr<ParsedBatch> parsed = ParseBatch(*batch);
      if (!parsed.ok()) {
        Fault(last, absl::StrCat("批次损坏 (the batch is damaged): ", parsed.status().message()));
        continue;
      }
      const v1::BatchHeader& header = parsed->header;
      response_.set_records(response_.records() + (header.last() - header.prev()));
      if (!(parsed->key == key_)) Fault(last, "属于另一数据流 (the batch is of another feed)");
      if (header.prev_hash() != at.chain_hash())
        Fault(last, "哈希链断裂 (the hash chain is broken)");
      const bool same_epoch =
          header.epoch().number() == at.epoch().number() && header.epoch().id() == at.epoch().id();
      const bool next_epoch = header.epoch().number() > at.epoch().number() && header.prev() == 0;
      if (!next_epoch && !(same_epoch && header.prev() == at.sequence())) {
        Fault(last, absl::StrCat("不连续：应接在 ", at.sequence(), " 之后 (not contiguous)"));
      }
      const absl::StatusOr<VerifiedChain>& signer = Signer(header.signer_chain());
      const absl::Status signed_well =
          signer.ok() ? CheckBatchSignature(*parsed, *batch, *signer, network_) : signer.status();
      if (!signed_well.ok()) Fault(last, absl::StrCat("签名 (signature): ", signed_well.message()));
      at = PositionOf(header, parsed->chain_hash);
    }
    if (absl::IsDataLoss(cursor->status())) {
      return ReadOn(cursor->status(), at.sequence() + 1,
                    "日志从这里读不出 (the log cannot be read from here)");
    }
    GT_RETURN_IF_ERROR(cursor->status());
    const bool begun = record.head().epoch().number() > 0;
    if (begun && !SamePosition(at, record.head())) {
      Fault(record.head().sequence(),
            "日志没有到达记录的位置 (the log does not end at the recorded position)");
    }
    return absl::OkStatus();
  }

  absl::Status VerifyManifest() {
    std::string bytes;
    const absl::Status got = store_.Get(ManifestKey(key_), &bytes);
    if (absl::IsNotFound(got)) return absl::OkStatus();
    if (!got.ok()) return ReadOn(got, 0, "快照清单读不出 (the manifest cannot be read)");
    v1::SignedManifest signed_manifest;
    absl::StatusOr<v1::Manifest> manifest =
        signed_manifest.ParseFromString(bytes) ? ParseManifest(signed_manifest)
                                               : absl::StatusOr<v1::Manifest>(absl::DataLossError(
                                                     "清单无法解析 (the manifest does not parse)"));
    if (!manifest.ok()) {
      Fault(0, manifest.status().message());
      return absl::OkStatus();
    }
    const absl::StatusOr<VerifiedChain>& signer = Signer(manifest->signer_chain());
    const absl::Status signed_well =
        signer.ok() ? CheckManifestSignature(*manifest, signed_manifest, *signer, network_)
                    : signer.status();
    if (!signed_well.ok()) {
      Fault(manifest->at().sequence(),
            absl::StrCat("快照清单签名 (manifest signature): ", signed_well.message()));
    }
    auto cursor = store_.Scan(ChunkPrefix(key_), PrefixEnd(ChunkPrefix(key_)));
    for (; cursor->Valid(); cursor->Next()) {
      if (Sha256(cursor->value()) == cursor->key().substr(cursor->key().size() - kDigestBytes))
        continue;
      Fault(manifest->at().sequence(),
            "快照块与其哈希不符 (a snapshot chunk does not match its hash)");
    }
    return ReadOn(cursor->status(), 0, "快照块读不出 (a snapshot chunk cannot be read)");
  }

  // Chunks that are blocks of the table, of a snapshot that is held or being loaded.
  absl::Status VerifyChunkNames(uint64_t at) {
    const std::string prefix = ChunkNamesPrefix(key_);
    auto name = store_.Scan(prefix, PrefixEnd(prefix));
    for (; name->Valid(); name->Next()) {
      std::string block;
      const absl::Status got = store_.Get(name->value(), &block);
      if (absl::IsNotFound(got)) {
        Fault(at, "快照块不在了 (a snapshot chunk is missing)");
      } else if (!got.ok()) {
        GT_RETURN_IF_ERROR(ReadOn(got, at, "快照块读不出 (a snapshot chunk cannot be read)"));
      } else if (Sha256(block) != name->key().substr(prefix.size())) {
        Fault(at, "快照块与其哈希不符 (a snapshot chunk does not match its hash)");
      }
    }
    return ReadOn(name->status(), at, "快照块读不出 (a snapshot chunk cannot be read)");
  }

  // Rows, or the facts of a record feed.
  absl::Status VerifyDerived(const storage::v1::FeedRecord& record) {
    const uint64_t at = record.visible().sequence();
    if (record.feed().kind() != v1::FEED_KIND_ROWS) {
      for (const std::string& prefix : {MemberPrefix(key_), EntryPrefix(key_)}) {
        auto cursor = store_.Scan(prefix, PrefixEnd(prefix));
        while (cursor->Valid()) cursor->Next();
        GT_RETURN_IF_ERROR(
            ReadOn(cursor->status(), at, "目录或节点记录读不出 (facts cannot be read)"));
      }
      return absl::OkStatus();
    }
    const absl::StatusOr<TableReader> table = TableReader::Open(store_, key_);
    if (absl::IsNotFound(table.status())) return absl::OkStatus();
    if (!table.ok()) return ReadOn(table.status(), at, "数据表读不出 (the table cannot be read)");
    uint64_t rows = 0;
    const absl::Status scanned = table->Scan("", "", [&](absl::string_view, absl::string_view) {
      ++rows;
      return true;
    });
    if (!scanned.ok()) return ReadOn(scanned, at, "数据行读不出 (rows cannot be read)");
    if (rows != table->record().rows()) {
      Fault(at, absl::StrCat("应有 ", table->record().rows(), " 行，实有 ", rows,
                             " 行 (the table has another number of rows)"));
    }
    return absl::OkStatus();
  }

  const Reader& store_;
  const absl::string_view network_;
  v1::VerifyResponse response_;
  FeedKey key_;
  v1::FeedId feed_;
  std::map<std::string, absl::StatusOr<VerifiedChain>> signers_;
};

}  // namespace

absl::StatusOr<v1::VerifyResponse> VerifyStore(const Reader& store, absl::string_view network) {
  return Verifier(store, network).Run();
}

void VerifyFiles(const RocksStore& store, v1::VerifyResponse* response) {
  for (const TableFile& file : store.TableFiles()) {
    const absl::Status checked = store.CheckTableFile(file, nullptr);
    if (absl::IsNotFound(checked)) continue;
    response->set_files(response->files() + 1);
    response->set_file_bytes(response->file_bytes() + file.bytes);
    if (checked.ok()) continue;
    v1::VerifyFault* fault = response->add_faults();
    fault->set_file(file.name);
    fault->set_text(std::string(checked.message()));
  }
}

}  // namespace guantong
