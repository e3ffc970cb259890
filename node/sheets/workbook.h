// An .xlsx being written: cells of text, a few formats, comments. Nothing is on disk before Finish.
#ifndef GUANTONG_NODE_SHEETS_WORKBOOK_H_
#define GUANTONG_NODE_SHEETS_WORKBOOK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

struct lxw_workbook;
struct lxw_worksheet;
struct lxw_format;

namespace guantong {

// Rows and columns from 0. Not thread-safe. What goes wrong on the way is told by Finish.
class Workbook {
 public:
  explicit Workbook(std::string file);
  ~Workbook();
  Workbook(const Workbook&) = delete;
  Workbook& operator=(const Workbook&) = delete;

  enum class Look { kPlain, kTitle, kRequiredTitle, kError, kWarning };

  // Begins the next sheet; a name that a sheet cannot have is made one that it can.
  void AddSheet(absl::string_view name);
  void Write(uint32_t row, uint32_t column, absl::string_view text, Look look = Look::kPlain);
  void Comment(uint32_t row, uint32_t column, const std::string& text);
  void SetWidth(uint32_t column, double characters);
  void FreezeAbove(uint32_t row);
  void HideSheet();  // the one that was begun last
  // A drop-down for rows `first` to `last` of the column, from the cells of another sheet.
  void OfferChoices(uint32_t first, uint32_t last, uint32_t column, const std::string& from);

  // Writes the file over what is there. UNAVAILABLE file_unwritable; INVALID_ARGUMENT
  // text_too_long: a cell holds no more than 32,767 characters.
  absl::Status Finish();

 private:
  void Note(int error, uint32_t row, uint32_t column);

  struct Freed {
    void operator()(lxw_workbook* workbook) const;
  };
  const std::string file_;
  std::unique_ptr<lxw_workbook, Freed> workbook_;
  lxw_worksheet* sheet_ = nullptr;
  std::vector<lxw_format*> formats_;  // by Look
  std::vector<std::string> names_;
  absl::Status first_error_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_WORKBOOK_H_
