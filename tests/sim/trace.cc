#include "tests/sim/trace.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/digest.h"
#include "catalog/keys.h"
#include "tests/sim/random.h"

namespace guantong::sim {

namespace {

std::string Short(absl::string_view bytes) { return HexOf(bytes.substr(0, 3)); }

std::string Short(const v1::FeedId& feed) { return Short(FeedKey::Of(feed).bytes()); }

std::string Short(const v1::Position& position) {
  if (!position.has_epoch()) return "nothing";
  return absl::StrCat(position.epoch().number(), ".", position.sequence());
}

std::string Describe(const v1::BatchHeader& header) {
  return absl::StrCat("batch ", Short(header.feed()), " ", header.epoch().number(), ".",
                      header.prev() + 1, "..", header.last(), header.push_end() ? "" : " open");
}

std::string Describe(const v1::InterestDelta& delta) {
  std::string text = delta.reset() ? "interest all:" : "interest";
  for (const v1::Interest& add : delta.add()) {
    absl::StrAppend(&text, " +",
                    add.has_scope() ? absl::StrCat("scope /", add.scope().prefix())
                                    : absl::StrCat(Short(add.feed().feed()), " have ",
                                                   Short(add.feed().have())));
  }
  for (const v1::Interest& drop : delta.drop()) {
    absl::StrAppend(&text, " -",
                    drop.has_scope() ? absl::StrCat("scope /", drop.scope().prefix())
                                     : Short(drop.feed().feed()));
  }
  return text;
}

std::string Describe(const v1::SyncOffer& offer) {
  std::string text = "offer";
  for (const v1::SyncRange& range : offer.ranges()) {
    if (range.feeds() == 0 && !range.listed() && offer.ranges_size() > 1) continue;
    absl::StrAppend(&text, " [", HexOf(range.prefix()), "]", range.feeds());
    for (const v1::FeedPosition& position : range.positions()) {
      absl::StrAppend(&text, " ", Short(position.feed_key()), "@", Short(position.position()));
    }
  }
  return text;
}

}  // namespace

std::string Describe(const v1::Frame& frame) {
  switch (frame.kind_case()) {
    case v1::Frame::kHello:
      return "hello";
    case v1::Frame::kInterest:
      return Describe(frame.interest());
    case v1::Frame::kSyncOffer:
      return Describe(frame.sync_offer());
    case v1::Frame::kSyncAsk: {
      std::string text = frame.sync_ask().interest() ? "ask interest" : "ask";
      for (const v1::SyncRangeAsk& range : frame.sync_ask().ranges()) {
        absl::StrAppend(&text, " [", HexOf(range.prefix()), "]", range.list() ? " list" : " split");
      }
      return text;
    }
    case v1::Frame::kAcks: {
      std::string text = "ack";
      for (const v1::FeedPosition& ack : frame.acks().acks()) {
        absl::StrAppend(&text, " ", Short(ack.feed_key()), " ", Short(ack.position()));
      }
      return text;
    }
    case v1::Frame::kNack:
      return absl::StrCat("nack ", Short(frame.nack().feed()), " ",
                          v1::NackReason_Name(frame.nack().reason()).substr(12), " have ",
                          Short(frame.nack().have()));
    case v1::Frame::kFetch:
      return absl::StrCat("fetch ", Short(frame.fetch().feed()),
                          frame.fetch().snapshot() ? " snapshot" : "",
                          frame.fetch().has_until() ? " back from " : "",
                          frame.fetch().has_until() ? Short(frame.fetch().until()) : "", " after ",
                          Short(frame.fetch().after()));
    case v1::Frame::kChunkRequest:
      return absl::StrCat("chunk? ", Short(frame.chunk_request().feed()), " ",
                          Short(frame.chunk_request().hash()));
    case v1::Frame::kCallRequest:
      return absl::StrCat("call ", Short(frame.call_request().id()), " to /",
                          frame.call_request().target());
    case v1::Frame::kCallReply:
      return absl::StrCat("reply ", Short(frame.call_reply().id()), " ",
                          v1::CallStatus_Name(frame.call_reply().status()).substr(12));
    case v1::Frame::kChain:
      return "chain";
    case v1::Frame::kBatch: {
      v1::BatchHeader header;
      return header.ParseFromString(frame.batch().header()) ? Describe(header)
                                                            : "batch of an unreadable header";
    }
    case v1::Frame::kManifest: {
      v1::Manifest manifest;
      manifest.ParseFromString(frame.manifest().manifest());
      return absl::StrCat("manifest ", Short(manifest.feed()), " at ", Short(manifest.at()),
                          " chunks ", manifest.chunks_size());
    }
    case v1::Frame::kChunk:
      return absl::StrCat("chunk ", Short(frame.chunk().feed()), " ", Short(frame.chunk().hash()),
                          frame.chunk().absent() ? " absent" : "");
    case v1::Frame::kMoved:
      return "moved";
    case v1::Frame::KIND_NOT_SET:
      return "frame of an unknown kind";
  }
  return "";
}

void Trace::Note(absl::string_view node, absl::string_view what) {
  hash_ = HashOf(what,
                 HashOf(node, hash_ ^ static_cast<uint64_t>(absl::ToUnixMicros(schedule_.now()))));
  if (printing()) Print(node, what);
}

void Trace::Frame(absl::string_view node, absl::string_view what, absl::string_view to,
                  absl::string_view frame) {
  Note(node, absl::StrCat(what, " ", to, " ", HashOf(frame)));
  if (!printing()) return;
  v1::Frame parsed;
  Print(node, absl::StrCat(what, " ", to, ": ",
                           parsed.ParseFromArray(frame.data(), static_cast<int>(frame.size()))
                               ? Describe(parsed)
                               : "unreadable"));
}

void Trace::Print(absl::string_view node, absl::string_view what) {
  *out_ << absl::StrFormat("%12.6f %-14s %s\n",
                           absl::ToDoubleSeconds(schedule_.now() - absl::UnixEpoch()) - 1.8e9, node,
                           what);
}

}  // namespace guantong::sim
