// Every bound on sheets of people, .xlsx and .csv files of the catalogue.
#ifndef GUANTONG_NODE_SHEETS_LIMITS_H_
#define GUANTONG_NODE_SHEETS_LIMITS_H_

#include <cstddef>

namespace guantong {

// A part of an .xlsx can be unpacked to a thousand times its size.
inline constexpr size_t kSheetFileBytesMax = 32 << 20;
inline constexpr size_t kSheetPartBytesMax = 96 << 20;    // one part, unpacked
inline constexpr size_t kSheetPartsBytesMax = 192 << 20;  // all that are read
inline constexpr size_t kSheetTextBytesMax = 64 << 20;    // of all cells
inline constexpr size_t kSheetsMax = 64;
inline constexpr size_t kSheetRowsMax = 200000;
inline constexpr size_t kSheetColumnsMax = 512;
inline constexpr size_t kSheetCellsMax =
    2000000;  // of one file; also cells that merged ranges cover
inline constexpr size_t kSheetHeaderRowsMax = 50;  // the header stands in one of the first
inline constexpr size_t kSheetEntriesMax = 20000;
inline constexpr size_t kSheetProblemsMax = 100000;

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_LIMITS_H_
