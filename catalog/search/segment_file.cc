#include "catalog/search/segment_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <unordered_map>
#include <utility>

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
    std::vector<std::pair<absl::string_view, uint32_t>> words;
    for (const auto& [key, list] : words_) words.emplace_back(key, list);
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
      list = words_.try_emplace(key_, next).first->second;
    }
    if (list == next) lists_.emplace_back();
    std::vector<uint32_t>& documents = lists_[list];
    if (documents.empty() || documents.back() != document) documents.push_back(document);
  }

  struct Mixed {
    size_t operator()(uint64_t key) const {
      key *= 0x9e3779b97f4a7c15ULL;
      return key ^ (key >> 29);
    }
  };
  std::unordered_map<uint64_t, uint32_t, Mixed> grams_;
  std::unordered_map<std::string, uint32_t> words_;
  std::vector<std::vector<uint32_t>> lists_;
  std::string key_;
};

template <typename Begin, typename Get>
void AddTexts(Section section, const std::vector<Document>& documents, Get get,
              SectionWriter* out) {
  std::vector<Begin> begins = {0};
  out->Begin(section);
  for (const Document& document : documents) {
    const std::string& text = get(document);
    out->Add(text);
    begins.push_back(static_cast<Begin>(begins.back() + text.size()));
  }
  out->Section(static_cast<Section>(section + 1), begins);
}

template <typename T, typename Get>
void AddColumn(Section section, const std::vector<Document>& documents, Get get,
               SectionWriter* out) {
  std::vector<T> column;
  column.reserve(documents.size());
  for (const Document& document : documents) column.push_back(static_cast<T>(get(document)));
  out->Section(section, column);
}

void AddAttributes(const std::vector<Document>& documents, SectionWriter* out) {
  std::vector<std::string> all;
  std::vector<uint32_t> counts;
  out->Begin(kColumnSection);
  std::vector<uint32_t> column(documents.size());
  for (size_t a = 0; a < kAttributes; ++a) {
    std::vector<absl::string_view> values;
    values.reserve(documents.size());
    for (const Document& document : documents) values.push_back(document.values[a]);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    for (size_t d = 0; d < documents.size(); ++d) {
      const auto at =
          std::lower_bound(values.begin(), values.end(), absl::string_view(documents[d].values[a]));
      column[d] = static_cast<uint32_t>(at - values.begin());
    }
    out->Add(column);
    counts.push_back(static_cast<uint32_t>(values.size()));
    for (absl::string_view value : values) all.emplace_back(value);
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

absl::StatusOr<WrittenSegment> WriteSegment(std::vector<Document>* documents, Sink* sink) {
  std::sort(documents->begin(), documents->end(), Before);
  const std::vector<Document>& all = *documents;
  SectionWriter out(sink);
  AddTexts<uint64_t>(
      kTextSection, all, [](const Document& d) -> auto& { return d.text; }, &out);
  AddTexts<uint32_t>(
      kCodeSection, all, [](const Document& d) -> auto& { return d.code; }, &out);
  std::vector<uint32_t> order(all.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::make_pair(absl::string_view(all[a].code), a) <
           std::make_pair(absl::string_view(all[b].code), b);
  });
  out.Section(kCodeOrderSection, order);
  AddColumn<uint32_t>(
      kNameCharsSection, all, [](const Document& d) { return d.name_chars; }, &out);
  AddColumn<uint32_t>(
      kChangedSection, all, [](const Document& d) { return d.changed; }, &out);
  AddColumn<uint8_t>(
      kAudienceSection, all, [](const Document& d) { return d.audience; }, &out);
  AddColumn<uint64_t>(
      kFingerprintSection, all, [](const Document& d) { return d.fingerprint; }, &out);
  const auto name = [&](uint32_t d) {
    return absl::string_view(all[d].text).substr(0, all[d].text.find('\n'));
  };
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::make_tuple(name(a), absl::string_view(all[a].code), a) <
           std::make_tuple(name(b), absl::string_view(all[b].code), b);
  });
  std::vector<uint32_t> rank(all.size());
  for (uint32_t n = 0; n < order.size(); ++n) rank[order[n]] = n;
  out.Section(kNameRankSection, rank);
  AddAttributes(all, &out);
  Inverter inverter;
  for (uint32_t d = 0; d < all.size(); ++d) inverter.Add(d, all[d].text);
  PostingWriter postings(&out);
  inverter.Write(&postings);
  postings.Finish();
  return out.Finish();
}

}  // namespace guantong::search
