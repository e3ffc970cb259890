// Certificates that come near their end are made anew while the node runs; those that run out cut
// live links, and a node that was off until then comes back by itself.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/certificate.h"
#include "node/identity/identity.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

absl::Time EndOf(const Node& node) {
  const auto chain = ChainFromPem(ReadFile(node.dir() + "/identity/chain.pem"));
  return VerifyChainLinks(*chain, "")->not_after;
}

TEST_CASE("certificates are renewed while the nodes run, down the branch") {
  Network network({{"000000", "国家", "national", ""},
                   {"630000", "青海省", "province", "000000"},
                   {"630102", "城东区", "county", "630000"}});
  Node& province = network["630000"];
  Node& county = network["630102"];
  const absl::Time before = EndOf(county);
  // Half of what a certificate lives is 30 s from here on.
  network["000000"].Stop();
  network["000000"].SetEnvironment({{"GUANTONG_CERTIFICATE_SECONDS", "60"}});
  network["000000"].Start();
  REQUIRE(RenewIdentity(province.dir(), network["000000"].address()).value_or(false));
  network.Until("the province has the short chain, and the county follows it",
                [&] { return EndOf(county) < before; });
  const absl::Time short_end = EndOf(county);
  CHECK(short_end < absl::Now() + absl::Seconds(61));
  const absl::Duration took = network.Until(
      "both are renewed by themselves before the end",
      [&] { return EndOf(province) > short_end && EndOf(county) > short_end; }, absl::Seconds(70));
  CHECK(absl::Now() < short_end);
  network.UntilLinked(county);
  WARN("renewed " << absl::FormatDuration(short_end - absl::Now()) << " before the end, after "
                  << absl::FormatDuration(took));
}

TEST_CASE(
    "certificates that run out cut a live link; renewed, it is back; also after a long rest") {
  Network network({{"000000", "国家", "national", ""}, {"630000", "青海省", "province", "000000"}});
  Node& root = network["000000"];
  Node& province = network["630000"];
  root.Stop();
  root.SetEnvironment({{"GUANTONG_CERTIFICATE_SECONDS", "15"}});
  root.Start();
  province.Stop();
  province.SetEnvironment({{"GUANTONG_RENEW_BEFORE_SECONDS", "0"}});
  REQUIRE(RenewIdentity(province.dir(), root.address()).value_or(false));
  const absl::Time end = EndOf(province);
  province.Start();
  network.UntilLinked(province);
  network.Until("the root has cut the link at the end of the certificates",
                [&] { return absl::StrContains(root.LogText(), "certificate_expired"); });
  CHECK(absl::Now() >= end);
  network.UntilLinked(province);
  CHECK(EndOf(province) > end);
  // Off beyond the end of what it has.
  province.Stop();
  network.Until("its certificates have run out", [&] { return absl::Now() > EndOf(province); });
  province.Start();
  network.UntilLinked(province);
}

}  // namespace
}  // namespace guantong::test
