// The desks at which what is asked of a node is done, and who of them knows whom: one set for each
// node.
#ifndef GUANTONG_NODE_DESKS_H_
#define GUANTONG_NODE_DESKS_H_

#include <string>

#include "node/calls.h"
#include "node/catalogue.h"
#include "node/classes.h"
#include "node/code_lists.h"
#include "node/demands/demands.h"
#include "node/directory.h"
#include "node/enrolment.h"
#include "node/entries/approvals.h"
#include "node/entries/bindings.h"
#include "node/entries/drafts.h"
#include "node/entries/publication.h"
#include "node/entries/rulings.h"
#include "node/entries/versions.h"
#include "node/entries/worklist.h"
#include "node/finder.h"
#include "node/indexer.h"
#include "node/persons.h"
#include "node/push.h"
#include "node/query.h"
#include "node/rules.h"
#include "node/searches.h"
#include "node/sights.h"
#include "node/site.h"

namespace guantong {

// `site` outlives them. Nothing is read or begun here: see Register, and Begin or Start of those
// that have one. The search index is kept in `search_folder`; empty: in memory only.
struct Desks {
  Desks(Site* site, const std::string& search_folder);
  Desks(const Desks&) = delete;
  Desks& operator=(const Desks&) = delete;

  // Notes what is being committed, see WatchedStore.
  void Committed(absl::Span<const WriteSet> groups) {
    sights.LetGo();
    indexer.Note(groups);
  }

  // Makes what other nodes ask of them known to `calls`. Before the driver begins.
  void Register();

  Directory directory;
  Sights sights;
  Calls calls;
  Hidden hidden;
  Finder finder;
  Indexer indexer;
  Classes classes;
  CodeLists code_lists;
  Rules rules;
  Searches searches;
  EntryDesk entries;
  Rulings rulings;
  Catalogue catalogue;
  Publication publication;
  Templates templates;
  Drafts drafts;
  Approvals approvals;
  Bindings bindings;
  Versions versions;
  Demands demands;
  Worklist worklist;
  Persons persons;
  Enrolment enrolment;
  PushDesk pushes;
  Questions questions;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_DESKS_H_
