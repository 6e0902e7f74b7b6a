import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { devNull } from "node:os";
import { join } from "node:path";

import { credentials, type Metadata, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import provider from "@pulumi/pulumi/proto/provider_pb";
import status from "@pulumi/pulumi/proto/status_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";

type Properties = Record<string, unknown>;

/** The code that the resource class puts into every resource: the host loads the built provider with it. */
export const PROVIDER_CODE = 'exports.handler=()=>require("pulumi-iam-rotation/dynamic").provider';

/** What the host gives to the engine when a method fails. */
export class HostFailure extends Error {
  constructor(
    error: ServiceError,
    /** What the engine saves all the same; undefined for a failure that saves nothing. */
    readonly partial: { readonly id: string; readonly properties: Properties; readonly reasons: string[] } | undefined,
  ) {
    super(error.details);
  }
}

/** What a host is started with. */
export interface HostOptions {
  /** Where AWS is. */
  readonly endpoint: string;
  /** The stack's config by its full keys. */
  readonly config?: Readonly<Record<string, string>>;
}

const root = join(__dirname, "../..");
const structOf = (properties: Properties) => Struct.fromJavaScript(properties as Record<string, JavaScriptValue>);
const objectOf = (struct: Struct | undefined): Properties => struct?.toJavaScript() ?? {};

/** Pulumi's own host of dynamic providers in a process of its own, driven as the engine does it. No engine is there. */
export class Host {
  /** Everything that it wrote on stdout and stderr, its port apart. */
  output = "";

  private constructor(
    private readonly child: ChildProcess,
    private readonly client: ResourceProviderClient,
  ) {}

  /** Starts a host and sends it the configuration, without waiting for the answer: the engine's calls follow at once. */
  static async start({ endpoint, config = {} }: HostOptions): Promise<Host> {
    const entry = require.resolve("@pulumi/pulumi/cmd/dynamic-provider");
    // The address of an engine is asked for and never used by this host.
    const child = spawn(process.execPath, [entry, "127.0.0.1:1"], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      // Nothing of the machine's own AWS settings.
      env: {
        PATH: process.env["PATH"],
        AWS_ENDPOINT_URL: endpoint,
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_CONFIG_FILE: devNull,
        AWS_SHARED_CREDENTIALS_FILE: devNull,
        AWS_EC2_METADATA_DISABLED: "true",
      },
    });
    const { port, rest } = await portOf(child);
    const host = new Host(child, new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure()));
    host.output = rest;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (host.output += text));
    }
    const request = new provider.ConfigureRequest();
    request.setArgs(structOf({ ...config }));
    host.client.configure(request, () => {});
    return host;
  }

  async stop(): Promise<void> {
    this.client.close();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, "close");
    this.child.kill();
    await gone;
  }

  async check(olds: Properties, news: Properties) {
    const request = new provider.CheckRequest();
    request.setOlds(structOf(olds));
    request.setNews(structOf(withCode(news)));
    const answer = await this.call<provider.CheckResponse>((done) => this.client.check(request, done));
    return {
      inputs: objectOf(answer.getInputs()),
      failures: answer.getFailuresList().map((each) => ({ property: each.getProperty(), reason: each.getReason() })),
    };
  }

  async diff(id: string, olds: Properties, news: Properties) {
    const request = new provider.DiffRequest();
    request.setId(id);
    request.setOlds(structOf(olds));
    request.setNews(structOf(news));
    const answer = await this.call<provider.DiffResponse>((done) => this.client.diff(request, done));
    const { DIFF_SOME } = provider.DiffResponse.DiffChanges;
    return { changes: answer.getChanges() === DIFF_SOME, replaces: answer.getReplacesList() };
  }

  async create(inputs: Properties) {
    const request = new provider.CreateRequest();
    request.setProperties(structOf(inputs));
    const answer = await this.call<provider.CreateResponse>((done) => this.client.create(request, done));
    return { id: answer.getId(), properties: objectOf(answer.getProperties()) };
  }

  async read(id: string, properties: Properties) {
    const request = new provider.ReadRequest();
    request.setId(id);
    request.setProperties(structOf(properties));
    const answer = await this.call<provider.ReadResponse>((done) => this.client.read(request, done));
    return { id: answer.getId(), properties: objectOf(answer.getProperties()), inputs: objectOf(answer.getInputs()) };
  }

  async update(id: string, olds: Properties, news: Properties) {
    const request = new provider.UpdateRequest();
    request.setId(id);
    request.setOlds(structOf(olds));
    request.setNews(structOf(news));
    const answer = await this.call<provider.UpdateResponse>((done) => this.client.update(request, done));
    return objectOf(answer.getProperties());
  }

  async delete(id: string, properties: Properties): Promise<void> {
    const request = new provider.DeleteRequest();
    request.setId(id);
    request.setProperties(structOf(properties));
    await this.call((done) => this.client.delete(request, done));
  }

  private call<Answer>(
    send: (done: (error: ServiceError | null, answer?: Answer) => void) => unknown,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      send((error, answer) => {
        if (error) reject(new HostFailure(error, partialOf(error.metadata)));
        else if (answer !== undefined) resolve(answer);
      });
    });
  }
}

/** Adds the provider's code, as the resource class does. */
export function withCode(properties: Properties): Properties {
  return { ...properties, __provider: PROVIDER_CODE };
}

function partialOf(metadata: Metadata): HostFailure["partial"] {
  const [bytes] = metadata.get("grpc-status-details-bin");
  if (bytes === undefined) return undefined;
  const [detail] = status.Status.deserializeBinary(Buffer.from(bytes)).getDetailsList();
  const failure = provider.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
  return { id: failure.getId(), properties: objectOf(failure.getProperties()), reasons: failure.getReasonsList() };
}

async function portOf(child: ChildProcess): Promise<{ port: string; rest: string }> {
  let text = "";
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    text += String(chunk);
    const [line, ...rest] = text.split("\n");
    if (rest.length > 0 && line) return { port: line.trim(), rest: rest.join("\n") };
  }
  throw new Error(`the host did not start: ${errors}`);
}
