// Where the words of a search stand in an entry that is answered.
#ifndef GUANTONG_NODE_HIGHLIGHT_H_
#define GUANTONG_NODE_HIGHLIGHT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "guantong/v1/search.pb.h"

namespace guantong {

inline constexpr size_t kHighlightsMax = 16;  // fields of one entry

// Fields of the entry as answered, so what is withheld is not marked. `pieces` are folded. At most
// kHighlightsMax.
void AddHighlights(const std::vector<std::string>& pieces, v1::Hit* hit);

}  // namespace guantong

#endif  // GUANTONG_NODE_HIGHLIGHT_H_
