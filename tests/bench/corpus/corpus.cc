#include "tests/bench/corpus/corpus.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/digest.h"

namespace guantong {
namespace {

constexpr size_t kProvinces = 31;
constexpr size_t kCitiesEach = 11;
constexpr size_t kCountiesEach = 8;

// splitmix64: the same numbers on every machine.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  size_t Below(size_t n) { return static_cast<size_t>(Next() % n); }
  // Few of the first ones make up most: the product of two even throws.
  size_t Skewed(size_t n) { return static_cast<size_t>(Next() % n * (Next() % 1024) / 1024); }
  template <typename T>
  const T& Of(const std::vector<T>& from) {
    return from[Below(from.size())];
  }
  template <typename T>
  const T& Skew(const std::vector<T>& from) {
    return from[Skewed(from.size())];
  }

 private:
  uint64_t state_;
};

using Words = std::vector<std::string>;

const Words& PlaceSyllables() {
  static const Words words = {"安", "宁", "平", "和", "兴", "永", "长", "清", "河", "江", "海",
                              "林", "山", "石", "云", "泉", "城", "阳", "原", "川", "福", "德",
                              "义", "昌", "盛", "丰", "泽", "源", "东", "西", "南", "北", "新",
                              "龙", "凤", "金", "银", "松", "桃", "柳", "岭", "沙", "溪", "湖"};
  return words;
}
const Words& Departments() {
  static const Words words = {"民政局",
                              "公安局",
                              "教育局",
                              "人力资源和社会保障局",
                              "卫生健康委员会",
                              "市场监督管理局",
                              "自然资源局",
                              "生态环境局",
                              "住房和城乡建设局",
                              "交通运输局",
                              "水务局",
                              "农业农村局",
                              "商务局",
                              "文化和旅游局",
                              "应急管理局",
                              "审计局",
                              "统计局",
                              "医疗保障局",
                              "税务局",
                              "财政局",
                              "司法局",
                              "发展和改革委员会",
                              "工业和信息化局",
                              "退役军人事务局",
                              "林业和草原局",
                              "城市管理局",
                              "行政审批服务局",
                              "气象局",
                              "残疾人联合会",
                              "科学技术局",
                              "民族宗教事务局",
                              "体育局",
                              "大数据管理局",
                              "消防救援支队",
                              "住房公积金管理中心",
                              "档案馆"};
  return words;
}
const Words& Subjects() {
  static const Words words = {
      "企业",         "法人",     "人口",         "婚姻登记",     "社会组织",
      "低保对象",     "养老机构", "学校",         "教师资格",     "学生学籍",
      "医疗机构",     "执业医师", "出生医学证明", "疫苗接种",     "食品经营",
      "药品零售",     "特种设备", "不动产登记",   "土地出让",     "建设用地",
      "采矿权",       "排污许可", "空气质量",     "水质监测",     "危险废物",
      "建筑工程",     "施工许可", "房屋租赁",     "保障性住房",   "道路运输",
      "机动车",       "驾驶员",   "公交线路",     "水库",         "取水许可",
      "农药经营",     "种子生产", "耕地保护",     "农村集体产权", "家庭农场",
      "外贸备案",     "成品油",   "旅行社",       "文物保护单位", "非物质文化遗产",
      "公共图书馆",   "安全生产", "应急物资",     "自然灾害",     "消防检查",
      "预算执行",     "国有资产", "政府采购",     "纳税人",       "欠税公告",
      "社保参保",     "失业人员", "工伤认定",     "劳动保障",     "职业技能",
      "医保定点",     "异地就医", "律师事务所",   "公证机构",     "法律援助",
      "社区矫正",     "行政处罚", "行政许可",     "行政检查",     "信用承诺",
      "失信被执行人", "价格监测", "招标投标",     "重大项目",     "节能审查",
      "工业园区",     "高新技术", "知识产权",     "退役军人",     "烈士纪念设施",
      "林木采伐",     "野生动物", "湿地",         "森林防火",     "占道经营",
      "户外广告",     "生活垃圾", "供水管网",     "燃气经营",     "路灯",
      "气象观测",     "雷电防护", "残疾人证",     "康复机构",     "科技成果",
      "宗教活动场所", "体育场馆", "运动员等级",   "公积金缴存",   "公积金贷款",
      "地方志",       "电子证照", "殡葬服务",     "流浪乞讨救助", "孤儿保障",
      "留守儿童",     "慈善组织", "志愿服务"};
  return words;
}
const Words& Kinds() {
  static const Words words = {"信息",     "基本信息", "名录",     "登记信息", "统计数据",
                              "审批结果", "检查结果", "年报",     "证照信息", "变更信息",
                              "注销信息", "备案信息", "明细",     "汇总表",   "台账",
                              "监测数据", "公示",     "目录清单", "评价结果", "地理信息"};
  return words;
}
const Words& Attributes() {
  static const Words words = {"名称",       "统一社会信用代码",
                              "姓名",       "公民身份号码",
                              "联系电话",   "地址",
                              "登记日期",   "状态",
                              "类型",       "行政区划代码",
                              "编号",       "备注",
                              "法定代表人", "有效期起",
                              "有效期止",   "发证机关",
                              "面积",       "金额",
                              "负责人",     "经度",
                              "纬度",       "更新时间",
                              "年度",       "数量",
                              "等级",       "性别",
                              "出生日期",   "民族",
                              "文号",       "许可内容",
                              "所属街道",   "邮政编码",
                              "经营范围",   "注册资本",
                              "成立日期",   "处罚事由",
                              "决定日期",   "执法部门",
                              "设备型号",   "监测点位",
                              "监测值",     "单位",
                              "原因",       "办理时限",
                              "受理日期",   "审批人",
                              "结论",       "专业"};
  return words;
}
const Words& Verbs() {
  static const Words words = {"办理", "审批", "登记", "监管", "统计", "核查", "备案", "公示",
                              "评估", "发放", "采集", "归集", "巡查", "认定", "注销", "变更"};
  return words;
}
const Words& Themes() {
  static const Words words = {"民生服务", "市场监管", "城市治理", "社会保障",
                              "生态环境", "公共安全", "交通出行", "教育文化",
                              "卫生健康", "经济运行", "农业农村", "信用体系"};
  return words;
}
const Words& Areas() {
  static const Words words = {"信用", "交通", "医疗", "就业", "社保", "地理", "环境", "安监"};
  return words;
}
const Words& Formats() {
  static const Words words = {"0310", "0203", "0308", "0105", "0204", "0307", "07", "0109", "0401"};
  return words;
}

v1::Member Node(const std::string& path, const std::string& division, const std::string& name,
                v1::Level level) {
  v1::Member member;
  member.set_node_id(Sha256(absl::StrCat("corpus node ", division)));
  member.set_path(path);
  member.set_division(division);
  member.set_name(name);
  member.set_level(level);
  return member;
}

std::string Place(Dice& dice, const char* suffix) {
  return absl::StrCat(dice.Of(PlaceSyllables()), dice.Of(PlaceSyllables()), suffix);
}

}  // namespace

