#include "catalog/search/index.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/division.h"
#include "catalog/search/filter.h"
#include "guantong/storage/v1/search.pb.h"

namespace guantong::search {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kFormatVersion = 2;
constexpr char kManifestFile[] = "manifest";
constexpr size_t kManifestBytesMax = 256 << 20;

class StringSink final : public Sink {
 public:
  absl::Status Append(absl::string_view bytes) override {
    bytes_.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

uint32_t VersionNow() { return kFormatVersion * 1000 + kDocumentVersion; }

std::shared_ptr<const roaring_bitmap_t> Shared(Bitmap bitmap) {
  return {bitmap.release(), FreeBitmap()};
}

}  // namespace

absl::StatusOr<WrittenSegment> MergeJob::Run(const std::function<bool()>& goes_on) const {
  GT_ASSIGN_OR_RETURN(const std::unique_ptr<FileSink> sink, FileSink::Create(path));
  GT_ASSIGN_OR_RETURN(WrittenSegment written, MergeSegments(inputs, sink.get(), goes_on));
  GT_RETURN_IF_ERROR(sink->Finish());
  return written;
}

absl::StatusOr<Part> LoadJob::Run(const std::vector<Document>& documents) const {
  Part part;
  part.file = file;
  if (documents.empty()) return part;
  if (file.empty()) {
    StringSink sink;
    GT_RETURN_IF_ERROR(WriteSegment(documents, &sink).status());
    GT_ASSIGN_OR_RETURN(part.segment, Segment::Open(BytesIn(sink.Take())));
    return part;
  }
  GT_ASSIGN_OR_RETURN(const std::unique_ptr<FileSink> sink, FileSink::Create(path));
  GT_ASSIGN_OR_RETURN(const WrittenSegment written, WriteSegment(documents, sink.get()));
  GT_RETURN_IF_ERROR(sink->Finish());
  GT_ASSIGN_OR_RETURN(std::shared_ptr<const Bytes> bytes, MapFile(path));
  GT_ASSIGN_OR_RETURN(part.segment, Segment::Open(std::move(bytes)));
  part.digest = written.digest;
  return part;
}

absl::StatusOr<std::unique_ptr<Index>> Index::Open(const std::string& folder,
                                                   const std::string& mark) {
  std::unique_ptr<Index> index(new Index(folder, mark));
  if (folder.empty()) return index;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return Error(
        absl::StatusCode::kUnavailable, "index_failed",
        absl::StrCat("检索索引目录无法建立 (cannot make the index folder): ", error.message()),
        folder);
  }
  if (const absl::Status loaded = index->LoadManifest(); !loaded.ok()) {
    index->started_empty_ = std::string(loaded.message());
    index->Clear();
  }
  index->RemoveUnnamed();
  return index;
}

std::string Index::PathOf(const std::string& file) const {
  return (fs::path(folder_) / file).string();
}

std::shared_ptr<const View> Index::view() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return view_;
}

