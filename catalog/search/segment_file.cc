#include "catalog/search/segment_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/search/section_writer.h"
#include "catalog/search/text.h"

namespace guantong::search {
namespace {

constexpr size_t kBufferBytes = 1 << 20;

// Documents of each term, while a segment is made. Documents come in order.
class Inverter {
 public:
  void Add(uint32_t document, absl::string_view text) {
    const size_t name_end = std::min(text.find('\n'), text.size());
    VisitTerms(text.substr(0, name_end),
               [&](const Term& term) { Note(document, term, Where::kName); });
    VisitTerms(text, [&](const Term& term) { Note(document, term, Where::kAnywhere); });
  }
  void Write(PostingWriter* out) {
    std::vector<std::pair<uint64_t, uint32_t>> grams(grams_.begin(), grams_.end());
    std::sort(grams.begin(), grams.end());
    for (const auto& [key, list] : grams) out->AddGram(key, lists_[list]);
    std::vector<std::pair<absl::string_view, uint32_t>> words(words_.begin(), words_.end());
    std::sort(words.begin(), words.end());
    for (const auto& [key, list] : words) out->AddWord(key, lists_[list]);
  }

 private:
  void Note(uint32_t document, const Term& term, Where where) {
    const auto next = static_cast<uint32_t>(lists_.size());
    uint32_t list;
    if (term.gram != 0) {
      list = grams_.try_emplace(GramKey(term.gram, where), next).first->second;
    } else {
      key_.assign(1, where == Where::kName ? 'n' : 'a');
      key_.append(term.word.data(), term.word.size());
      list = words_.try_emplace(absl::string_view(key_), next).first->second;
    }
    if (list == next) lists_.emplace_back();
    std::vector<uint32_t>& documents = lists_[list];
    if (documents.empty() || documents.back() != document) documents.push_back(document);
  }

  absl::flat_hash_map<uint64_t, uint32_t> grams_;
  absl::flat_hash_map<std::string, uint32_t> words_;
  std::vector<std::vector<uint32_t>> lists_;
  std::string key_;
};

using Sorted = std::vector<const Document*>;

template <typename Begin, typename Get>
void AddTexts(Section section, const Sorted& documents, Get get, SectionWriter* out) {
  std::vector<Begin> begins = {0};
  begins.reserve(documents.size() + 1);
  out->Begin(section);
  for (const Document* document : documents) {
    const std::string& text = get(*document);
    out->Add(text);
    begins.push_back(static_cast<Begin>(begins.back() + text.size()));
  }
  out->Section(static_cast<Section>(section + 1), begins);
}

template <typename T, typename Get>
void AddColumn(Section section, const Sorted& documents, Get get, SectionWriter* out) {
  std::vector<T> column;
  column.reserve(documents.size());
  for (const Document* document : documents) column.push_back(static_cast<T>(get(*document)));
  out->Section(section, column);
}

void AddAttributes(const Sorted& documents, SectionWriter* out) {
  std::vector<std::string> all;
  std::vector<uint32_t> counts;
  out->Begin(kColumnSection);
  std::vector<uint32_t> column(documents.size());
  for (size_t a = 0; a < kAttributes; ++a) {
    // Numbered as they come, then by their order: few of them are compared.
    absl::flat_hash_map<absl::string_view, uint32_t> numbers;
    std::vector<absl::string_view> values;
    for (size_t d = 0; d < documents.size(); ++d) {
      const absl::string_view value = documents[d]->values[a];
      const auto [at, fresh] = numbers.try_emplace(value, static_cast<uint32_t>(values.size()));
      if (fresh) values.push_back(value);
      column[d] = at->second;
    }
    std::vector<uint32_t> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](uint32_t x, uint32_t y) { return values[x] < values[y]; });
    std::vector<uint32_t> ordinals(values.size());
    for (uint32_t n = 0; n < order.size(); ++n) ordinals[order[n]] = n;
    for (uint32_t& number : column) number = ordinals[number];
    out->Add(column);
    counts.push_back(static_cast<uint32_t>(values.size()));
    for (uint32_t number : order) all.emplace_back(values[number]);
  }
  std::vector<uint32_t> begins = {0};
  out->Begin(kValueSection);
  for (const std::string& value : all) {
    out->Add(value);
    begins.push_back(static_cast<uint32_t>(begins.back() + value.size()));
  }
  out->Section(kValueBeginSection, begins);
  out->Section(kValueCountSection, counts);
}

