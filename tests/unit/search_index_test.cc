// The index against the plain scan of the store: random catalogues, changes, questions and filters
// must give the same hits in the same order with the same counts, over saves, merges, crashes and
// damage.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/facts.h"
#include "catalog/keys.h"
#include "catalog/memory_store.h"
#include "catalog/search/follow.h"
#include "catalog/search/index.h"
#include "catalog/search/query.h"
#include "catalog/view.h"
#include "guantong/storage/v1/store.pb.h"
#include "tests/catch.h"
#include "tests/unit/scratch_folder.h"

namespace guantong::search {
namespace {

const std::vector<std::string> kSyllables = {"企",   "业", "名", "录", "登",   "记",
                                             "信",   "息", "人", "口", "a",    "b1",
                                             "2023", "年", " ",  "、", "企业", "信息"};

class World {
 public:
  explicit World(uint32_t seed) : random_(seed) {
    for (int n = 0; n < 6; ++n) {
      nodes_.push_back(Sha256(absl::StrCat("node", n)));
      paths_.push_back(
          *NodePath::Parse(n < 3 ? absl::StrCat("63000", n) : absl::StrCat("630000/c", n)));
    }
    Open();
  }

  void Open() {
    index_.reset();
    auto opened = Index::Open(folder_.path("search"), "mark");
    REQUIRE(opened.ok());
    index_ = *std::move(opened);
    NodePlaces places;
    for (size_t n = 0; n + 1 < nodes_.size(); ++n)  // the last one is not known
      places[nodes_[n]] = {paths_[n], n < 3 ? v1::LEVEL_PROVINCE : v1::LEVEL_CITY, DivisionOf(n)};
    index_->SetNodes(std::move(places));
  }

  static std::string DivisionOf(size_t node) { return node < 3 ? "440000" : "630100"; }
  // A county hosted by a city is a county.
  v1::Level LevelOf(const v1::CatalogEntry& entry, size_t node) const {
    if (node < 3) return v1::LEVEL_PROVINCE;
    return entry.division() == "630102" ? v1::LEVEL_COUNTY : v1::LEVEL_CITY;
  }

  static std::string LevelName(v1::Level level) {
    return level == v1::LEVEL_PROVINCE ? "province" : level == v1::LEVEL_CITY ? "city" : "county";
  }

  size_t Below(size_t n) { return random_() % n; }
  std::string Words(size_t syllables) {
    std::string text;
    for (size_t i = 0; i < syllables; ++i) text += kSyllables[Below(kSyllables.size())];
    return text;
  }

  v1::CatalogEntry RandomEntry() {
    v1::CatalogEntry entry;
    const size_t node = Below(nodes_.size());
    const size_t number = Below(300);
    entry.set_class_(absl::StrCat("307", number % 7));
    entry.set_code(absl::StrCat("307", number % 7, "/", number));
    // A few codes are claimed by several nodes.
    entry.set_node(nodes_[number % 20 == 0 ? node : number % nodes_.size()]);
    entry.set_name(Words(1 + Below(6)));
    entry.set_provider(absl::StrCat(Words(1), "局"));
    entry.set_provider_code(absl::StrCat("11", Below(4)));
    entry.set_division(Below(2) == 0 ? "630100" : "630102");
    entry.set_abstract(Words(Below(12)));
    for (size_t n = Below(4); n > 0; --n) {
      entry.add_items()->set_name(Words(1 + Below(4)));
      entry.mutable_items(entry.items_size() - 1)->set_field("b1");
    }
    entry.mutable_sharing()->set_type(static_cast<v1::SharingType>(1 + Below(3)));
    entry.mutable_open()->set_public_(Below(2) == 0);
    entry.set_update_cycle(static_cast<v1::UpdateCycle>(1 + Below(3)));
    entry.set_format(Below(2) == 0 ? "0310" : "0203");
    if (Below(2) == 0) entry.add_themes("民生");
    if (Below(3) == 0) entry.add_themes("信用");
    if (Below(4) == 0) entry.add_other_classes("101");
    if (Below(3) == 0) entry.add_key_areas("养老");
    if (Below(3) == 0) entry.add_key_areas("救助");
    if (Below(5) == 0) entry.set_template_("307/000001");
    entry.set_state(Below(8) == 0   ? v1::ENTRY_STATE_SUSPENDED
                    : Below(9) == 0 ? v1::ENTRY_STATE_WITHDRAWN
                                    : v1::ENTRY_STATE_PUBLISHED);
    entry.set_version(++version_);
    entry.mutable_updated_at()->set_seconds(1700000000 + static_cast<int64_t>(Below(40)) * 86400);
    return entry;
  }

