// Keeps this node's certificates good while it runs: asks the parent for another chain when the one
// held comes near its end, or when the parent's own has become another one; makes the TLS leaf
// anew; notices that the folder holds another identity because the node was moved. Each of them
// ends the node and begins it anew in the same process, links and people come back by themselves.
#ifndef GUANTONG_NODE_RENEWAL_H_
#define GUANTONG_NODE_RENEWAL_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "guantong/v1/feed.pb.h"
#include "node/site.h"

namespace guantong {

class Renewal {
 public:
  // `begin_anew` is called at most once, from a thread of its own.
  Renewal(const Site* site, std::function<void()> begin_anew);
  ~Renewal() { Stop(); }

  void Start();
  void Stop();

  // The parent presents this issuing chain; another than stands above ours is followed. Any thread.
  void ParentHas(const v1::CertificateChain& chain);
  // The parent presents a place or network that is not in our chain.
  void ParentMoved();

 private:
  void Loop();
  // True when the node is to begin anew.
  bool Look();
  bool Renew();

  const Site& site_;
  const std::function<void()> begin_anew_;
  const std::string stamp_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool stopping_ = false;
  bool parent_has_other_ = false;
  absl::Time try_at_ = absl::InfinitePast();  // the thread's own, as are these
  absl::Duration pause_;
  absl::Status failed_;
  std::thread thread_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_RENEWAL_H_
