// One run of the program: what was asked for globally, and the command the arguments chose.
#ifndef GUANTONG_NODE_CLI_INVOCATION_H_
#define GUANTONG_NODE_CLI_INVOCATION_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace CLI {
class App;
}  // namespace CLI

namespace guantong {

enum class OutputFormat { kTable, kJson, kCsv };

struct Invocation {
  std::string profile;  // file; empty: none was named
  OutputFormat output = OutputFormat::kTable;
  std::optional<absl::Duration> timeout;  // absent: what suits the command
  std::function<absl::Status()> action;   // set by the chosen command
};

// Each adds its commands to `app`; `invocation` outlives the parsing and the action.
void AddInit(CLI::App* app, Invocation* invocation);
void AddMove(CLI::App* app, Invocation* invocation);
void AddAdmission(CLI::App* app, Invocation* invocation);  // invite, department
void AddCatalog(CLI::App* app, Invocation* invocation);
void AddLifecycle(CLI::App* catalog, Invocation* invocation);  // submit ... withdraw, bind, history
void AddClasses(CLI::App* catalog, Invocation* invocation);    // classes
void AddClaim(CLI::App* catalog, Invocation* invocation);      // claim
void AddCodeLists(CLI::App* app, Invocation* invocation);      // codelist
void AddDemands(CLI::App* app, Invocation* invocation);        // demand
void AddWork(CLI::App* app, Invocation* invocation);           // todo, mine, why
void AddRulings(CLI::App* app, Invocation* invocation);        // ruling
void AddPersons(CLI::App* app, Invocation* invocation);        // person
void AddPush(CLI::App* app, Invocation* invocation);
void AddQuery(CLI::App* app, Invocation* invocation);
void AddSubscriptions(CLI::App* app,
                      Invocation* invocation);           // subscribe, unsubscribe, subscriptions
void AddNetwork(CLI::App* app, Invocation* invocation);  // tree, status, links
void AddFeeds(CLI::App* app, Invocation* invocation);    // feeds, trace
void AddChecks(CLI::App* app, Invocation* invocation);   // verify, doctor
void AddUpkeep(CLI::App* app, Invocation* invocation);   // backup, restore
void AddDrill(CLI::App* app, Invocation* invocation);    // drill

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_INVOCATION_H_
