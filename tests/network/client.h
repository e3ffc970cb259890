// The command line with one profile: what a person or a business system at one node can do.
#ifndef GUANTONG_TESTS_NETWORK_CLIENT_H_
#define GUANTONG_TESTS_NETWORK_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/network/entry.h"
#include "tests/network/process.h"

namespace guantong::test {

// Where programs run, and which.
struct Surroundings {
  int network_namespace = -1;  // see ProcessOptions
  std::string programs;        // folder; empty: those under test
};

// `guantong` with these arguments and no profile.
Outcome Guantong(const std::vector<std::string>& arguments,
                 absl::Duration limit = absl::Seconds(60), const Surroundings& around = {});

// The stable reason of a failed command that ran with -o json; empty when it printed none.
std::string ReasonOf(const Outcome& outcome);

// The `error` document of a failed command that ran with -o json; an empty object when it printed
// none.
nlohmann::json ErrorOf(const Outcome& outcome);

class Client {
 public:
  Client() = default;
  Client(std::string profile, std::string department, std::string uscc, Surroundings around = {});

  const std::string& profile() const { return profile_; }
  const std::string& department() const { return department_; }
  const std::string& uscc() const { return uscc_; }

  // The approver of the same department.
  Client Approver() const;
  // Another profile of the same department.
  Client With(const std::string& profile) const;

  // With -o json, unless `arguments` ask for another format.
  Outcome Try(const std::vector<std::string>& arguments,
              absl::Duration limit = absl::Seconds(60)) const;
  // The document; throws unless the exit status is 0.
  nlohmann::json Do(const std::vector<std::string>& arguments,
                    absl::Duration limit = absl::Seconds(60)) const;
  // In the background.
  std::unique_ptr<Process> Start(const std::vector<std::string>& arguments) const;

  // Registers and publishes; returns the code. `folder` receives the file.
  std::string Publish(const Entry& entry, const std::string& folder) const;
  // The rows of a local copy as sorted lines of csv, digested outside our code; empty when there is
  // no copy to be read.
  std::string LocalDigest(const std::string& code) const;
  // Number of rows of the local copy; -1 when there is none.
  int64_t LocalRows(const std::string& code) const;

 private:
  std::string profile_;
  std::string department_;
  std::string uscc_;
  Surroundings around_;
};

// What LocalDigest answers for exactly the rows of this csv, a header before them.
std::string DigestOfCsv(const std::string& file);

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_NETWORK_CLIENT_H_
