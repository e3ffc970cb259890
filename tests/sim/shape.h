// The tree of a run: where its nodes stand and how far their catalogues look.
#ifndef GUANTONG_TESTS_SIM_SHAPE_H_
#define GUANTONG_TESTS_SIM_SHAPE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "catalog/base/node_path.h"
#include "relay/core/engine.h"
#include "tests/sim/random.h"
#include "tests/sim/scenario.pb.h"

namespace guantong::sim {

struct Place {
  NodePath path;
  size_t parent = 0;  // of the root: itself
  CatalogScope scope = CatalogScope::kBranch;
};

// Parents before their children.
std::vector<Place> Grow(const Shape& shape, Random& random);

// Children of each province, and of each of their cities. From the division list in GUANTONG_DATA
// or ../shared/data, where there is none from what is stored here: of each province as many cities
// and counties, the counties spread evenly.
struct Province {
  std::vector<int> counties;  // by city
};
std::vector<Province> CountryFrom(const std::string& folder);
std::vector<Province> StoredCountry();
std::string DivisionsFolder();

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_SHAPE_H_
