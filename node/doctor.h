// What is wrong with this node, and the remedy: certificate, port, parent, disk, clock, store, and
// what the upkeep of the data says (upkeep/upkeep.h).
#ifndef GUANTONG_NODE_DOCTOR_H_
#define GUANTONG_NODE_DOCTOR_H_

#include "absl/time/time.h"
#include "guantong/v1/node.pb.h"
#include "node/calls.h"
#include "node/neighbours.h"
#include "node/site.h"

namespace guantong {

class Upkeep;

// Any thread; takes seconds at most.
class Doctor {
 public:
  Doctor(const Site* site, Calls* calls, const Neighbours* neighbours, const Upkeep* upkeep)
      : site_(*site), calls_(*calls), neighbours_(*neighbours), upkeep_(*upkeep) {}

  // Adds what other nodes may ask; before the driver starts.
  void Register();

  v1::DoctorResponse Examine(absl::Time deadline);

 private:
  v1::Finding Certificate() const;
  v1::Finding Port() const;
  v1::Finding Parent() const;
  v1::Finding Disk() const;
  v1::Finding Clock(absl::Time deadline);
  v1::Finding Store() const;

  const Site& site_;
  Calls& calls_;
  const Neighbours& neighbours_;
  const Upkeep& upkeep_;
};

// One line of the answer; the remedy is left out where all is well.
v1::Finding Found(absl::string_view check, bool ok, absl::string_view text,
                  absl::string_view remedy);

}  // namespace guantong

#endif  // GUANTONG_NODE_DOCTOR_H_
