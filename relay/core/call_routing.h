// Calls: routed by path, each hop takes off the time it used, executed at most once. A hop that
// cannot go on answers at once; no hop ever repeats a call.
#ifndef GUANTONG_RELAY_CORE_CALL_ROUTING_H_
#define GUANTONG_RELAY_CORE_CALL_ROUTING_H_

#include <map>
#include <set>
#include <string>
#include <utility>

#include "relay/core/state.h"

namespace guantong {

class CallRouting {
 public:
  explicit CallRouting(Core* core) : core_(*core) {}

  void Start(Turn& turn, CallStart event);
  void OnAnswered(Turn& turn, CallAnswered event);
  void OnRequest(Turn& turn, Peer& peer, v1::CallRequest request);
  void OnReply(Turn& turn, Peer& peer, v1::CallReply reply);
  void OnLinkDown(Turn& turn, const Peer& peer);
  void Expire(Turn& turn);
  absl::Time NextDeadline() const;

 private:
  // A call that waits here for its reply. From a link, or, with a token, of this node.
  struct Open {
    LinkId from = 0;
    Token token = 0;
    LinkId to = 0;  // 0: being executed here
    std::string target;
    std::string next_name;      // who was asked, for messages
    std::vector<v1::Hop> hops;  // up to and including this node
    absl::Time deadline;
    bool send_chain = false;  // execution: the caller's chain came along, so ours goes back
    v1::CallRequest
        request;  // own calls: to be sent again with the chain, when the provider lacks it
  };

  void Route(Turn& turn, LinkId from, Token token, v1::CallRequest request);
  void Execute(Turn& turn, Open open, const v1::CallRequest& request);
  absl::Status CheckCaller(Turn& turn, const v1::CallRequest& request, const v1::SignedCall& call);
  absl::Status CheckReply(Turn& turn, const Open& open, const v1::CallReply& reply);
  void Answer(Turn& turn, const Open& open, v1::CallReply reply);
  v1::CallReply Refusal(const std::string& id, v1::CallStatus status, const absl::Status& why,
                        const std::vector<v1::Hop>& hops) const;
  v1::Hop OwnHop() const;
  std::string Here() const;  // path and name, for messages
  void Remember(const std::string& id, absl::Time until);

  void Await(const std::string& id, Open open);
  Open Take(std::map<std::string, Open>::iterator it);  // waits no more

  Core& core_;
  std::map<std::string, Open> open_;
  std::map<LinkId, size_t> open_of_link_;  // by where they came from; own calls are 0
  std::set<std::pair<absl::Time, std::string>> deadlines_;  // of open_
  std::map<std::string, absl::Time> executed_;
  std::set<std::pair<absl::Time, std::string>> executed_by_age_;
  std::map<std::string, std::string>
      chain_of_target_;  // path -> digest, proven by an earlier reply
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_CALL_ROUTING_H_
