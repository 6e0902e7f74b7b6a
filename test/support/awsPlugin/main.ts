import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

import { main, type Provider } from "@pulumi/pulumi/provider";

import { accessKey, parameter, secret, secretVersion, user, userPolicy } from "./resources";
import type { Properties, ResourceType } from "./resourceType";

// A Pulumi provider for the few AWS types that our examples use, where the real one's binary cannot be had: a real
// gRPC plugin over the AWS SDK, so that the engine, the AWS package for programs and moto are the real ones.

const TYPES: Record<string, ResourceType> = {
  "aws:iam/accessKey:AccessKey": accessKey,
  "aws:iam/user:User": user,
  "aws:iam/userPolicy:UserPolicy": userPolicy,
  "aws:secretsmanager/secret:Secret": secret,
  "aws:secretsmanager/secretVersion:SecretVersion": secretVersion,
  "aws:ssm/parameter:Parameter": parameter,
};

// How the engine hands over a secret: this key with this value, the plain one beside it.
const SECRET_KEY = "4dabf18193072939515e22adb298388d";

const provider: Provider = {
  // The engine expects the version of the AWS package that the program uses.
  version: (JSON.parse(readFileSync(require.resolve("@pulumi/aws/package.json"), "utf8")) as { version: string })
    .version,

  check: async (urn, olds: Properties, news: Properties) => {
    const { named } = typeOf(urn);
    const name = news["name"] ?? olds["name"] ?? urn.split("::").at(-1);
    return { inputs: named ? { ...news, name } : news };
  },

  diff: async (_id, urn, olds: Properties, news: Properties) => {
    const { inputs, replaceOn } = typeOf(urn);
    const [before, after] = [plain(olds), plain(news)];
    const changed = inputs.filter((name) => !isDeepStrictEqual(before[name], after[name]));
    return { changes: changed.length > 0, replaces: changed.filter((name) => replaceOn.includes(name)) };
  },

  create: async (urn, news: Properties) => typeOf(urn).create(plain(news)),

  read: async (id, urn, state: Properties) => {
    const type = typeOf(urn);
    const props = await type.read(id, plain(state));
    if (!props) return { id: "", props: {} };
    return { id, props, inputs: Object.fromEntries(type.inputs.map((name) => [name, props[name]])) };
  },

  update: async (id, urn, olds: Properties, news: Properties) => {
    const { update } = typeOf(urn);
    if (!update) throw new Error(`${urn} cannot be updated`);
    return { outs: await update(id, plain(news), plain(olds)) };
  },

  delete: async (id, urn, state: Properties) => typeOf(urn).delete(id, plain(state)),
};

function typeOf(urn: string): ResourceType {
  // urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME
  const token = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const type = TYPES[token];
  if (!type) throw new Error(`the test plugin does not know ${token}`);
  return type;
}

function plain(properties: Properties): Properties {
  return unwrapped(properties) as Properties;
}

function unwrapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapped);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET_KEY in value && "value" in value) return value.value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapped(inner)]));
}

void main(provider, process.argv.slice(2));