absl::Status Index::LoadManifest() {
  std::ifstream in(PathOf(kManifestFile), std::ios::binary);
  if (!in) {
    return Error(absl::StatusCode::kNotFound, "index_absent", "还没有检索索引 (no index yet)");
  }
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  storage::v1::SearchManifest manifest;
  const bool sound =
      bytes.size() > kDigestBytes && bytes.size() < kManifestBytesMax &&
      Sha256(absl::string_view(bytes).substr(kDigestBytes)) == bytes.substr(0, kDigestBytes) &&
      manifest.ParseFromString(bytes.substr(kDigestBytes));
  if (!sound)
    return Error(absl::StatusCode::kDataLoss, "index_damaged",
                 "检索索引清单损坏 (damaged manifest)");
  if (manifest.version() != VersionNow() || manifest.mark() != mark_) {
    return Error(absl::StatusCode::kFailedPrecondition, "index_other",
                 "检索索引属于另一版本或另一数据目录 (an index of another "
                 "version or store)");
  }
  std::vector<Part> parts;
  for (const storage::v1::SearchSegment& noted : manifest.segments()) {
    GT_ASSIGN_OR_RETURN(std::shared_ptr<const Bytes> file, MapFile(PathOf(noted.file())));
    Part part;
    GT_ASSIGN_OR_RETURN(part.segment, Segment::Open(std::move(file), noted.sha256()));
    part.file = noted.file();
    part.digest = noted.sha256();
    std::vector<uint64_t> deleted((part.segment->size() + 63) / 64);
    for (size_t i = 0; i < deleted.size() && (i + 1) * 8 <= noted.deleted().size(); ++i) {
      for (size_t b = 0; b < 8; ++b) {
        deleted[i] |= uint64_t{static_cast<unsigned char>(noted.deleted()[i * 8 + b])} << (8 * b);
      }
      part.deleted_count += static_cast<uint32_t>(__builtin_popcountll(deleted[i]));
    }
    part.deleted = std::make_shared<const std::vector<uint64_t>>(std::move(deleted));
    parts.push_back(std::move(part));
  }
  next_file_ = manifest.next_file();
  if (manifest.heads_size() > 0) {
    heads_.emplace();
    for (const storage::v1::SearchHead& head : manifest.heads())
      (*heads_)[head.feed()] = head.head();
  }
  for (Part& part : parts) FillPart(&part, {});
  Publish(std::move(parts));
  return absl::OkStatus();
}

absl::Status Index::WriteManifest() {
  storage::v1::SearchManifest manifest;
  manifest.set_version(VersionNow());
  manifest.set_mark(mark_);
  manifest.set_next_file(next_file_);
  for (const Part& part : view_->parts) {
    if (part.file.empty()) continue;
    storage::v1::SearchSegment* noted = manifest.add_segments();
    noted->set_file(part.file);
    noted->set_bytes(part.segment->bytes());
    noted->set_sha256(part.digest);
    std::string* deleted = noted->mutable_deleted();
    if (part.deleted_count == 0) continue;
    for (uint64_t word : *part.deleted) {
      for (size_t b = 0; b < 8; ++b) deleted->push_back(static_cast<char>(word >> (8 * b) & 0xFF));
    }
  }
  if (heads_.has_value()) {
    for (const auto& [feed, head] : *heads_) {
      storage::v1::SearchHead* noted = manifest.add_heads();
      noted->set_feed(feed);
      noted->set_head(head);
    }
  }
  const std::string body = manifest.SerializeAsString();
  const std::string fresh = PathOf(absl::StrCat(kManifestFile, ".new"));
  GT_ASSIGN_OR_RETURN(const std::unique_ptr<FileSink> sink, FileSink::Create(fresh));
  GT_RETURN_IF_ERROR(sink->Append(Sha256(body)));
  GT_RETURN_IF_ERROR(sink->Append(body));
  GT_RETURN_IF_ERROR(sink->Finish());
  // The files it names first, then its own name.
  GT_RETURN_IF_ERROR(SyncFolder(folder_));
  std::error_code error;
  fs::rename(fresh, PathOf(kManifestFile), error);
  if (error) {
    return Error(absl::StatusCode::kUnavailable, "index_failed",
                 absl::StrCat("检索索引清单写入失败 (manifest): ", error.message()), folder_);
  }
  return SyncFolder(folder_);
}

void Index::RemoveUnnamed() const {
  std::set<std::string> named = writing_;
  named.insert(kManifestFile);
  for (const Part& part : view_->parts) named.insert(part.file);
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    const std::string file = entry.path().filename().string();
    const bool ours = absl::StartsWith(file, "segment-") || absl::StartsWith(file, kManifestFile);
    if (ours && named.count(file) == 0) fs::remove(entry.path(), error);
  }
}

void Index::Clear() {
  heads_.reset();
  for (auto& numbers : numbers_) numbers.clear();
  Publish({});
  if (folder_.empty()) return;
  std::error_code error;
  fs::remove(PathOf(kManifestFile), error);
  RemoveUnnamed();
}