// Documents of `all` by text and code of each, equal ones in their order.
template <typename Text>
std::vector<uint32_t> OrderBy(const Sorted& all, Text text) {
  std::vector<uint32_t> order(all.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    if (const int by_text = text(*all[a]).compare(text(*all[b])); by_text != 0) return by_text < 0;
    const int by_code = all[a]->code.compare(all[b]->code);
    return by_code != 0 ? by_code < 0 : a < b;
  });
  return order;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileSink>> FileSink::Create(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  std::unique_ptr<FileSink> sink(new FileSink(path, fd));
  if (fd < 0) return sink->Failed(errno);
  sink->buffer_.reserve(kBufferBytes);
  return sink;
}

FileSink::~FileSink() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(path_.c_str());  // not finished
}

absl::Status FileSink::Failed(int error) const {
  return Error(
      error == ENOSPC ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kUnavailable,
      error == ENOSPC ? "disk_full" : "index_failed",
      absl::StrCat("检索索引写入失败 (the search index cannot be written): ", path_, ": ",
                   strerror(error)),
      path_);
}

absl::Status FileSink::Drain() {
  for (size_t at = 0; at < buffer_.size();) {
    const ssize_t written = write(fd_, buffer_.data() + at, buffer_.size() - at);
    if (written < 0 && errno != EINTR) return Failed(errno);
    if (written > 0) at += static_cast<size_t>(written);
  }
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status FileSink::Append(absl::string_view bytes) {
  buffer_.append(bytes.data(), bytes.size());
  return buffer_.size() < kBufferBytes ? absl::OkStatus() : Drain();
}

absl::Status FileSink::Finish() {
  GT_RETURN_IF_ERROR(Drain());
  if (fdatasync(fd_) != 0) return Failed(errno);
  close(std::exchange(fd_, -1));
  return absl::OkStatus();
}

absl::Status SyncFolder(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (synced) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, "index_failed",
               absl::StrCat("检索索引目录无法写入 (the index folder): ", strerror(error)), folder);
}

absl::StatusOr<WrittenSegment> WriteSegment(const std::vector<Document>& documents, Sink* sink) {
  Sorted all;
  all.reserve(documents.size());
  for (const Document& document : documents) all.push_back(&document);
  std::sort(all.begin(), all.end(),
            [](const Document* a, const Document* b) { return Before(*a, *b); });
  SectionWriter out(sink);
  const auto code = [](const Document& d) -> const std::string& { return d.code; };
  const auto name_key = [](const Document& d) -> const std::string& { return d.name_key; };
  AddTexts<uint64_t>(
      kTextSection, all, [](const Document& d) -> auto& { return d.text; }, &out);
  AddTexts<uint32_t>(kCodeSection, all, code, &out);
  out.Section(kCodeOrderSection, OrderBy(all, code));
  AddColumn<uint32_t>(
      kNameCharsSection, all, [](const Document& d) { return d.name_chars; }, &out);
  AddColumn<uint32_t>(
      kChangedSection, all, [](const Document& d) { return d.changed; }, &out);
  AddColumn<uint8_t>(
      kAudienceSection, all, [](const Document& d) { return d.audience; }, &out);
  AddColumn<uint64_t>(
      kFingerprintSection, all, [](const Document& d) { return d.fingerprint; }, &out);
  AddTexts<uint32_t>(kNameKeySection, all, name_key, &out);
  const std::vector<uint32_t> by_name = OrderBy(all, name_key);
  std::vector<uint32_t> rank(all.size());
  for (uint32_t n = 0; n < by_name.size(); ++n) rank[by_name[n]] = n;
  out.Section(kNameRankSection, rank);
  AddAttributes(all, &out);
  Inverter inverter;
  for (uint32_t d = 0; d < all.size(); ++d) inverter.Add(d, all[d]->text);
  PostingWriter postings(&out);
  inverter.Write(&postings);
  postings.Finish();
  return out.Finish();
}

}  // namespace guantong::search
