// A catalogue that does not exist, of any size: entries of made-up divisions, departments and
// subjects, in the proportions of real ones (6.7 items an entry, names of a dozen characters, a few
// item names that stand everywhere and a long tail). Entry `i` of a seed is always the same.
#ifndef GUANTONG_TESTS_BENCH_CORPUS_CORPUS_H_
#define GUANTONG_TESTS_BENCH_CORPUS_CORPUS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "guantong/v1/entry.pb.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

class Corpus {
 public:
  explicit Corpus(uint64_t seed = 1);

  // Entry `i`; a later `edition` changes its text a little and its version.
  v1::CatalogEntry Entry(uint64_t i, uint32_t edition = 0) const;
  // The nodes that provide: entry `i` is of node NodeOf(i). The first is the root.
  const std::vector<v1::Member>& nodes() const { return nodes_; }
  size_t NodeOf(uint64_t i) const;

  // Words as people type them: common ones first, `rare` ones hit a handful.
  static const std::vector<std::string>& CommonWords();
  std::string RareWord(uint64_t n) const;

 private:
  uint64_t seed_;
  std::vector<v1::Member> nodes_;
};

}  // namespace guantong

#endif  // GUANTONG_TESTS_BENCH_CORPUS_CORPUS_H_
