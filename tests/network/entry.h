// Catalogue entries as files, with what every entry must have filled in.
#ifndef GUANTONG_TESTS_NETWORK_ENTRY_H_
#define GUANTONG_TESTS_NETWORK_ENTRY_H_

#include <string>
#include <vector>

namespace guantong::test {

struct Item {
  std::string field;
  std::string name;
  std::string type = "C";
  int length = 64;
  bool key = false;
};

struct Entry {
  std::string name;
  std::string class_code = "3070120101";
  std::string abstract;  // empty: the name
  std::vector<Item> items;
  std::string sharing = "unconditional";  // unconditional, conditional, not_shared
  std::string condition = "工作参考";
  std::string basis;  // of not_shared
};

// An entry with two items: code (the key) and name.
Entry CodeAndName(const std::string& name);

// The YAML that `guantong catalog register` reads.
std::string EntryYaml(const Entry& entry, const std::string& provider,
                      const std::string& provider_code);

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_NETWORK_ENTRY_H_
