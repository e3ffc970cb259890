#include "node/desks.h"

namespace guantong {

Desks::Desks(Site* site, const std::string& search_folder)
    : directory(site),
      calls(site),
      hidden(&directory),
      finder(site, &calls, &directory, &sights),
      indexer(site, &directory, &hidden, search_folder),
      classes(site, &directory),
      code_lists(site, &directory, &calls),
      rules(site, &directory),
      searches(site, {.calls = &calls,
                      .finder = &finder,
                      .hidden = &hidden,
                      .indexer = &indexer,
                      .classes = &classes,
                      .rules = &rules}),
      entries(site, &classes, &code_lists, &rules),
      rulings(&entries, &directory, &hidden),
      catalogue(site, &finder, &entries, &rulings, &hidden),
      publication(&entries),
      templates(site, &finder),
      drafts(&entries, &templates, &finder),
      approvals(&entries, &publication),
      bindings(&entries, &publication),
      versions(&entries),
      demands(&entries, &directory, &calls, &finder),
      worklist(&entries, &rulings, &templates, &demands),
      persons(&entries, &publication),
      enrolment(site, &rules),
      pushes(site),
      questions(site, &calls, &finder, &sights) {}

void Desks::Register() {
  finder.Register();
  searches.Register();
  code_lists.Register();
  demands.Register();
  questions.Register();
}

}  // namespace guantong
