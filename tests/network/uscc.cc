#include "tests/network/uscc.h"

#include "absl/strings/str_format.h"

namespace guantong::test {
namespace {

constexpr absl::string_view kAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";

// Weights are the powers of 3 modulo 31 (clause 5.5 and annex B of the standard).
char CheckCharacter(absl::string_view first_seventeen) {
  size_t sum = 0;
  size_t weight = 1;
  for (const char c : first_seventeen) {
    sum += weight * kAlphabet.find(c);
    weight = weight * 3 % 31;
  }
  return kAlphabet[(31 - sum % 31) % 31];
}

}  // namespace

std::string FictitiousUscc(absl::string_view division, int number) {
  std::string code = absl::StrFormat("11%s%09d", division, number);
  code.push_back(CheckCharacter(code));
  return code;
}

}  // namespace guantong::test
