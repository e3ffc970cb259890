// Identifiers with a check character, as they stand in registers and on certificates. The unified
// social credit code is in entry.h.
#ifndef GUANTONG_CATALOG_IDENTIFIER_H_
#define GUANTONG_CATALOG_IDENTIFIER_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace guantong {

// 公民身份号码 GB 11643-1999: 17 digits and a check character, a real date of birth. Its division
// may be one that no longer exists.
bool IsCitizenId(absl::string_view id);

// 电子证照标识 GB/T 36904: 1.2.156.3005.2.TYPE.ISSUER.SERIAL.VERSION.CHECK; type and issuer begin
// with a USCC, the check is ISO/IEC 7064 MOD 37,36 over the four parts.
bool IsLicenceId(absl::string_view id);

// ISO/IEC 7064 MOD 37,36 over digits and capital letters; nothing for other characters.
std::optional<char> CheckMod37_36(absl::string_view text);

// 行政区划代码 GB/T 2260 through its revisions: a code once given stays in old records for ever.
class DivisionHistory {
 public:
  struct Division {
    std::string name;   // as last given
    std::string since;  // first revision that has it, e.g. 201709
    std::string until;  // last one
    bool current = false;
  };

  // Lines "source revision code name" with tabs between, revisions in any order; a line whose
  // second field is no number of six digits is a header. INVALID_ARGUMENT history_malformed with
  // the line.
  static absl::StatusOr<DivisionHistory> Parse(absl::string_view text);

  // Null: no revision has it.
  const Division* Find(absl::string_view code) const;
  const std::string& newest() const { return newest_; }
  size_t size() const { return divisions_.size(); }

 private:
  std::map<std::string, Division> divisions_;
  std::string newest_;
};

}  // namespace guantong

#endif  // GUANTONG_CATALOG_IDENTIFIER_H_
