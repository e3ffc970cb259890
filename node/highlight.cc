#include "node/highlight.h"

#include "absl/strings/str_cat.h"
#include "catalog/search/text.h"

namespace guantong {
namespace {

void Mark(const std::vector<std::string>& pieces, const std::string& field, const std::string& text,
          v1::Hit* hit) {
  if (static_cast<size_t>(hit->highlights_size()) >= kHighlightsMax) return;
  const std::string folded = search::Fold(text);
  bool any = false;
  for (const std::string& piece : pieces)
    any |= search::FindPiece(folded, piece) != absl::string_view::npos;
  if (!any) return;
  v1::Highlight* highlight = hit->add_highlights();
  highlight->set_field(field);
  highlight->set_text(text);
  for (const auto& [begin, end] : search::FindSpans(text, pieces)) {
    v1::Span* span = highlight->add_spans();
    span->set_begin(begin);
    span->set_end(end);
  }
}

}  // namespace

void AddHighlights(const std::vector<std::string>& pieces, v1::Hit* hit) {
  const v1::CatalogEntry& entry = hit->shown().entry();
  Mark(pieces, "name", entry.name(), hit);
  Mark(pieces, "provider", entry.provider(), hit);
  Mark(pieces, "abstract", entry.abstract(), hit);
  for (int i = 0; i < entry.items_size(); ++i)
    Mark(pieces, absl::StrCat("items[", i, "].name"), entry.items(i).name(), hit);
}

}  // namespace guantong
