// What is wrong with this node, and the remedy: certificate, port, parent, disk, clock, store.
#ifndef GUANTONG_NODE_DOCTOR_H_
#define GUANTONG_NODE_DOCTOR_H_

#include "absl/time/time.h"
#include "guantong/v1/node.pb.h"
#include "node/calls.h"
#include "node/neighbours.h"
#include "node/site.h"

namespace guantong {

// Any thread; takes seconds at most.
class Doctor {
 public:
  Doctor(const Site* site, Calls* calls, const Neighbours* neighbours)
      : site_(*site), calls_(*calls), neighbours_(*neighbours) {}

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
};

}  // namespace guantong

#endif  // GUANTONG_NODE_DOCTOR_H_
