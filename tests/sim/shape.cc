#include "tests/sim/shape.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace guantong::sim {

namespace {

constexpr size_t kProvinceDigits = 2;
constexpr size_t kCityDigits = 4;

// Codes are the first column; the first line is a header.
std::vector<std::string> CodesIn(const std::string& file) {
  std::vector<std::string> codes;
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) codes.push_back(line.substr(0, line.find(',')));
  return codes;
}

struct Growing {
  const Shape& shape;
  Random& random;
  std::vector<int> fan_outs;
  std::vector<Place> places;

  size_t Add(const NodePath& path, size_t parent) {
    Place place{.path = path, .parent = parent};
    if (!path.is_root()) {
      if (random.Chance(shape.country_scope_chance())) {
        place.scope = CatalogScope::kCountry;
      } else if (random.Chance(shape.province_scope_chance())) {
        place.scope = CatalogScope::kProvince;
      }
    }
    places.push_back(std::move(place));
    return places.size() - 1;
  }

  void AddChildren(size_t of, size_t level) {
    if (level >= fan_outs.size()) return;
    const int most = fan_outs[level];
    const int children =
        level == 0 ? most : 1 + static_cast<int>(random.Below(static_cast<uint64_t>(most)));
    for (int child = 0; child < children; ++child) {
      const NodePath path = places[of].path.Child(absl::StrCat("n", child + 1));
      AddChildren(Add(path, of), level + 1);
    }
  }

  void AddCountry(const std::vector<Province>& provinces) {
    for (size_t i = 0; i < provinces.size(); ++i) {
      const NodePath province = NodePath().Child(absl::StrCat("n", i + 1));
      const size_t at = Add(province, 0);
      for (size_t j = 0; j < provinces[i].counties.size(); ++j) {
        const NodePath city = province.Child(absl::StrCat("n", j + 1));
        const size_t below = Add(city, at);
        for (int k = 0; k < provinces[i].counties[j]; ++k)
          Add(city.Child(absl::StrCat("n", k + 1)), below);
      }
    }
  }
};

}  // namespace

std::vector<Place> Grow(const Shape& shape, Random& random) {
  Growing growing{.shape = shape, .random = random, .fan_outs = {2, 2, 1}, .places = {}};
  growing.Add(NodePath(), 0);
  if (shape.country()) {
    const std::vector<Province> listed = CountryFrom(DivisionsFolder());
    growing.AddCountry(listed.empty() ? StoredCountry() : listed);
    return std::move(growing.places);
  }
  if (shape.fan_out_size() > 0)
    growing.fan_outs.assign(shape.fan_out().begin(), shape.fan_out().end());
  growing.AddChildren(0, 0);
  return std::move(growing.places);
}

std::string DivisionsFolder() {
  const char* data = std::getenv("GUANTONG_DATA");
  return absl::StrCat(data != nullptr ? data : GUANTONG_SOURCE_DIR "/../shared/data", "/divisions");
}

std::vector<Province> CountryFrom(const std::string& folder) {
  std::map<std::string, std::map<std::string, int>> counties;
  for (const std::string& code : CodesIn(folder + "/provinces.csv")) counties[code];
  for (const std::string& code : CodesIn(folder + "/cities.csv")) {
    counties[code.substr(0, kProvinceDigits)][code.substr(0, kCityDigits)];
  }
  for (const std::string& code : CodesIn(folder + "/areas.csv")) {
    ++counties[code.substr(0, kProvinceDigits)][code.substr(0, kCityDigits)];
  }
  std::vector<Province> provinces;
  for (const auto& [code, cities] : counties) {
    Province& province = provinces.emplace_back();
    for (const auto& [city, count] : cities) province.counties.push_back(count);
  }
  return provinces;
}

std::vector<Province> StoredCountry() {
  struct Numbers {
    int cities;
    int counties;
  };
  static constexpr Numbers kProvinces[] = {
      {1, 16},   {1, 16},   {11, 190}, {11, 121}, {12, 108}, {14, 100}, {9, 69},   {13, 126},
      {1, 16},   {13, 104}, {11, 90},  {16, 119}, {9, 84},   {11, 100}, {16, 151}, {18, 181},
      {14, 105}, {14, 134}, {21, 124}, {14, 111}, {5, 27},   {2, 38},   {21, 183}, {9, 88},
      {16, 129}, {7, 78},   {10, 107}, {14, 88},  {8, 45},   {5, 22},   {15, 108}};
  std::vector<Province> provinces;
  for (const Numbers& numbers : kProvinces) {
    Province& province = provinces.emplace_back();
    for (int i = 0; i < numbers.cities; ++i) {
      province.counties.push_back(numbers.counties * (i + 1) / numbers.cities -
                                  numbers.counties * i / numbers.cities);
    }
  }
  return provinces;
}

}  // namespace guantong::sim