void Index::NumberValues(Part* part) {
  const Segment& segment = *part->segment;
  auto values = std::make_shared<std::array<ValueNumbers, kAttributes>>();
  for (size_t a = 0; a < kAttributes; ++a) {
    if (a == kNode) continue;
    ValueNumbers& of = (*values)[a];
    of.begins = {0};
    for (uint32_t v = 0; v < segment.values(a); ++v) {
      VisitValues(segment.value(a, v), [&](absl::string_view value) {
        if (value.empty()) return;
        const auto next = static_cast<uint32_t>(numbers_[a].size());
        of.numbers.push_back(numbers_[a].try_emplace(value, next).first->second);
      });
      of.begins.push_back(static_cast<uint32_t>(of.numbers.size()));
    }
  }
  part->values = std::move(values);
}

void Index::FillPart(Part* part, const NodePlaces& nodes) {
  const Segment& segment = *part->segment;
  if (part->values == nullptr) NumberValues(part);
  if (part->deleted == nullptr) {
    part->deleted = std::make_shared<const std::vector<uint64_t>>((segment.size() + 63) / 64);
  }
  auto places = std::make_shared<std::vector<Standing>>();
  for (uint32_t v = 0; v < segment.values(kNode); ++v) {
    const NodeOf value = ParseNodeValue(segment.value(kNode, v));
    const auto at = nodes.find(std::string(value.node));
    Standing& standing = places->emplace_back();
    if (at == nodes.end()) continue;
    standing.node = &at->second;
    standing.level = IsHostedDivision(value.division, at->second.division)
                         ? LevelOfDivision(value.division)
                         : at->second.level;
  }
  std::vector<uint32_t> others, own;
  for (uint32_t d = 0; d < segment.size(); ++d) {
    if (HasBit(*part->deleted, d) || (*places)[segment.ordinals(kNode)[d]].node == nullptr)
      continue;
    if (segment.audience(d) & kForOthers) others.push_back(d);
    if (segment.audience(d) & kForOwn) own.push_back(d);
  }
  part->for_others = Shared(Bitmap(roaring_bitmap_of_ptr(others.size(), others.data())));
  part->for_own = others == own ? part->for_others
                                : Shared(Bitmap(roaring_bitmap_of_ptr(own.size(), own.data())));
  part->places = std::move(places);
}

void Index::Publish(std::vector<Part> parts) {
  auto view = std::make_shared<View>();
  view->nodes = view_->nodes;
  for (size_t a = 0; a < kAttributes; ++a)
    view->values[a] = static_cast<uint32_t>(numbers_[a].size());
  for (const Part& part : parts) view->documents += part.segment->size() - part.deleted_count;
  view->parts = std::move(parts);
  std::lock_guard<std::mutex> lock(mutex_);
  view_ = std::move(view);
}

void Index::SetNodes(NodePlaces nodes) {
  auto held = std::make_shared<const NodePlaces>(std::move(nodes));
  std::vector<Part> parts = view_->parts;
  for (Part& part : parts) FillPart(&part, *held);
  auto view = std::make_shared<View>(*view_);
  view->nodes = std::move(held);
  view->parts = std::move(parts);
  std::lock_guard<std::mutex> lock(mutex_);
  view_ = std::move(view);
}

void Index::DeleteCodes(const std::vector<std::string>& codes, std::vector<Part>* parts) const {
  for (Part& part : *parts) {
    std::vector<uint32_t> gone;
    for (const std::string& code : codes) {
      for (uint32_t d : part.segment->WithCode(code)) {
        if (!HasBit(*part.deleted, d)) gone.push_back(d);
      }
    }
    if (gone.empty()) continue;
    auto deleted = std::make_shared<std::vector<uint64_t>>(*part.deleted);
    Bitmap others(roaring_bitmap_copy(part.for_others.get()));
    Bitmap own(roaring_bitmap_copy(part.for_own.get()));
    for (uint32_t d : gone) {
      (*deleted)[d / 64] |= uint64_t{1} << (d % 64);
      roaring_bitmap_remove(others.get(), d);
      roaring_bitmap_remove(own.get(), d);
    }
    part.deleted_count += static_cast<uint32_t>(gone.size());
    part.deleted = std::move(deleted);
    part.for_others = Shared(std::move(others));
    part.for_own = Shared(std::move(own));
  }
}

