// Two or more engines played by hand. Everything they say is written down as one line; a test reads
// like the protocol:
//
//   Stage stage;
//   stage.Add("A", "");
//   stage.Add("B", "b");
//   stage.Link("B", "A");
//   ...
//   stage.Settle();
//   CHECK(stage.Said() == Lines(R"(
//     A -> B: batch D 1.1..2
//     B -> A: ack D 1.2
//   )"));
//
// Frames travel in the order they were sent, commits are confirmed at once, snapshots are made when
// asked for: unless a test says otherwise. Hello, offers and asks are left out unless shown.
#ifndef GUANTONG_TESTS_SCRIPT_STAGE_H_
#define GUANTONG_TESTS_SCRIPT_STAGE_H_

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catalog/memory_store.h"
#include "relay/core/engine.h"
#include "tests/sim/identity.h"

namespace guantong {

// The text's lines without indentation, empty ones left out.
std::string Lines(absl::string_view text);

class Stage {
 public:
  void Add(const std::string& name, const std::string& path, EngineOptions options = {});
  // With an identity that is not the one of its path.
  void AddAs(const std::string& name, const EngineIdentity& identity, EngineOptions options = {});

  // A session between two of them; the older one ends only when an engine says so.
  void Link(const std::string& child, const std::string& parent);
  void Cut(const std::string& a, const std::string& b);

  void Step(const std::string& name, Event event);
  // One commit confirmed, or else one frame delivered, or else one snapshot made; false when there
  // is none.
  bool PlayOne();
  // All of them, until nobody has anything to say.
  void Settle();
  // Virtual time, ticking whoever wants to be.
  void Pass(absl::Duration time);

  // From now on commits of `name` are not confirmed / are.
  void HoldCommits(const std::string& name) { players_.at(name).held = true; }
  void ReleaseCommits(const std::string& name) { players_.at(name).held = false; }
  // From now on what `from` sends to `to` on the bulk lane waits on its way / arrives.
  void HoldBulk(const std::string& from, const std::string& to) { slow_ = {from, to}; }
  void ReleaseBulk() { slow_ = {}; }
  // The next frame from `from` to `to` whose line contains `what` does not arrive.
  void Lose(const std::string& from, const std::string& to, const std::string& what);
  // The last such frame arrives once more.
  void Repeat(const std::string& from, const std::string& to, const std::string& what);
  // A frame nobody's engine sent.
  void Inject(const std::string& from, const std::string& to, const v1::Frame& frame);
  void InjectBytes(const std::string& from, const std::string& to, std::string bytes);
  // Calls delivered are left unanswered.
  void HoldCalls() { hold_calls_ = true; }

  // Ends the engine without confirming what is pending, and starts it over `store` (its own if
  // null).
  void Restart(const std::string& name, std::unique_ptr<MemoryStore> store = nullptr);

  // The same, with other certificates for its key.
  void Become(const std::string& name, const EngineIdentity& identity) {
    players_.at(name).identity = &identity;
    Restart(name);
  }

  // `id` stands in the transcript as `name`.
  FeedKey Name(const std::string& name, const v1::FeedId& id);
  // Hello, offers and asks, too.
  void ShowAll() { show_all_ = true; }

  // What was said since the last time.
  std::string Said();
  // An alarm or a notice of `name` that contains `text` has been raised.
  bool Noticed(const std::string& name, absl::string_view text) const;

  MemoryStore& store(const std::string& name) { return *players_.at(name).store; }
  Engine& engine(const std::string& name) { return *players_.at(name).engine; }
  const EngineIdentity& identity(const std::string& name) const {
    return *players_.at(name).identity;
  }
  // The last frame from `from` to `to` whose line contains `what`.
  v1::Frame Last(const std::string& from, const std::string& to, const std::string& what) const;
  absl::Time now() const { return now_; }

 private:
  struct Pending {
    WriteSet writes;
    uint64_t ticket;
  };
  struct Player {
    std::unique_ptr<MemoryStore> store = std::make_unique<MemoryStore>();
    std::unique_ptr<Engine> engine;
    const EngineIdentity* identity = nullptr;
    EngineOptions options;
    std::deque<Pending> pending;
    std::deque<MakeSnapshot> snapshots;
    bool held = false;
    absl::Time wake_at;
    std::vector<std::string> notices;
  };
  struct Wire {
    std::string from;
    std::string to;
    LinkId to_link;
    v1::Lane lane;
    std::string line;
    std::string bytes;
  };
  struct End {
    std::string at;
    std::string other;
    LinkId other_link;
  };

  void StartEngine(const std::string& name);
  void CarryOut(const std::string& name, Effects effects);
  void Note(std::string line);
  std::string LineOf(const std::string& bytes) const;
  LinkId LinkOf(const std::string& at, const std::string& other) const;

  std::map<std::string, Player> players_;
  std::map<LinkId, End> links_;
  LinkId last_link_ = 0;
  std::deque<Wire> wires_;
  std::vector<Wire> sent_;
  std::vector<std::pair<std::string, std::string>> losses_;  // "A -> B", text
  std::pair<std::string, std::string> slow_;                 // from, to
  std::map<std::string, std::string> names_;                 // short key -> name
  std::vector<std::string> said_;
  bool hold_calls_ = false;
  bool show_all_ = false;
  uint64_t ids_ = 0;
  absl::Time now_ = sim::Dawn();
};

// A dataset named `D` opened at `origin`, with `rows` pushed at once ("key=value").
struct PlayedDataset {
  v1::FeedId feed;
  FeedKey key;
  std::string origin;
  uint64_t commit = 0;
};
PlayedDataset OpenDataset(Stage& stage, const std::string& origin, const std::string& name,
                          bool shared = true);
void PushTo(Stage& stage, PlayedDataset& dataset,
            const std::vector<std::pair<std::string, std::string>>& rows,
            const std::string& push_id = "");
void SubscribeTo(Stage& stage, const std::string& name, const PlayedDataset& dataset);
// "key=value key=value" as readable at `name`; "no table".
std::string RowsAt(Stage& stage, const std::string& name, const PlayedDataset& dataset);

// B is A's child and copies A's dataset D; what that takes is said.
struct Pair {
  explicit Pair(const EngineOptions& options = {});
  Stage stage;
  PlayedDataset d;
};

}  // namespace guantong

#endif  // GUANTONG_TESTS_SCRIPT_STAGE_H_
