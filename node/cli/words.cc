#include "node/cli/words.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/generated_enum_reflection.h>

#include "absl/strings/str_cat.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

// `chinese` by number, beginning with unspecified. In English the value's own name serves.
template <typename Enum, size_t N>
TableCell Cell(Enum value, const char* const (&chinese)[N]) {
  const auto number = static_cast<size_t>(value);
  const auto* found = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value);
  if (number == 0) return "";
  if (found == nullptr) return absl::StrCat(static_cast<int>(value));
  const std::string name = EnumName(*found);
  if (number >= N) return name;
  return {Text(chinese[number], name.c_str()), name};
}

}  // namespace

TableCell LevelCell(v1::Level level) {
  return Cell(level, {"", "国家", "省", "市", "县", "乡镇", "开发区"});
}

TableCell LinkCell(v1::LinkState state) { return Cell(state, {"", "连通", "断开", "被拒绝"}); }

TableCell StateCell(v1::EntryState state) {
  return Cell(state, {"", "草稿", "待部门审核", "待主管审核", "已发布", "已下架", "已注销"});
}

TableCell SubscriptionCell(v1::SubscriptionState state) {
  return Cell(state, {"", "等待", "接收快照", "正常", "被拒绝", "不完整", "已结束"});
}

TableCell SharingCell(v1::SharingType type) {
  return Cell(type, {"", "无条件共享", "有条件共享", "不予共享"});
}

TableCell ModeCell(v1::SharingMode mode) { return Cell(mode, {"", "库表", "文件", "接口"}); }

TableCell CycleCell(v1::UpdateCycle cycle) {
  return Cell(cycle, {"", "实时", "每日", "每周", "每月", "每季度", "每年", "不定期", "其他"});
}

TableCell FeedKindCell(v1::FeedKind kind) {
  return Cell(
      kind, {"", "成员", "目录", "目录（只上行）", "数据", "分类", "字典", "规则", "裁定", "需求"});
}

TableCell DemandStateCell(v1::DemandState state) {
  return Cell(state, {"", "待答复", "已答复", "已匹配", "不能提供", "已关闭"});
}

TableCell DemandAnswerCell(v1::DemandAnswerKind kind) {
  return Cell(kind, {"", "答复", "匹配", "不能提供", "转派"});
}

TableCell ActCell(v1::ActKind kind) {
  return Cell(kind, {"", "登记", "修改", "提交", "撤回", "审核通过", "退回", "拒绝", "发布", "下架",
                     "注销", "挂接", "解除挂接", "移交"});
}

TableCell LadderCell(const std::string& ladder) {
  if (ladder == "log") return {Text("增量", "log"), ladder};
  if (ladder == "snapshot") return {Text("快照", "snapshot"), ladder};
  if (ladder == "paused") return {Text("暂停（空间已满）", "paused"), ladder};
  return {ladder, ladder};
}

}  // namespace guantong
