// person add, hand-over, disable, list.
#include <CLI/CLI.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/certificate.h"
#include "catalog/base/signature.h"
#include "catalog/base/status.h"
#include "guantong/v1/person.pb.h"
#include "node/cli/connection.h"
#include "node/cli/failure.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/form/json_form.h"
#include "node/identity/files.h"
#include "node/identity/identity.h"
#include "node/language.h"

namespace guantong {
namespace {

Table PersonTable(const std::vector<v1::Person>& persons) {
  Table table({{"id", Text("编号", "id")},
               {"name", Text("姓名", "name")},
               {"uscc", Text("部门", "department")},
               {"roles", Text("角色", "roles")},
               {"phone", Text("电话", "phone")},
               {"email", Text("邮箱", "mail")},
               {"state", Text("状态", "state")}});
  for (const v1::Person& person : persons) {
    table.Add({person.id(), person.name(), person.uscc(), absl::StrJoin(person.roles(), ","),
               person.phone(), person.email(),
               !person.disabled() ? std::string(Text("在用", "active"))
               : person.successor().empty()
                   ? std::string(Text("已停用", "ended"))
                   : absl::StrCat(Text("已移交 ", "handed over to "), person.successor())});
  }
  return table;
}

// Keys of one person, by role. The private ones never leave this machine.
using Keys = std::map<std::string, SigningKey>;

template <typename Request>
absl::StatusOr<Keys> MakeKeys(const std::vector<std::string>& roles, const std::string& out,
                              Request* request) {
  Keys keys;
  for (const std::string& role : roles) {
    if (out.empty()) return UsageError(Text("有 --role 就要有 --out", "--role goes with --out"));
    const std::string file = absl::StrCat(out, "/", role, ".yaml");
    if (FileExists(file)) {
      return Error(absl::StatusCode::kAlreadyExists, "file_exists",
                   absl::StrCat(file, Text(" 已经存在，不覆盖", " exists and is not overwritten")),
                   file, Text("换一个 --out 目录", "choose another --out folder"));
    }
    GT_ASSIGN_OR_RETURN(SigningKey key, SigningKey::Generate());
    v1::ProfileKey* wanted = request->add_keys();
    wanted->set_role(role);
    wanted->set_public_key(key.public_key());
    keys.emplace(role, std::move(key));
  }
  return keys;
}

template <typename Answer>
absl::StatusOr<std::vector<std::string>> SaveProfiles(const Answer& answer,
                                                      const v1::Person& person, const Keys& keys,
                                                      const Profile& caller,
                                                      const std::string& folder) {
  std::vector<std::string> files;
  if (!keys.empty()) GT_RETURN_IF_ERROR(MakeFolder(folder));
  for (const v1::ProfileCertificate& issued : answer.certificates()) {
    const auto key = keys.find(issued.role());
    if (key == keys.end()) continue;
    const Profile profile{.node = caller.node,
                          .network = caller.network,
                          .node_id = caller.node_id,
                          .role = issued.role(),
                          .uscc = person.uscc(),
                          .certificate_pem = ChainToPem(issued.chain()),
                          .key_pem = key->second.ToPem()};
    files.push_back(absl::StrCat(folder, "/", issued.role(), ".yaml"));
    GT_RETURN_IF_ERROR(SaveProfile(files.back(), profile));
  }
  return files;
}

template <typename Answer>
nlohmann::ordered_json Document(const Answer& answer, const std::vector<std::string>& files) {
  nlohmann::ordered_json document = ToJson(answer);
  document.erase("certificates");
  document["profiles"] = files;
  for (const std::string& file : files) Say(absl::StrCat(Text("身份档案：", "profile: "), file));
  return document;
}

struct AddOptions {
  v1::AddPersonRequest request;
  std::vector<std::string> roles;
  std::string out;
};

absl::Status RunAdd(const Invocation& invocation, AddOptions options) {
  GT_ASSIGN_OR_RETURN(const Keys keys, MakeKeys(options.roles, options.out, &options.request));
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto answer, connection->Call<v1::AddPersonResponse>(
                                             "guantong.v1.PersonService.Add", options.request));
  GT_ASSIGN_OR_RETURN(const auto files, SaveProfiles(answer, answer.person(), keys,
                                                     connection->profile(), options.out));
  Emit(invocation, Document(answer, files), PersonTable({answer.person()}));
  return absl::OkStatus();
}

struct HandOverOptions {
  v1::HandOverRequest request;
  std::vector<std::string> roles;
  std::string out;
};

absl::Status RunHandOver(const Invocation& invocation, HandOverOptions options) {
  GT_ASSIGN_OR_RETURN(const Keys keys, MakeKeys(options.roles, options.out, &options.request));
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto answer,
                      connection->Call<v1::HandOverResponse>("guantong.v1.PersonService.HandOver",
                                                             options.request));
  GT_ASSIGN_OR_RETURN(const auto files,
                      SaveProfiles(answer, answer.to(), keys, connection->profile(), options.out));
  Emit(invocation, Document(answer, files), PersonTable({answer.from(), answer.to()}));
  Say(absl::StrCat(Text("移交条目 ", "entries: "), answer.entries(), Text("，草稿 ", ", drafts: "),
                   answer.drafts()));
  return absl::OkStatus();
}