  void Append(const v1::CatalogEntry& entry, v1::FeedKind kind, WriteSet* writes) {
    v1::FeedId feed;
    feed.set_origin(entry.node());
    feed.set_kind(kind);
    v1::Records records;
    records.add_records()->set_entry(entry.SerializeAsString());
    REQUIRE(ApplyRecords(feed, NodePath(), records, writes).refused == 0);
    storage::v1::FeedRecord record;
    *record.mutable_feed() = feed;
    record.mutable_head()->set_sequence(++sequence_);
    writes->Put(FeedRecordKey(FeedKey::Of(feed)), record.SerializeAsString());
  }
  // Random changes; what they touch is noted.
  void Change(size_t changes) {
    for (size_t n = 0; n < changes; ++n) {
      v1::CatalogEntry entry = RandomEntry();
      WriteSet writes;
      if (entry.sharing().type() == v1::SHARING_TYPE_NOT_SHARED &&
          entry.state() == v1::ENTRY_STATE_PUBLISHED) {
        if (Below(4) != 0) Append(entry, v1::FEED_KIND_CATALOG_UPWARD, &writes);
        entry.clear_items();
        entry.set_items_withheld(true);
      }
      Append(entry, v1::FEED_KIND_CATALOG_OPEN, &writes);
      if (Below(60) == 0) {
        v1::FeedId feed;
        feed.set_origin(entry.node());
        feed.set_kind(v1::FEED_KIND_CATALOG_OPEN);
        REQUIRE(DropRecords(store_, feed, &writes).ok());
        writes.Delete(FeedRecordKey(FeedKey::Of(feed)));
      }
      NoteChanges({&writes, 1}, &noted_);
      REQUIRE(store_.Commit({&writes, 1}).ok());
    }
  }
  Codes TakeInNoted() {
    REQUIRE(TakeIn(*store_.Snapshot(), noted_, index_.get()).ok());
    return std::exchange(noted_, {});
  }
  void Save() {
    TakeInNoted();
    REQUIRE(index_->Save(*HeadsOf(store_)).ok());
  }
  void Merge() {
    auto job = index_->NextMerge();
    if (!job.has_value()) return;
    const auto written = job->Run([] { return true; });
    REQUIRE(written.ok());
    Change(10);
    TakeInNoted();  // meanwhile
    REQUIRE(index_->FinishMerge(*job, *written).ok());
    ++merges_;
  }
  // As after a crash: what was not saved is lost, what was noted as well.
  void Crash() {
    noted_.clear();
    Open();
    CatchUp();
  }
  void CatchUp() {
    if (!index_->heads().has_value()) {
      index_->Clear();
      REQUIRE(LoadAll(*store_.Snapshot(), {}, index_.get()).ok());
      return;
    }
    const auto codes = ChangedSince(store_, *index_->heads(), *index_->view());
    REQUIRE(codes.ok());
    REQUIRE(TakeIn(*store_.Snapshot(), *codes, index_.get()).ok());
  }

  bool Passes(const v1::CatalogEntry& entry, const Query& query) const {
    const v1::SearchFilter& r = query.filter;
    const auto node = std::find(nodes_.begin(), nodes_.end() - 1, entry.node());
    if (node == nodes_.end() - 1) return false;
    const auto n = static_cast<size_t>(node - nodes_.begin());
    if (!query.within.Contains(paths_[n])) return false;
    if (query.outside.has_value() && query.outside->Contains(paths_[n])) return false;
    if (r.level() != 0 && r.level() != LevelOf(entry, n)) return false;
    const auto below = [&](const std::string& code) {
      return r.class_().empty() ||
             (absl::StartsWith(code, r.class_()) && (!query.in_class || query.in_class(code)));
    };
    bool in_class = below(entry.class_());
    for (const auto& other : entry.other_classes()) in_class |= below(other);
    if (!in_class) return false;
    if (r.division() == "630102" && entry.division() != "630102") return false;
    if (!r.provider().empty() && r.provider() != entry.provider_code() &&
        r.provider() != entry.provider())
      return false;
    if (r.sharing() != 0 && r.sharing() != entry.sharing().type()) return false;
    if (r.has_open() && r.open() != entry.open().public_()) return false;
    if (!absl::StartsWith(entry.format(), r.format())) return false;
    if (r.update_cycle() != 0 && r.update_cycle() != entry.update_cycle()) return false;
    if (!r.theme().empty() &&
        std::count(entry.themes().begin(), entry.themes().end(), r.theme()) == 0)
      return false;
    if (!r.key_area().empty() &&
        std::count(entry.key_areas().begin(), entry.key_areas().end(), r.key_area()) == 0)
      return false;
    if (!r.template_().empty() && r.template_() != entry.template_()) return false;
    if (!r.since().empty() && entry.updated_at().seconds() < since_) return false;
    return true;
  }