Corpus::Corpus(uint64_t seed) : seed_(seed) {
  Dice dice(seed);
  nodes_.push_back(Node("", "000000", "国家", v1::LEVEL_NATIONAL));
  for (size_t p = 0; p < kProvinces; ++p) {
    const std::string province = absl::StrFormat("%02d0000", 11 + p);
    nodes_.push_back(Node(province, province, Place(dice, "省"), v1::LEVEL_PROVINCE));
    for (size_t c = 1; c <= kCitiesEach; ++c) {
      const std::string city = absl::StrFormat("%02d%02d00", 11 + p, c);
      const std::string city_path = absl::StrCat(province, "/", city);
      nodes_.push_back(Node(city_path, city, Place(dice, "市"), v1::LEVEL_CITY));
      for (size_t x = 1; x <= kCountiesEach; ++x) {
        const std::string county = absl::StrFormat("%02d%02d%02d", 11 + p, c, x);
        nodes_.push_back(Node(absl::StrCat(city_path, "/", county), county,
                              Place(dice, x % 3 == 0 ? "区" : "县"), v1::LEVEL_COUNTY));
      }
    }
  }
}

size_t Corpus::NodeOf(uint64_t i) const {
  return Dice(seed_ ^ (i * 2654435761u + 17)).Below(nodes_.size());
}

