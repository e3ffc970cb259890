// What a preloaded program writes down about its files, so that a test can tell what a power cut
// would have left.
//
// One line per event, appended with one write each, in the order in which they had taken effect:
//
//   C <path>                 a file or folder was created
//   R <saved>|<from>|<to>    renamed; <saved> keeps what stood at <to> before, empty when nothing
//   did U <path>                 removed S <size> <path>          a sync of the file returned; it
//   had this size when the sync began D <path>                 a sync of the folder returned O
//   <path>                 written in place: no power cut can be told from this journal any more
//
// The model is the strict one: what a file holds survives up to its last sync, a new or changed
// name survives once its folder was synced, a removal survives at once.
#ifndef GUANTONG_TESTS_PROCESS_UNSYNCED_WRITES_JOURNAL_H_
#define GUANTONG_TESTS_PROCESS_UNSYNCED_WRITES_JOURNAL_H_

// The preloaded library reads these from the environment.
inline constexpr char kJournalVariable[] = "GUANTONG_JOURNAL";  // file to append to
inline constexpr char kJournalRootVariable[] =
    "GUANTONG_JOURNAL_ROOT";  // only paths below it are written down
inline constexpr char kLyingDiskVariable[] =
    "GUANTONG_LYING_DISK";  // syncs of files that end so have no effect

#endif  // GUANTONG_TESTS_PROCESS_UNSYNCED_WRITES_JOURNAL_H_
