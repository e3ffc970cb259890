#include "tests/sim/liar.h"

#include <utility>

#include "guantong/v1/link.pb.h"

namespace guantong::sim {

void Liar::Lie(v1::Position& position) {
  switch (random_.Below(4)) {
    case 0:
      position.set_sequence(position.sequence() + 1 + random_.Below(1000));
      break;
    case 1:
      position.set_sequence(random_.Below(position.sequence() + 1));
      break;
    case 2:
      position.mutable_epoch()->set_number(position.epoch().number() + 1 + random_.Below(5));
      position.mutable_epoch()->set_id(random_.Bytes(16));
      break;
    default:
      break;
  }
  if (random_.Chance(0.5)) position.set_chain_hash(random_.Bytes(32));
}

std::vector<Send> Liar::Twist(const Send& send) {
  // Silence: what it owes does not come.
  if (random_.Chance(0.1)) return {};
  v1::Frame frame;
  if (!random_.Chance(0.3) || !frame.ParseFromString(*send.frame)) {
    const size_t copies = random_.Chance(0.02) ? 100 : 1;
    return std::vector<Send>(copies, send);
  }
  switch (frame.kind_case()) {
    case v1::Frame::kAcks:
      for (v1::FeedPosition& ack : *frame.mutable_acks()->mutable_acks())
        Lie(*ack.mutable_position());
      break;
    case v1::Frame::kNack:
      Lie(*frame.mutable_nack()->mutable_have());
      if (random_.Chance(0.5))
        frame.mutable_nack()->set_reason(static_cast<v1::NackReason>(random_.Below(10)));
      break;
    case v1::Frame::kFetch:
      Lie(*frame.mutable_fetch()->mutable_after());
      frame.mutable_fetch()->set_snapshot(random_.Chance(0.5));
      break;
    case v1::Frame::kInterest:
      for (v1::Interest& add : *frame.mutable_interest()->mutable_add()) {
        if (add.has_feed()) Lie(*add.mutable_feed()->mutable_have());
      }
      break;
    case v1::Frame::kSyncOffer:
      for (v1::SyncRange& range : *frame.mutable_sync_offer()->mutable_ranges()) {
        range.set_digest(random_.Bytes(32));
        for (v1::FeedPosition& position : *range.mutable_positions())
          Lie(*position.mutable_position());
      }
      break;
    case v1::Frame::kBatch: {
      std::string& part = random_.Chance(0.5) ? *frame.mutable_batch()->mutable_header()
                                              : *frame.mutable_batch()->mutable_payload();
      if (!part.empty()) part[random_.Below(part.size())] ^= 1;
      break;
    }
    case v1::Frame::kChunk:
      frame.mutable_chunk()->set_data(random_.Bytes(100));
      break;
    default:
      return {send};
  }
  return {{.link = send.link,
           .lane = send.lane,
           .frame = std::make_shared<const std::string>(frame.SerializeAsString())}};
}

}  // namespace guantong::sim
