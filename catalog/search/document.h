// What the index keeps of an entry. An entry in force is one document; one
// whose items are not shared, held here with its items, is two: what others may
// find, and what this node's own people may. So nothing about a hidden item is
// in any answer to others: not a hit, not a count, not an order.
#ifndef GUANTONG_CATALOG_SEARCH_DOCUMENT_H_
#define GUANTONG_CATALOG_SEARCH_DOCUMENT_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/store.h"
#include "guantong/v1/entry.pb.h"

namespace guantong::search {

// Raised when entries are made into documents in another way: older indices are
// made anew.
inline constexpr uint32_t kDocumentVersion = 4;

enum Attribute : size_t {
  kClass,
  kDivision,
  kProvider,
  kSharing,
  kOpen,
  kFormat,
  kCycle,
  kTheme,
  kKeyArea,
  kTemplate,
  kNode,
  kAttributes
};
inline constexpr char kValueEnd = '\x1f';  // between several values of one attribute
inline constexpr char kLabelEnd = '\x1e';  // provider: code, then name

inline constexpr uint8_t kForOthers = 1;
inline constexpr uint8_t kForOwn = 2;

// The value of kNode: the division of the entry with the node it is of.
struct NodeOf {
  absl::string_view division, node;
};
NodeOf ParseNodeValue(absl::string_view value);

struct Document {
  std::string code;
  std::string text;      // folded: name \n provider \n class \n code \n abstract \n items...
  std::string name_key;  // NameKey of the folded name
  uint32_t name_chars = 0;
  uint32_t changed = 0;  // seconds since 1970
  uint8_t audience = kForOthers | kForOwn;
  uint64_t fingerprint = 0;  // of the entry as stored
  std::array<std::string, kAttributes> values;
};

// The order of relevance within what the words matched alike: short names first
// (the words make up more of them), then what changed last, then by code.
bool Before(const Document& a, const Document& b);

// Of the entry in force under `code`; none for what is not published.
std::vector<Document> DocumentsOf(const Reader& snapshot, absl::string_view code);
// The same, where the caller knows the one entry that claims the code.
std::vector<Document> DocumentsOf(const Reader& snapshot, const v1::CatalogEntry& entry);

// The text of an entry, as a document has it.
std::string TextOf(const v1::CatalogEntry& entry);
uint64_t Fingerprint(const v1::CatalogEntry& entry);

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_DOCUMENT_H_