v1::CatalogEntry Corpus::Entry(uint64_t i, uint32_t edition) const {
  const v1::Member& node = nodes_[NodeOf(i)];
  Dice dice(seed_ + i * 7919 + 3);
  v1::CatalogEntry entry;
  const size_t department = dice.Skewed(Departments().size());
  const size_t subject = dice.Skewed(Subjects().size());
  const std::string& kind = dice.Skew(Kinds());
  entry.set_provider(absl::StrCat(node.name(), Departments()[department]));
  entry.set_provider_code(absl::StrFormat("11%s%09dX", node.division(), department + 1));
  entry.set_division(node.division());
  entry.set_node(node.node_id());
  entry.set_class_(dice.Below(10) == 0
                       ? absl::StrFormat("2%02d%02d", 1 + subject % 17, 1 + subject % 9)
                       : absl::StrFormat("307%03d%02d%02d", 1 + department, 1 + subject % 40,
                                         1 + dice.Below(20)));
  if (dice.Below(12) == 0) entry.add_other_classes(absl::StrFormat("1%02d", 1 + subject % 6));
  entry.set_code(absl::StrFormat("%s/%s%06d", entry.class_(), node.division(), i));
  std::string name = dice.Below(3) == 0 ? node.name() : "";
  absl::StrAppend(&name, Subjects()[subject], kind);
  if (dice.Below(8) == 0) absl::StrAppend(&name, "（", 2015 + dice.Below(11), "年）");
  if (edition > 0) absl::StrAppend(&name, "第", edition, "版");
  entry.set_name(name);
  entry.set_abstract(absl::StrCat(entry.provider(), dice.Of(Verbs()), Subjects()[subject],
                                  "过程中形成的", kind, "，用于", dice.Of(Themes()), "领域的",
                                  dice.Of(Verbs()), "和", dice.Of(Verbs()), "工作"));
  entry.set_format(dice.Skew(Formats()));
  const size_t items = 2 + dice.Below(5) + dice.Below(6);
  for (size_t n = 0; n < items; ++n) {
    v1::DataItem* item = entry.add_items();
    const size_t attribute = dice.Skewed(Attributes().size());
    // A third are of the subject: the long tail.
    item->set_name(absl::StrCat(dice.Below(3) == 0 ? Subjects()[dice.Below(Subjects().size())] : "",
                                Attributes()[attribute]));
    item->set_field(absl::StrCat("f", attribute, "_", n));
    item->set_type(v1::ITEM_TYPE_C);
    item->set_length(20 + attribute);
    item->set_key(n == 0);
  }
  const size_t sharing = dice.Below(10);
  entry.mutable_sharing()->set_type(sharing < 5   ? v1::SHARING_TYPE_UNCONDITIONAL
                                    : sharing < 9 ? v1::SHARING_TYPE_CONDITIONAL
                                                  : v1::SHARING_TYPE_NOT_SHARED);
  entry.mutable_open()->set_public_(dice.Below(5) == 0);
  entry.set_update_cycle(static_cast<v1::UpdateCycle>(1 + dice.Below(8)));
  entry.set_publication_date(absl::StrFormat("20%02d-%02d-%02d", 16 + dice.Below(10),
                                             1 + dice.Below(12), 1 + dice.Below(28)));
  v1::Resource* resource = entry.add_resources();
  resource->set_id("1");
  resource->set_mode(static_cast<v1::SharingMode>(1 + dice.Skewed(3)));
  resource->set_format(entry.format());
  entry.add_themes(dice.Of(Themes()));
  if (dice.Below(3) == 0) entry.add_key_areas(dice.Of(Areas()));
  entry.set_state(v1::ENTRY_STATE_PUBLISHED);
  entry.set_version(1 + edition);
  entry.mutable_updated_at()->set_seconds(1500000000 + static_cast<int64_t>(dice.Below(270000000)) +
                                          edition);
  return entry;
}

const std::vector<std::string>& Corpus::CommonWords() {
  static const Words words = {"企业", "信息",     "登记",     "名称", "统一社会信用代码",
                              "人口", "婚姻登记", "联系电话", "监管", "医疗机构",
                              "许可", "民政局"};
  return words;
}

std::string Corpus::RareWord(uint64_t n) const { return Entry(n * 131).provider(); }

}  // namespace guantong
