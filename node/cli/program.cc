#include "node/cli/program.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "catalog/base/status.h"
#include "node/cli/failure.h"
#include "node/cli/invocation.h"
#include "node/language.h"

namespace guantong {
namespace {

// Help and usage errors are written before parsing ends, so language and format are looked for
// first. The last one wins, as it does in parsing.
std::string Early(int argc, char** argv, const std::vector<std::string>& names) {
  std::string value;
  for (int i = 1; i < argc && std::strcmp(argv[i], "--") != 0; ++i) {
    for (const std::string& name : names) {
      const absl::string_view argument(argv[i]);
      const bool is_long = name.size() > 2;
      if (argument == name && i + 1 < argc) {
        value = argv[i + 1];
      } else if (is_long && absl::StartsWith(argument, name + "=")) {
        value = argv[i] + name.size() + 1;
      } else if (!is_long && argument.size() > 2 && absl::StartsWith(argument, name)) {
        value = argv[i] + name.size();
      }
    }
  }
  return value;
}

void AddGlobals(CLI::App* app, Invocation* invocation) {
  app->add_option("--profile", invocation->profile,
                  Text("身份档案：节点地址和证书", "profile: node address and certificate"))
      ->envname("GUANTONG_PROFILE")
      ->type_name("FILE");
  app->add_option_function<std::string>(
         "-o,--output",
         [invocation](const std::string& name) {
           invocation->output = name == "json"  ? OutputFormat::kJson
                                : name == "csv" ? OutputFormat::kCsv
                                                : OutputFormat::kTable;
         },
         Text("输出格式：table、json、csv", "output: table, json, csv"))
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->take_last()
      ->type_name("FORMAT");
  app->add_option_function<std::string>(
         "--timeout",
         [invocation](const std::string& text) {
           absl::Duration timeout;
           const bool bare = text.find_first_not_of("0123456789.") == std::string::npos;
           if (!absl::ParseDuration(bare ? text + "s" : text, &timeout) ||
               timeout <= absl::ZeroDuration()) {
             throw CLI::ValidationError(
                 "--timeout", Text("应为时长，如 30s、5m", "should be a duration like 30s or 5m"));
           }
           invocation->timeout = timeout;
         },
         Text("等待答复的时限，如 30s、5m", "how long to wait for the answer: 30s, 5m"))
      ->type_name("DURATION");
  app->add_option("--lang")
      ->description(Text("语言：zh、en", "language: zh, en"))
      ->check(CLI::IsMember({"zh", "en"}))
      ->type_name("LANG");
}

void Localise(CLI::App* app) {
  const auto formatter = std::make_shared<CLI::Formatter>();
  formatter->column_width(34);
  if (CurrentLanguage() == Language::kChinese) {
    formatter->label("Usage", "用法");
    formatter->label("OPTIONS", "选项");
    formatter->label("SUBCOMMAND", "命令");
    formatter->label("SUBCOMMANDS", "命令");
    formatter->label("Positionals", "参数");
    formatter->label("REQUIRED", "（必填）");
    formatter->label("Env", "环境变量");
    formatter->label("Needs", "需要");
    formatter->label("Excludes", "不能同用");
  }
  app->formatter(formatter);
  app->option_defaults()->group(Text("选项", "Options"));
  app->set_help_flag("-h,--help", Text("显示帮助", "show this help"));
  app->require_subcommand(1);
  app->fallthrough();
}

// Help options and commands stand under headings of their own, which nothing but the object itself
// can name.
void NameGroups(CLI::App* app) {
  app->get_help_ptr()->group(Text("选项", "Options"));
  for (CLI::App* command : app->get_subcommands(nullptr)) {
    command->group(Text("命令", "Commands"));
    NameGroups(command);
  }
}

std::string UsageText(const CLI::App& app, const CLI::ParseError& e) {
  const std::string& name = e.get_name();
  const std::vector<std::string> unknown = app.remaining(true);
  if (name == "RequiredError" && !unknown.empty()) {
    return absl::StrCat(Text("没有这个命令：", "no such command: "), unknown.front());
  }
  if (name == "ExtrasError") {
    return absl::StrCat(Text("不认识的参数：", "arguments not understood: "), e.what());
  }
  if (name == "RequiredError") {
    return absl::StrCat(Text("缺少必填的参数或命令：", "an argument or command is missing: "),
                        e.what());
  }
  if (name == "ExcludesError" || name == "RequiresError") {
    return absl::StrCat(Text("参数不能这样同用：", "these do not go together: "), e.what());
  }
  return absl::StrCat(Text("参数取值不对：", "a value is not valid: "), e.what());
}

std::string ChosenCommand(const CLI::App& app) {
  std::string name = "guantong";
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    absl::StrAppend(&name, " ", at->get_name());
  }
  return name;
}

int Fail(const absl::Status& status, const CLI::App& app, OutputFormat output) {
  PrintFailure(status, ChosenCommand(app), output, stderr);
  return ExitCode(status);
}

int ParseAndRun(int argc, char** argv, CLI::App* app, Invocation* invocation) {
  try {
    app->parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app->exit(e) == 0 ? kExitDone : kExitFailed;  // --help
  } catch (const CLI::ParseError& e) {
    const OutputFormat output = Early(argc, argv, {"-o", "--output"}) == "json"
                                    ? OutputFormat::kJson
                                    : OutputFormat::kTable;
    const std::string command = ChosenCommand(*app);
    return Fail(
        UsageError(UsageText(*app, e), absl::StrCat(Text("用法见 ", "see "), command, " --help")),
        *app, output);
  }
  absl::Status status = invocation->action();
  // A full disk behind a redirection shows only here.
  if (std::fflush(stdout) != 0 && status.ok()) {
    status = Error(absl::StatusCode::kUnavailable, "output_unwritable",
                   Text("写标准输出失败", "cannot write to standard output"), "",
                   Text("检查磁盘空间", "check disk space"));
  }
  return status.ok() ? kExitDone : Fail(status, *app, invocation->output);
}

}  // namespace

int RunProgram(int argc, char** argv) {
  if (Early(argc, argv, {"--lang"}) == "en") SetLanguage(Language::kEnglish);
  Invocation invocation;
  CLI::App app(
      Text("贯通：政务数据交换节点的命令行", "Guantong: command line of a data exchange node"),
      "guantong");
  Localise(&app);
  AddGlobals(&app, &invocation);
  AddInit(&app, &invocation);
  AddAdmission(&app, &invocation);
  AddMove(&app, &invocation);
  AddCatalog(&app, &invocation);
  AddCodeLists(&app, &invocation);
  AddDemands(&app, &invocation);
  AddWork(&app, &invocation);
  AddRulings(&app, &invocation);
  AddPersons(&app, &invocation);
  AddPush(&app, &invocation);
  AddQuery(&app, &invocation);
  AddSubscriptions(&app, &invocation);
  AddNetwork(&app, &invocation);
  AddFeeds(&app, &invocation);
  AddChecks(&app, &invocation);
  AddUpkeep(&app, &invocation);
  AddDrill(&app, &invocation);
  NameGroups(&app);
  app.footer(Text(
      "退出码：0 完成；1 失败；2 用法；3 没有找到；4 拒绝（身份、授权、策略）；5 暂不可用，可重试",
      "Exit status: 0 done; 1 failed; 2 usage; 3 not found; 4 refused; 5 unavailable, try again"));
  return ParseAndRun(argc, argv, &app, &invocation);
}

}  // namespace guantong