  // By the scan: codes in order, and the counts.
  struct Expected {
    std::vector<std::string> codes;
    std::map<std::string, uint64_t> by_class, by_sharing, by_theme, by_level, by_key_area;
  };
  Expected Scan(const Query& query, const std::string& words) {
    const std::vector<Piece> pieces = PiecesOf(words);
    const UpwardItems items =
        query.audience == kForOwn ? UpwardItems::kShown : UpwardItems::kKeptBack;
    std::vector<std::pair<std::string, std::string>> ranked;
    Expected expected;
    for (const v1::CatalogEntry& listed : FindEntries(store_, {.limit = 100000}).entries) {
      const v1::CatalogEntry entry = *FindEntry(store_, listed.code(), items);
      const std::string text = TextOf(entry);
      const bool holds = std::all_of(pieces.begin(), pieces.end(), [&](const Piece& piece) {
        return FindPiece(text, piece.text) != absl::string_view::npos;
      });
      if (!holds || !Passes(entry, query)) continue;
      const std::string name = Fold(entry.name());
      bool in_name = true;
      for (const Piece& piece : pieces)
        in_name &= FindPiece(name, piece.text) != absl::string_view::npos;
      uint32_t chars = 0;
      for (size_t at = 0; at < name.size(); ++chars) NextChar(name, &at);
      const auto newest = absl::StrFormat("%012d", 9000000000 - entry.updated_at().seconds());
      const v1::SearchSort sort = query.sort;
      ranked.emplace_back(
          sort == v1::SEARCH_SORT_NAME   ? absl::StrCat(NameKey(name), std::string(1, '\0'))
          : sort == v1::SEARCH_SORT_DATE ? newest
                                         : absl::StrFormat("%d%08d%s", !in_name, chars, newest),
          entry.code());
      ++expected.by_class[entry.class_()];
      for (const auto& other : entry.other_classes()) ++expected.by_class[other];
      ++expected.by_sharing[absl::StrCat(entry.sharing().type())];
      for (const auto& theme : entry.themes()) ++expected.by_theme[theme];
      for (const auto& area : entry.key_areas()) ++expected.by_key_area[area];
      const auto node = std::find(nodes_.begin(), nodes_.end(), entry.node());
      ++expected.by_level[LevelName(LevelOf(entry, static_cast<size_t>(node - nodes_.begin())))];
    }
    std::sort(ranked.begin(), ranked.end());
    for (const auto& [rank, code] : ranked) expected.codes.push_back(code);
    return expected;
  }

