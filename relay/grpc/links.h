// Moves frames between neighbours: one connection per link, one stream per lane, fragments and
// credit. Knows nothing of feeds. The child dials its parent and dials again after a loss; the
// parent accepts. The newest session of a peer wins.
//
// Threads: Send, Resume, Close, Stats from any thread, also from within an event. LinkEvents are
// called from threads of gRPC and of Links, one at a time per link, and must only enqueue: a link's
// events are OnLinkUp, OnFrame in the order of each lane, OnLinkDown; where a peer comes back, the
// old link's OnLinkDown stands before the new one's OnLinkUp. After Stop returns no event is
// delivered.
//
// Server and channels need LinkArguments (relay/grpc/arguments.h).
#ifndef GUANTONG_RELAY_GRPC_LINKS_H_
#define GUANTONG_RELAY_GRPC_LINKS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "catalog/base/certificate.h"
#include "guantong/v1/link.pb.h"

namespace grpc {
class Service;
class Channel;
}  // namespace grpc

namespace guantong {

using LinkId = uint64_t;  // of one session, never reused within a process

struct LinkPeer {
  VerifiedChain identity;      // of a node, never of a person; proved over its whole chain
  v1::CertificateChain chain;  // its issuing chain, proved too; empty when it sent none
  std::string address;
  bool is_parent = false;  // we dialled
};

class LinkEvents {
 public:
  virtual ~LinkEvents() = default;
  // Both lanes are open.
  virtual void OnLinkUp(LinkId link, const LinkPeer& peer) = 0;
  // `frame` is a serialised Frame, complete, and taken whatever the answer. False: our queue is
  // full; no credit is granted for that lane until `Resume(link)`, so at most `credit_bytes` more
  // arrive.
  virtual bool OnFrame(LinkId link, v1::Lane lane, std::string frame) = 0;
  // After OnFrame of all frames that came together.
  virtual void OnFramesEnd(LinkId) {}
  virtual void OnLinkDown(LinkId link, const absl::Status& why) = 0;
  // A dial to the parent failed or was refused (for status and doctor); called once per attempt.
  virtual void OnDialFailed(const std::string& address, const absl::Status& why) = 0;
};

struct LinkOptions {
  // Sent in LaneOpen, so that the peer can prove what this node signs.
  v1::CertificateChain own_chain;
  // No byte for so long: dead.
  absl::Duration liveness = absl::Seconds(12);
  // Who has said nothing for so long, or for a third of the liveness time, says ping.
  absl::Duration ping_after = absl::Seconds(1);
  // No byte for so long: alive perhaps, and dialled past meanwhile.
  absl::Duration quiet_after = absl::Seconds(3);
  // Between dials, with jitter; a refusal waits up to five times the maximum. Data must flow within
  // 2 s of the link's return.
  absl::Duration redial_min = absl::Milliseconds(100);
  absl::Duration redial_max = absl::Seconds(1);
  // A dial that hangs for so long gets another one beside it, see redial.h.
  absl::Duration redial_beside = absl::Seconds(1);
  // Of a dial; a patient one has three times as long.
  absl::Duration dial_timeout = absl::Seconds(3);
  // A larger frame ends the link: RESOURCE_EXHAUSTED frame_too_large.
  size_t frame_bytes_max = 8 << 20;
  size_t fragment_bytes_max = 256 << 10;
  // Per lane; a sender never has more unconsumed bytes in flight.
  size_t credit_bytes = 4 << 20;
  // What a lane's credit may grow to where the round trip is long and the sender asks for it, and
  // what all lanes of this node together may have beyond `credit_bytes` each.
  size_t credit_bytes_max = 24 << 20;
  size_t credit_more_bytes = 64 << 20;
  // Credit that nobody asks for goes with what is sent anyway, after so long by itself.
  absl::Duration credit_wait = absl::Milliseconds(100);
  // How long frames may wait that are sent with patience.
  absl::Duration patience = absl::Milliseconds(20);
  // Above it the link ends: the core keeps its own window below.
  size_t send_queue_bytes_max = 64 << 20;
  // Hears of every stream that was turned away for its certificate, by whichever check. Any thread.
  std::function<void(const std::string& address, const std::string& certificate,
                     const absl::Status& why)>
      on_refused = nullptr;
};

// Looks at a peer's verified chain: may it be our child (server side) or is it our parent (client
// side)?
using AuthorisePeer = std::function<absl::Status(const VerifiedChain& peer, bool is_parent)>;

// Whether frames may wait for others to go with: `LinkOptions::patience` at most, and less where
// much comes in meanwhile, for which they may be the answer.
enum class Patience { kNone, kSome };

struct LinkStats {
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  absl::Time since;
  absl::Time last_byte_at;
  size_t queued_bytes = 0;
};

class Links {
 public:
  // `network` pins chains. `events` outlives Stop; the object outlives the server it is registered
  // with.
  static std::unique_ptr<Links> Create(LinkOptions options, std::string network, LinkEvents* events,
                                       AuthorisePeer authorise);
  virtual ~Links() = default;

  // To be registered with the server (the node owns the server and its credentials).
  virtual grpc::Service* service() = 0;

  // Starts dialling the parent; makes a channel for each attempt, so that renewed credentials are
  // used.
  virtual void Dial(std::string address,
                    std::function<std::shared_ptr<grpc::Channel>()> make_channel) = 0;

  // Frames are shared, not copied, between links; what is sent together travels together, in the
  // order of its lane. Unknown or ended links are ignored (OnLinkDown is on its way).
  virtual void Send(LinkId link, v1::Lane lane,
                    std::vector<std::shared_ptr<const std::string>> frames,
                    Patience patience = Patience::kNone) = 0;
  virtual void Resume(LinkId link) = 0;
  virtual void Close(LinkId link, const absl::Status& why) = 0;
  virtual LinkStats Stats(LinkId link) const = 0;
  // Ends all sessions and dialling, and waits until their streams are gone. Before the server's
  // shutdown.
  virtual void Stop() = 0;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_LINKS_H_
