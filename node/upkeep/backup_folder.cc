#include "node/upkeep/backup_folder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "node/form/json_form.h"
#include "node/identity/files.h"
#include "node/language.h"
#include "node/new_file.h"

namespace guantong {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPieceBytes = 1 << 20;

absl::Status Unreadable(const std::string& file) {
  return Error(absl::StatusCode::kUnavailable, "file_unreadable",
               absl::StrCat(Text("读不了 ", "cannot read "), file), file,
               Text("检查目录和权限", "check the folder and its permissions"));
}

absl::Status Damaged(const std::string& file, absl::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "backup_damaged", absl::StrCat(file, ": ", what), file,
               Text("换一份备份（--backup N），或另一个备份目录",
                    "take another backup (--backup N), or another folder of them"));
}

std::string ManifestFile(const std::string& dir, uint32_t number) {
  return absl::StrCat(dir, "/manifest-", number, ".json");
}

absl::StatusOr<std::string> ReadWhole(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Unreadable(file);
  std::string content{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return Unreadable(file);
  return content;
}

}  // namespace

std::string BackupStoreFolder(const std::string& dir) { return dir + "/store"; }

std::string BackupNodeFolder(uint32_t number) { return absl::StrCat("node/", number); }

absl::StatusOr<v1::BackupList> ListBackups(const std::string& dir) {
  v1::BackupList list;
  std::error_code error;
  std::vector<uint32_t> numbers;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    absl::string_view middle(name);
    uint32_t number;
    if (absl::ConsumePrefix(&middle, "manifest-") && absl::ConsumeSuffix(&middle, ".json") &&
        absl::SimpleAtoi(middle, &number)) {
      numbers.push_back(number);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) return Unreadable(dir);
  std::sort(numbers.rbegin(), numbers.rend());
  for (const uint32_t number : numbers) {
    const std::string file = ManifestFile(dir, number);
    GT_ASSIGN_OR_RETURN(const std::string text, ReadWhole(file));
    const auto json = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
    v1::Backup backup;
    if (json.is_discarded() || !FromJson(json, &backup).ok() || backup.number() != number) {
      return Damaged(file, Text("清单无法解析", "the manifest cannot be read"));
    }
    *list.add_backups() = std::move(backup);
  }
  return list;
}

absl::StatusOr<v1::Backup> FindBackup(const std::string& dir, uint32_t number) {
  GT_ASSIGN_OR_RETURN(const v1::BackupList list, ListBackups(dir));
  for (const v1::Backup& backup : list.backups()) {
    if (number == 0 || backup.number() == number) return backup;
  }
  return Error(
      absl::StatusCode::kNotFound, "backup_absent",
      number == 0
          ? std::string(Text("这里没有备份", "there is no backup here"))
          : absl::StrCat(Text("没有第 ", "there is no backup "), number, Text(" 份备份", "")),
      dir, Text("用 guantong backup --list --to 目录 查看", "see guantong backup --list --to DIR"));
}

absl::Status SaveManifest(const std::string& dir, const v1::Backup& backup) {
  return WriteNewFile(ManifestFile(dir, backup.number()), PrettyJsonText(ToJson(backup)), 0600);
}

absl::StatusOr<std::string> DigestOfFile(const std::string& file, const OnBytes& read) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Unreadable(file);
  Sha256Stream digest;
  std::string piece(kPieceBytes, 0);
  while (in) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    const auto count = static_cast<size_t>(in.gcount());
    digest.Update(absl::string_view(piece.data(), count));
    if (read) read(count);
  }
  if (in.bad()) return Unreadable(file);
  return digest.Finish();
}

absl::Status CheckBackup(const std::string& dir, const v1::Backup& backup, const OnBytes& read) {
  for (const v1::BackupFile& file : backup.files()) {
    const std::string path = absl::StrCat(dir, "/", file.name());
    if (!FileExists(path)) return Damaged(path, Text("文件不在了", "the file is gone"));
    GT_ASSIGN_OR_RETURN(const std::string digest, DigestOfFile(path, read));
    if (digest != file.sha256()) {
      return Damaged(path, Text("内容与清单的摘要不符",
                                "its content does not have the digest in the manifest"));
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> NodeFiles(const std::string& dir) {
  std::vector<std::string> files;
  for (const char* name : {"node.yaml", "admin.yaml"}) {
    if (FileExists(absl::StrCat(dir, "/", name))) files.push_back(name);
  }
  std::error_code error;
  for (fs::directory_iterator it(dir + "/identity", error), end; !error && it != end;
       it.increment(error)) {
    if (it->is_regular_file(error)) files.push_back("identity/" + it->path().filename().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

absl::Status CopyPrivately(const std::string& from, const std::string& to) {
  GT_ASSIGN_OR_RETURN(const std::string content, ReadWhole(from));
  GT_RETURN_IF_ERROR(MakeFolder(fs::path(to).parent_path().string()));
  return ReplaceFile(to, content);
}

}  // namespace guantong