  Query RandomQuery(std::string* words) {
    Query query;
    *words = Below(8) == 0 ? "" : Words(1 + Below(3));
    for (const Piece& piece : PiecesOf(*words)) query.words.push_back({piece});
    query.audience = Below(2) == 0 ? kForOwn : kForOthers;
    v1::SearchFilter& r = query.filter;
    if (Below(4) == 0) r.set_class_(Below(2) == 0 ? "307" : Below(2) == 0 ? "3071" : "1");
    // 3073 begins like 307 and stands elsewhere.
    if (Below(2) == 0)
      query.in_class = [](absl::string_view code) { return !absl::StartsWith(code, "3073"); };
    if (Below(5) == 0) r.set_division(Below(2) == 0 ? "630102" : "630000");
    if (Below(6) == 0) r.set_provider(Below(2) == 0 ? "112" : "企局");
    if (Below(5) == 0) r.set_sharing(static_cast<v1::SharingType>(1 + Below(3)));
    if (Below(6) == 0) r.set_open(Below(2) == 0);
    if (Below(6) == 0) r.set_format(Below(2) == 0 ? "03" : "0203");
    if (Below(6) == 0) r.set_update_cycle(static_cast<v1::UpdateCycle>(1 + Below(3)));
    if (Below(6) == 0) r.set_theme("信用");
    if (Below(6) == 0) r.set_key_area("养老");
    if (Below(6) == 0) r.set_template_("307/000001");
    if (Below(6) == 0) r.set_level(Below(2) == 0 ? v1::LEVEL_CITY : v1::LEVEL_COUNTY);
    if (Below(5) == 0) r.set_since("2023-12-01");
    if (Below(4) == 0) query.within = paths_[Below(paths_.size())];
    if (Below(6) == 0) query.outside = paths_[0];
    query.sort = static_cast<v1::SearchSort>(Below(4));
    query.facets = true;
    return query;
  }

  static std::map<std::string, uint64_t> Counts(const Found& found, const std::string& name) {
    std::map<std::string, uint64_t> counts;
    for (const v1::Facet& facet : found.facets) {
      if (facet.name() != name) continue;
      for (const v1::FacetCount& count : facet.counts()) counts[count.value()] = count.entries();
    }
    return counts;
  }

  void Compare(size_t questions) {
    for (size_t n = 0; n < questions; ++n) {
      std::string words;
      Query query = RandomQuery(&words);
      const Expected expected = Scan(query, words);
      INFO("words '" << words << "' " << query.filter.ShortDebugString() << " audience "
                     << int{query.audience} << " within " << query.within.text());
      // Page by page, with any page size.
      query.limit = 1 + Below(30);
      std::vector<std::string> codes;
      uint64_t total = 0;
      std::string last;
      while (true) {
        const auto found = Search(*index_->view(), query);
        REQUIRE(found.ok());
        CHECK_FALSE(found->total_is_least);
        total = found->total;
        for (const Hit& hit : found->hits) {
          CHECK(hit.rank > last);
          last = hit.rank;
          codes.push_back(hit.code);
        }
        if (codes.size() <= query.limit) {
          CHECK(Counts(*found, "class") == expected.by_class);
          CHECK(Counts(*found, "theme") == expected.by_theme);
          CHECK(Counts(*found, "key_area") == expected.by_key_area);
          CHECK(Counts(*found, "level") == expected.by_level);
          CHECK(Counts(*found, "sharing").size() == expected.by_sharing.size());
        }
        if (!found->more) break;
        query.after = found->hits.back().rank;
      }
      CHECK(codes == expected.codes);
      CHECK(total == expected.codes.size());
    }
  }

  MemoryStore store_;
  ScratchFolder folder_;
  std::unique_ptr<Index> index_;
  Codes noted_;
  size_t merges_ = 0;
  static constexpr int64_t since_ = 1701360000;  // 2023-12-01 00:00 at +08:00