absl::StatusOr<Part> Index::MergeParts(const std::vector<Part>& parts, const std::string& file) {
  std::vector<MergeInput> inputs;
  for (const Part& part : parts) inputs.push_back({part.segment, *part.deleted});
  Part merged;
  const auto goes_on = [] { return true; };
  if (file.empty()) {
    StringSink sink;
    GT_RETURN_IF_ERROR(MergeSegments(inputs, &sink, goes_on).status());
    GT_ASSIGN_OR_RETURN(merged.segment, Segment::Open(BytesIn(sink.Take())));
  } else {
    GT_ASSIGN_OR_RETURN(const std::unique_ptr<FileSink> sink, FileSink::Create(PathOf(file)));
    GT_ASSIGN_OR_RETURN(const WrittenSegment written, MergeSegments(inputs, sink.get(), goes_on));
    GT_RETURN_IF_ERROR(sink->Finish());
    GT_ASSIGN_OR_RETURN(std::shared_ptr<const Bytes> bytes, MapFile(PathOf(file)));
    GT_ASSIGN_OR_RETURN(merged.segment, Segment::Open(std::move(bytes)));
    merged.file = file;
    merged.digest = written.digest;
  }
  FillPart(&merged, *view_->nodes);
  return merged;
}

absl::Status Index::CompactMemory(std::vector<Part>* parts) {
  std::vector<Part> in_memory;
  for (const Part& part : *parts) {
    if (part.file.empty()) in_memory.push_back(part);
  }
  if (in_memory.size() <= kMemorySegmentsMax) return absl::OkStatus();
  GT_ASSIGN_OR_RETURN(Part merged, MergeParts(in_memory, ""));
  parts->erase(std::remove_if(parts->begin(), parts->end(),
                              [](const Part& part) { return part.file.empty(); }),
               parts->end());
  if (merged.segment->size() > 0) parts->push_back(std::move(merged));
  return absl::OkStatus();
}

absl::Status Index::Apply(const std::vector<std::string>& codes, std::vector<Document> documents) {
  const LoadJob job = documents.size() < kFileAtOnceMin ? LoadJob() : BeginLoad();
  return Replace(codes, job, job.Run(documents));
}

absl::Status Index::Replace(const std::vector<std::string>& codes, const LoadJob& job,
                            absl::StatusOr<Part> made) {
  Release(job);
  GT_RETURN_IF_ERROR(made.status());
  std::vector<Part> parts = view_->parts;
  DeleteCodes(codes, &parts);
  if (made->segment != nullptr) {
    FillPart(&*made, *view_->nodes);
    parts.push_back(*std::move(made));
    GT_RETURN_IF_ERROR(CompactMemory(&parts));
  }
  Publish(std::move(parts));
  return absl::OkStatus();
}

LoadJob Index::BeginLoad() {
  LoadJob job;
  if (folder_.empty()) return job;
  job.file = absl::StrCat("segment-", next_file_++);
  job.path = PathOf(job.file);
  writing_.insert(job.file);
  return job;
}

void Index::FinishLoad(Part made, const std::set<std::string>& changed) {
  writing_.erase(made.file);
  if (made.segment == nullptr) return;
  FillPart(&made, *view_->nodes);
  std::vector<Part> fresh = {std::move(made)};
  DeleteCodes({changed.begin(), changed.end()}, &fresh);
  std::vector<Part> parts = view_->parts;
  parts.push_back(std::move(fresh[0]));
  Publish(std::move(parts));
}

bool Index::WantsSave() const {
  size_t documents = 0;
  for (const Part& part : view_->parts) {
    if (part.file.empty()) documents += part.segment->size();
  }
  return documents >= kMemoryDocumentsMax;
}

