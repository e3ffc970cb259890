// 共享需求清单 as people keep it: .xlsx or .csv, one demand a row.
#ifndef GUANTONG_NODE_SHEETS_DEMAND_SHEET_H_
#define GUANTONG_NODE_SHEETS_DEMAND_SHEET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/demand.pb.h"
#include "node/sheets/sheet.h"

namespace guantong {

struct DemandSheet {
  std::vector<v1::Demand> demands;
  std::vector<uint32_t> rows;  // from 1, one for each
};

// 所需数据, 依据, 应用场景 and 更新频率 have to be there; 提供方代码 goes before 提供方 where both
// stand; cells of merged rows count for each row. Errors of sheet.h, INVALID_ARGUMENT
// columns_missing, demands_missing.
absl::StatusOr<DemandSheet> ReadDemandFile(const std::string& file);
absl::StatusOr<DemandSheet> DemandsOf(std::vector<Sheet> sheets, absl::string_view source);

// The same layout, with what became of each behind it; read again by ReadDemandFile they are the
// same demands. Over what is there; errors of Workbook::Finish.
absl::Status WriteDemandWorkbook(const std::vector<v1::DemandView>& demands,
                                 const std::string& file);

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_DEMAND_SHEET_H_
