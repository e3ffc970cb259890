// Pages of programs that only starting needed: relocation tables, symbols, code that runs once and
// what the system maps around it. More than half of what an idle node holds in memory is of that
// kind.
#ifndef GUANTONG_NODE_STARTUP_PAGES_H_
#define GUANTONG_NODE_STARTUP_PAGES_H_

namespace guantong {

// Gives back the mapped pages of the program and its libraries that are read only. They stay in the
// system's cache, and those that are used are mapped again at their next use. Any thread.
void DropStartupPages();

}  // namespace guantong

#endif  // GUANTONG_NODE_STARTUP_PAGES_H_