 private:
  std::mt19937 random_;
  std::vector<std::string> nodes_;
  std::vector<NodePath> paths_;
  uint64_t version_ = 0;
  uint64_t sequence_ = 0;
};

Helpers Threads() {
  return {.beside =
              [](const std::function<void()>& work) {
                auto thread = std::make_shared<std::thread>(work);
                return [thread] { thread->join(); };
              },
          .at_once = 3};
}

TEST_CASE("search: the index finds what the scan finds, in order, with its counts") {
  size_t merges = 0;
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    World world(seed);
    world.Change(150);
    world.CatchUp();
    world.Compare(60);
    for (int round = 0; round < 30; ++round) {
      world.Change(1 + world.Below(30));
      world.TakeInNoted();
      world.Compare(8);
      if (world.Below(2) == 0) world.Save();
      if (world.Below(2) == 0) world.Merge();
      world.Compare(8);
      if (world.Below(6) == 0) world.Crash();
      world.Compare(4);
    }
    merges += world.merges_;
  }
  CHECK(merges > 0);
}

TEST_CASE("search: made by several threads while entries change, each is there once and as it is") {
  World world(11);
  world.Change(300);
  world.TakeInNoted();
  world.index_->Clear();
  LoadOptions options = {.helpers = Threads(), .entries_max = 7};
  size_t segments = 0;
  options.between = [&](Codes* taken) {
    ++segments;
    world.Change(5);
    *taken = world.TakeInNoted();
    return true;
  };
  REQUIRE(LoadAll(*world.store_.Snapshot(), options, world.index_.get()).ok());
  CHECK(segments > 5);
  world.Compare(60);
}

TEST_CASE(
    "search: many that come together are a file at once; a crash before a manifest names it") {
  World world(13);
  constexpr size_t kEntries = 3 * kFileAtOnceMin + 100;
  for (size_t n = 0; n < kEntries; ++n) {
    v1::CatalogEntry entry = world.RandomEntry();
    entry.set_code(absl::StrCat("307/9", n));
    entry.set_state(v1::ENTRY_STATE_PUBLISHED);
    entry.mutable_sharing()->set_type(v1::SHARING_TYPE_UNCONDITIONAL);
    WriteSet writes;
    world.Append(entry, v1::FEED_KIND_CATALOG_OPEN, &writes);
    NoteChanges({&writes, 1}, &world.noted_);
    REQUIRE(world.store_.Commit({&writes, 1}).ok());
  }
  REQUIRE(TakeIn(*world.store_.Snapshot(), world.noted_, world.index_.get(), {}, Threads()).ok());
  const auto files = [&] {
    const auto view = world.index_->view();
    return std::count_if(view->parts.begin(), view->parts.end(),
                         [](const Part& part) { return !part.file.empty(); });
  };
  CHECK(files() == 2);
  world.Compare(4);
  // Again, some of them changed: the rest costs a look and no file.
  world.Change(20);
  REQUIRE(TakeIn(*world.store_.Snapshot(), world.noted_, world.index_.get(), {}, Threads()).ok());
  CHECK(files() == 2);
  world.Compare(4);
  world.noted_.clear();
  world.Open();
  CHECK(files() == 0);
  world.CatchUp();
  world.Save();
  world.Open();
  CHECK(files() > 0);
  world.Compare(4);
}

TEST_CASE("search: a code that a segment has is never filtered out, nearly all others are") {
  constexpr int kCodes = 20000;
  CodeFilter filter(kCodes);
  for (int n = 0; n < kCodes; ++n) filter.Add(absl::StrCat("3070120337/", n));
  int passed = 0;
  for (int n = 0; n < kCodes; ++n) {
    REQUIRE(filter.MayHold(absl::StrCat("3070120337/", n)));
    passed += filter.MayHold(absl::StrCat("3070120338/", n)) ? 1 : 0;
  }
  CHECK(passed < kCodes / 20);
  CHECK_FALSE(CodeFilter().MayHold("3070120337/1"));
}

TEST_CASE("search: what the asker's levels hide is no hit and in no count") {
  World world(12);
  world.Change(200);
  world.TakeInNoted();
  Query query;
  query.facets = true;
  query.limit = 1000;
  const Found all = *Search(*world.index_->view(), query);
  REQUIRE(all.total > 20);
  // The word of a city on its own branch counts; on another it does not.
  std::vector<Ruler> rulers = {{.node_id = std::string(32, 'r'), .path = NodePath()}};
  const auto hide = [&](const std::string& code) {
    v1::Ruling ruling;
    ruling.set_code(code);
    ruling.set_hidden_because("整改");
    WriteSet writes;
    writes.Put(EntryKey(FeedKey::Of(RulingsFeed(rulers[0].node_id)), code),
               ruling.SerializeAsString());
    REQUIRE(world.store_.Commit({&writes, 1}).ok());
  };
  for (size_t n = 0; n < 5; ++n) hide(all.hits[n * 3].code);
  query.hidden = HiddenEntries(world.store_, rulers);
  const Found shown = *Search(*world.index_->view(), query);
  CHECK(shown.total == all.total - 5);
  CHECK(shown.hits.size() == all.hits.size() - 5);
  const auto sum = [](const Found& found) {
    uint64_t entries = 0;
    for (const auto& [value, count] : World::Counts(found, "sharing")) entries += count;
    return entries;
  };
  CHECK(sum(all) == all.total);
  CHECK(sum(shown) == shown.total);
  const auto in_classes = [&](const HiddenEntries& hidden) {
    uint64_t entries = 0;
    for (const ClassTotal& total : CountClasses(*world.index_->view(), kForOthers, hidden))
      entries += total.entries;
    return entries;
  };
  CHECK(in_classes({}) == all.total);
  CHECK(in_classes(query.hidden) == shown.total);
  rulers[0].path = *NodePath::Parse("999999");
  query.hidden = HiddenEntries(world.store_, rulers);
  CHECK(Search(*world.index_->view(), query)->total == all.total);
}

TEST_CASE(
    "search: a crash in the middle of building and of merging loses nothing and leaves nothing") {
  World world(7);
  world.Change(200);
  // Building: a segment is there, the manifest does not say that it is all.
  REQUIRE_FALSE(LoadAll(*world.store_.Snapshot(), {.between = [](Codes*) { return false; }},
                        world.index_.get())
                    .ok());
  REQUIRE(world.index_->Save(std::nullopt).ok());
  world.Crash();
  world.Compare(20);
  // Merging: the new file is half written, the old ones hold.
  std::optional<MergeJob> job;
  for (size_t n = 0; n < 100 && !job.has_value(); ++n) {
    world.Change(12);
    world.Save();
    job = world.index_->NextMerge();
  }
  REQUIRE(job.has_value());
  int asked = 0;
  CHECK(job->Run([&] { return ++asked < 2; }).status().code() == absl::StatusCode::kCancelled);
  std::ofstream(job->path) << "half";
  world.Crash();
  CHECK_FALSE(std::filesystem::exists(job->path));
  world.Compare(20);
  // Finished, and the manifest not yet written.
  for (size_t n = 0; n < 100 && world.merges_ == 0; ++n) {
    world.Change(12);
    world.Save();
    world.Merge();
  }
  REQUIRE(world.merges_ == 1);
  world.Crash();
  world.Compare(20);
}

TEST_CASE("search: a damaged or foreign index is thrown away and made anew") {
  World world(9);
  world.Change(200);
  world.CatchUp();
  world.Save();
  std::filesystem::path segment;
  for (const auto& entry : std::filesystem::directory_iterator(world.folder_.path("search"))) {
    if (absl::StartsWith(entry.path().filename().string(), "segment-")) segment = entry.path();
  }
  REQUIRE_FALSE(segment.empty());
  const auto size = std::filesystem::file_size(segment);
  for (const size_t at :
       {size_t{100}, static_cast<size_t>(size / 2), static_cast<size_t>(size - 60)}) {
    world.Open();
    world.CatchUp();
    world.Save();
    for (const auto& entry : std::filesystem::directory_iterator(world.folder_.path("search"))) {
      if (absl::StartsWith(entry.path().filename().string(), "segment-")) segment = entry.path();
    }
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char was = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(was ^ 0x10));
    file.close();
    world.Open();
    CHECK_FALSE(world.index_->started_empty().empty());
    CHECK_FALSE(world.index_->heads().has_value());
    CHECK(world.index_->view()->documents == 0);
    world.CatchUp();
    world.Compare(5);
  }
  world.Save();
  std::filesystem::resize_file(world.folder_.path("search/manifest"), 10);
  world.Open();
  CHECK_FALSE(world.index_->started_empty().empty());
  world.CatchUp();
  world.Save();
  CHECK(Index::Open(world.folder_.path("search"), "mark").value()->heads().has_value());
  CHECK_FALSE(
      Index::Open(world.folder_.path("search"), "another store").value()->heads().has_value());
}

TEST_CASE("search: counts of two answers that share nothing are their sum") {
  google::protobuf::RepeatedPtrField<v1::Facet> a, b;
  v1::Facet* facet = a.Add();
  facet->set_name("sharing");
  facet->add_counts()->set_value("conditional");
  facet->mutable_counts(0)->set_entries(3);
  *b.Add() = *facet;
  b.Mutable(0)->add_counts()->set_value("not_shared");
  b.Mutable(0)->mutable_counts(1)->set_entries(9);
  MergeFacets(b, &a);
  REQUIRE(a.size() == 1);
  REQUIRE(a[0].counts_size() == 2);
  CHECK(a[0].counts(0).value() == "not_shared");
  CHECK(a[0].counts(1).entries() == 6);
}

}  // namespace
}  // namespace guantong::search
