#include <string>

#include "catalog/base/certificate.h"
#include "catalog/base/node_path.h"
#include "catalog/base/status.h"
#include "catalog/batch.h"
#include "catalog/filter.h"
#include "catalog/table.h"
#include "node/identity/identity.h"
#include "tests/fuzz/targets.h"

namespace guantong::fuzz {

namespace {

v1::DatasetSchema Schema() {
  v1::DatasetSchema schema;
  schema.set_version(1);
  for (const v1::ItemType type :
       {v1::ITEM_TYPE_C, v1::ITEM_TYPE_N, v1::ITEM_TYPE_D, v1::ITEM_TYPE_T, v1::ITEM_TYPE_L}) {
    v1::Column* column = schema.add_columns();
    column->set_field(v1::ItemType_Name(type));
    column->set_type(type);
    column->set_key(type == v1::ITEM_TYPE_C);
    column->set_nullable(type != v1::ITEM_TYPE_C);
  }
  return schema;
}

}  // namespace

void Words(absl::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input[0]) % 6;
  input.remove_prefix(1);
  const std::string text(input);
  switch (choice) {
    case 0:
      if (const auto token = DecodeToken(text); token.ok())
        GT_CHECK(DecodeToken(EncodeToken(*token)).ok());
      return;
    case 1:
      (void)Filter::Parse(text, Schema());
      return;
    case 2:
      if (const auto path = NodePath::Parse(text); path.ok())
        GT_CHECK(NodePath::Parse(path->text()).ok());
      return;
    case 3: {
      v1::SignedBatch batch;
      if (!batch.ParseFromString(text)) return;
      const auto parsed = ParseBatch(batch);
      if (parsed.ok()) (void)DecodePayload(parsed->header.compression(), batch.payload());
      return;
    }
    case 4: {
      v1::SignedManifest manifest;
      if (manifest.ParseFromString(text)) (void)ParseManifest(manifest);
      return;
    }
    default: {
      v1::CertificateChain chain;
      if (chain.ParseFromString(text)) (void)VerifyChainLinks(chain, "");
      return;
    }
  }
}

}  // namespace guantong::fuzz
