import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import * as status from "@pulumi/pulumi/proto/status_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

import { endWithUs } from "./endWithUs";

const ROOT = join(__dirname, "../..");

/** Properties as they cross the wire. */
export type Wire = Record<string, unknown>;

/** What a host of dynamic providers is started with. */
export interface HostOptions {
  /** The program's folder: the host finds the provider's code from here. */
  readonly folder: string;
  /** `AWS_ENDPOINT_URL`. */
  readonly endpoint: string;
  /** The stack's config, as the engine hands it over: full keys, structured values as JSON text. */
  readonly config: Record<string, string>;
}

/** A method failed. With `saved` it failed in part: the engine keeps the id and the properties. */
export class HostError extends Error {
  constructor(
    message: string,
    readonly code: grpc.status,
    readonly saved: { readonly id: string; readonly properties: Wire; readonly reasons: readonly string[] } | undefined,
  ) {
    super(message);
    this.name = "HostError";
  }

  /** The process ended, or was ended, during the call. */
  get isDead(): boolean {
    return this.code === grpc.status.UNAVAILABLE || this.code === grpc.status.CANCELLED;
  }
}

/** Pulumi's own dynamic-provider process, spoken to as the engine does. */
export class ProviderHost {
  /** All that it has printed. */
  printed = "";

  private constructor(
    private readonly child: ChildProcess,
    private readonly client: ResourceProviderClient,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.printed += text));
    }
  }

  static async start({ folder, endpoint, config }: HostOptions): Promise<ProviderHost> {
    const main = require.resolve("@pulumi/pulumi/cmd/dynamic-provider");
    const child = spawn(process.execPath, [main, "127.0.0.1:1"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|PULUMI)_/.test(name))),
        AWS_ENDPOINT_URL: endpoint,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_CONFIG_FILE: "/dev/null",
        AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
        AWS_EC2_METADATA_DISABLED: "true",
        // Many are started, and most of a start is compiling.
        NODE_COMPILE_CACHE: join(ROOT, ".cache/compiled"),
      },
    });
    endWithUs(child);
    const lines = createInterface({ input: child.stdout });
    const ended = once(child, "exit").then(() => Promise.reject(new Error("the host ended before it had a port")));
    const [port] = (await Promise.race([once(lines, "line"), ended])) as [string];
    ended.catch(() => undefined);
    lines.close();
    child.stdout.resume();
    const host = new ProviderHost(
      child,
      new ResourceProviderClient(`127.0.0.1:${port.trim()}`, grpc.credentials.createInsecure()),
    );
    const request = new pb.ConfigureRequest();
    request.setArgs(Struct.fromJavaScript(config));
    await host.call<pb.ConfigureResponse>((done) => host.client.configure(request, done));
    return host;
  }

  async check(olds: Wire, news: Wire): Promise<{ inputs: Wire; failures: string[] }> {
    const request = new pb.CheckRequest();
    request.setOlds(struct(olds));
    request.setNews(struct(news));
    const answer = await this.call<pb.CheckResponse>((done) => this.client.check(request, done));
    return {
      inputs: plain(answer.getInputs()),
      failures: answer.getFailuresList().map((failure) => failure.getReason()),
    };
  }

  async diff(id: string, olds: Wire, news: Wire): Promise<{ changes: boolean; replaces: string[] }> {
    const request = new pb.DiffRequest();
    request.setId(id);
    request.setOlds(struct(olds));
    request.setNews(struct(news));
    const answer = await this.call<pb.DiffResponse>((done) => this.client.diff(request, done));
    return {
      changes: answer.getChanges() === pb.DiffResponse.DiffChanges.DIFF_SOME,
      replaces: answer.getReplacesList(),
    };
  }

  async create(inputs: Wire): Promise<{ id: string; outputs: Wire }> {
    const request = new pb.CreateRequest();
    request.setProperties(struct(inputs));
    const answer = await this.call<pb.CreateResponse>((done) => this.client.create(request, done));
    return { id: answer.getId(), outputs: plain(answer.getProperties()) };
  }

  /** @returns undefined when the resource is gone. */
  async read(id: string, properties: Wire): Promise<{ outputs: Wire; inputs: Wire } | undefined> {
    const request = new pb.ReadRequest();
    request.setId(id);
    request.setProperties(struct(properties));
    const answer = await this.call<pb.ReadResponse>((done) => this.client.read(request, done));
    if (!answer.getId()) return undefined;
    return { outputs: plain(answer.getProperties()), inputs: plain(answer.getInputs()) };
  }

  async update(id: string, olds: Wire, news: Wire): Promise<{ outputs: Wire }> {
    const request = new pb.UpdateRequest();
    request.setId(id);
    request.setOlds(struct(olds));
    request.setNews(struct(news));
    const answer = await this.call<pb.UpdateResponse>((done) => this.client.update(request, done));
    return { outputs: plain(answer.getProperties()) };
  }

  async delete(id: string, properties: Wire): Promise<void> {
    const request = new pb.DeleteRequest();
    request.setId(id);
    request.setProperties(struct(properties));
    await this.call((done) => this.client.delete(request, done));
  }

  /** kill -9, and waits until it is gone. */
  async kill(): Promise<void> {
    // An open client would go on trying to reach it.
    this.client.close();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await gone;
  }

  private call<Answer>(
    send: (done: (error: grpc.ServiceError | null, answer: Answer) => void) => void,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      send((error, answer) => {
        if (error) reject(new HostError(error.details || error.message, error.code, savedIn(error)));
        else resolve(answer);
      });
    });
  }
}

/** What a partial failure wants to be saved. */
function savedIn(error: grpc.ServiceError): HostError["saved"] {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  if (!(bytes instanceof Buffer)) return undefined;
  const [detail] = status.Status.deserializeBinary(bytes).getDetailsList();
  if (!detail) return undefined;
  const failed = pb.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
  return { id: failed.getId(), properties: plain(failed.getProperties()), reasons: failed.getReasonsList() };
}

// The engine's own conversion leaves out what is undefined, as JSON does.
function struct(properties: Wire): Struct {
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as Record<string, never>);
}

function plain(properties: Struct | undefined): Wire {
  return properties?.toJavaScript() ?? {};
}