absl::Status RunDisable(const Invocation& invocation, const v1::DisablePersonRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto person,
                      connection->Call<v1::Person>("guantong.v1.PersonService.Disable", request));
  Emit(invocation, ToJson(person), PersonTable({person}));
  return absl::OkStatus();
}

absl::Status RunList(const Invocation& invocation, const v1::ListPersonsRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto persons, connection->Call<v1::ListPersonsResponse>(
                                              "guantong.v1.PersonService.List", request));
  Emit(invocation, ToJson(persons),
       PersonTable({persons.persons().begin(), persons.persons().end()}));
  return absl::OkStatus();
}

void AddRoleOptions(CLI::App* command, std::vector<std::string>* roles, std::string* out) {
  command->add_option("--role", *roles, Text("角色：editor、approver", "editor, approver"))
      ->delimiter(',')
      ->check(CLI::IsMember({"editor", "approver"}));
  command->add_option("--out", *out, Text("写身份档案的目录", "folder for the profiles"));
}

}  // namespace

void AddPersons(CLI::App* app, Invocation* invocation) {
  auto* person = app->add_subcommand("person", Text("部门人员", "people of a department"));
  person->require_subcommand(1);

  auto* add = person->add_subcommand("add", Text("登记人员，签发身份", "add one, with profiles"));
  const auto added = std::make_shared<AddOptions>();
  v1::Person* one = added->request.mutable_person();
  add->add_option("--name", *one->mutable_name(), Text("姓名", "name"))->required();
  add->add_option("--phone", *one->mutable_phone(), Text("电话", "phone"));
  add->add_option("--email", *one->mutable_email(), Text("邮箱", "mail"));
  add->add_option("--uscc", *one->mutable_uscc(),
                  Text("部门，默认本部门", "department, default the caller's"));
  AddRoleOptions(add, &added->roles, &added->out);
  add->callback([invocation, added] {
    invocation->action = [invocation, added] { return RunAdd(*invocation, *added); };
  });

  auto* hand = person->add_subcommand("hand-over",
                                      Text("移交：工作、联系人、角色一起走，原身份失效",
                                           "work, contacts and roles move, the old profile ends"));
  const auto handed = std::make_shared<HandOverOptions>();
  hand->add_option("FROM", *handed->request.mutable_from(), Text("移交人编号", "id"))->required();
  hand->add_option("--to", *handed->request.mutable_to(), Text("接手人编号", "id"))->required();
  hand->add_option("--reason", *handed->request.mutable_reason(), Text("原因", "reason"));
  AddRoleOptions(hand, &handed->roles, &handed->out);
  hand->callback([invocation, handed] {
    invocation->action = [invocation, handed] { return RunHandOver(*invocation, *handed); };
  });

  auto* disable = person->add_subcommand("disable", Text("停用身份", "end a person's profiles"));
  const auto disabled = std::make_shared<v1::DisablePersonRequest>();
  disable->add_option("ID", *disabled->mutable_id(), Text("人员编号", "id"))->required();
  disable->add_option("--reason", *disabled->mutable_reason(), Text("原因", "reason"));
  disable->callback([invocation, disabled] {
    invocation->action = [invocation, disabled] { return RunDisable(*invocation, *disabled); };
  });

  auto* list = person->add_subcommand("list", Text("人员", "persons"));
  const auto listed = std::make_shared<v1::ListPersonsRequest>();
  list->add_option("--uscc", *listed->mutable_uscc(), Text("部门", "department"));
  list->callback([invocation, listed] {
    invocation->action = [invocation, listed] { return RunList(*invocation, *listed); };
  });
}

}  // namespace guantong