absl::Status Index::Save(std::optional<Heads> heads) {
  if (folder_.empty()) {
    heads_ = std::move(heads);
    return absl::OkStatus();
  }
  std::vector<Part> in_memory, parts;
  for (const Part& part : view_->parts) {
    if (part.deleted_count == part.segment->size()) continue;
    (part.file.empty() ? in_memory : parts).push_back(part);
  }
  if (!in_memory.empty()) {
    GT_ASSIGN_OR_RETURN(Part merged, MergeParts(in_memory, absl::StrCat("segment-", next_file_++)));
    parts.push_back(std::move(merged));
  }
  Publish(std::move(parts));
  heads_ = std::move(heads);
  GT_RETURN_IF_ERROR(WriteManifest());
  RemoveUnnamed();
  return absl::OkStatus();
}

std::optional<MergeJob> Index::NextMerge() {
  if (folder_.empty()) return std::nullopt;
  // By power of four of what is in force; a file that is half deleted is worth
  // it alone.
  std::map<int, std::vector<const Part*>> by_size;
  const Part* wasteful = nullptr;
  for (const Part& part : view_->parts) {
    if (part.file.empty()) continue;
    const uint64_t live = part.segment->size() - part.deleted_count;
    by_size[(63 - __builtin_clzll(live | 1)) / 2].push_back(&part);
    if (part.segment->size() > kMemoryDocumentsMax && part.deleted_count > live) wasteful = &part;
  }
  std::vector<const Part*> chosen;
  for (const auto& [unused, parts] : by_size) {
    if (parts.size() >= kSegmentsOfSizeMax && chosen.empty()) chosen = parts;
  }
  if (chosen.empty() && wasteful != nullptr) chosen = {wasteful};
  if (chosen.empty()) return std::nullopt;
  MergeJob job;
  for (const Part* part : chosen) {
    job.files.push_back(part->file);
    job.inputs.push_back({part->segment, *part->deleted});
  }
  job.file = absl::StrCat("segment-", next_file_++);
  writing_.insert(job.file);
  job.path = PathOf(job.file);
  return job;
}

absl::Status Index::FinishMerge(const MergeJob& job, const WrittenSegment& written) {
  writing_.erase(job.file);
  GT_ASSIGN_OR_RETURN(std::shared_ptr<const Bytes> bytes, MapFile(job.path));
  Part merged;
  GT_ASSIGN_OR_RETURN(merged.segment, Segment::Open(std::move(bytes)));
  merged.file = job.file;
  merged.digest = written.digest;
  // What was deleted meanwhile: a code's documents go together.
  std::vector<uint64_t> deleted((merged.segment->size() + 63) / 64);
  std::vector<Part> parts;
  for (const Part& part : view_->parts) {
    const auto at = std::find(job.files.begin(), job.files.end(), part.file);
    if (at == job.files.end()) {
      parts.push_back(part);
      continue;
    }
    const std::vector<uint64_t>& before =
        job.inputs[static_cast<size_t>(at - job.files.begin())].deleted;
    for (size_t w = 0; w < part.deleted->size(); ++w) {
      uint64_t fresh = (*part.deleted)[w] & ~(w < before.size() ? before[w] : 0);
      for (; fresh != 0; fresh &= fresh - 1) {
        const auto d = static_cast<uint32_t>(w * 64 + static_cast<size_t>(__builtin_ctzll(fresh)));
        for (uint32_t n : merged.segment->WithCode(part.segment->code(d)))
          deleted[n / 64] |= uint64_t{1} << (n % 64);
      }
    }
  }
  for (uint64_t word : deleted)
    merged.deleted_count += static_cast<uint32_t>(__builtin_popcountll(word));
  merged.deleted = std::make_shared<const std::vector<uint64_t>>(std::move(deleted));
  FillPart(&merged, *view_->nodes);
  parts.push_back(std::move(merged));
  Publish(std::move(parts));
  return absl::OkStatus();
}

uint64_t Index::DiskBytes() const {
  uint64_t bytes = 0;
  for (const Part& part : view()->parts) bytes += part.file.empty() ? 0 : part.segment->bytes();
  return bytes;
}

}  // namespace guantong::search
