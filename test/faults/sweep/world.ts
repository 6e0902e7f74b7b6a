import { rotationId } from "../../../provider/src/contract/ids";
import { SECRET_OUTPUTS } from "../../../provider/src/contract/outputs";
import type { Credential, Iam } from "../../support/iam";
import { EngineModel, type Ran, type Saved } from "../../support/engineModel";
import type { Lane, ProxiedCall } from "../../support/faultLane";
import type { FaultProxy } from "../../support/faultProxy";
import type { ProviderHost, Wire } from "../../support/providerHost";
import type { Hosts } from "./hosts";

const CODE = 'exports.handler=()=>require("pulumi-iam-rotation/dynamic").provider';

/** Enough for every announcement's window to close, and far below what counts as a wrong clock. */
const BETWEEN_RUNS = 30_000;

/** What all cases of a sweep share. */
export interface Surroundings {
  readonly proxy: FaultProxy;
  readonly account: Iam;
  readonly hosts: Hosts;
}

/** One case's own user, its rotation, and the engine's state of it. */
export class World {
  readonly lane: Lane;
  readonly engine = new EngineModel();
  readonly foreign: Credential[] = [];
  /** What was done that must never be done. */
  readonly violations: string[] = [];
  inputs: Wire;
  /** The day of the schedule that it is. */
  day = 0;
  /** A key that somebody uses. */
  inUse: string | undefined;
  /**
   * The ledger may name too little: tagging was refused, so the rotation went on without; or two runs overlapped, and
   * the slower one, its engine dead, wrote last. State is right all the same.
   */
  mayLackLedger = false;
  /** Untagging was refused: a destroy leaves the tags, and whoever meets them is told how to take them off. */
  mayKeepTags = false;
  private isWatched = true;

  constructor(
    readonly around: Surroundings,
    readonly userName: string,
    { seed, connectionId, previousKey }: { seed: number; connectionId: string; previousKey?: Wire | undefined },
  ) {
    const owner = `organization/sweep/dev/${userName}`;
    this.inputs = {
      name: userName,
      projectId: "3c90c3cc-0d44-4b50-8888-8dd25736052a",
      connectionId,
      environment: "prod",
      secretPath: "/ci",
      rotationInterval: 30,
      parameters: { userName, region: "us-east-1" },
      secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
      ...(previousKey && { previousKey }),
      owner,
      __provider: CODE,
    };
    this.lane = around.proxy.lane({ rotationId: rotationId(owner, userName), userName, seed });
    this.lane.onApplied = (call) => this.judge(call);
  }

  /** The published pair of the last saved state. */
  get published(): Credential | undefined {
    return publishedIn(this.engine.state);
  }

  /** An undisturbed command. */
  async up(): Promise<Ran> {
    return this.engine.up(await this.host(), this.inputs);
  }

  async refresh(): Promise<Ran> {
    return this.engine.refresh(await this.host());
  }

  async destroy(): Promise<Ran> {
    return this.engine.destroy(await this.host());
  }

  /** The answer to CreateAccessKey is lost, and the engine dies before it saves. */
  async upAndDie(): Promise<void> {
    this.lane.watch({ action: "CreateAccessKey", nth: 1, times: 1, when: "after", effect: () => "drop" });
    await this.engine.up(await this.host(), this.inputs, false);
    this.lane.watch();
  }

  async addForeignKey(): Promise<void> {
    this.foreign.push(await this.around.account.addKey(this.userName));
  }

  /** Time passes on AWS's clock, and on no other. */
  pause(): void {
    this.lane.ahead += BETWEEN_RUNS;
  }

  /** From now on keys of this rotation may go, the published one too: a destroy. */
  allowRemoval(): void {
    this.isWatched = false;
  }

  /** The texts that hold a secret, and must not. */
  leaks(): string[] {
    const { secrets } = this;
    const { state, told } = this.engine;
    const open = { ...state?.outputs };
    for (const name of SECRET_OUTPUTS) delete open[name];
    const texts: Record<string, string> = {
      "a message": told.join("\n"),
      "an output that is no secret": JSON.stringify(open),
      "the inputs": JSON.stringify(state?.inputs ?? {}),
    };
    return Object.entries(texts)
      .filter(([, text]) => secrets.some((secret) => text.includes(secret)))
      .map(([place]) => `a secret stands in ${place}`);
  }

  /** Every secret that has existed. */
  get secrets(): string[] {
    return [
      ...[...this.lane.made.values()].map((key) => key.secret),
      ...this.foreign.map((key) => key.secretAccessKey),
      ...smtpPasswords(this.engine.state),
    ].filter(Boolean);
  }

  private host(): Promise<ProviderHost> {
    return this.around.hosts.on(this.day);
  }

  /** Judges each write at the moment at which AWS has done it. */
  private judge({ action, accessKeyId }: ProxiedCall): void {
    if (action !== "DeleteAccessKey" && action !== "UpdateAccessKey") return;
    const said = `${action} of`;
    if (this.foreign.some((key) => key.accessKeyId === accessKeyId)) this.violations.push(`${said} a foreign key`);
    if (!this.isWatched) return;
    if (accessKeyId === this.published?.accessKeyId) this.violations.push(`${said} the published key`);
    const policy = this.inputs["previousKey"] as { whenInUse?: string } | undefined;
    if (accessKeyId === this.inUse && policy?.whenInUse !== "retire") this.violations.push(`${said} a key in use`);
  }
}

/** The pair that a state publishes. */
export function publishedIn(state: Saved | undefined): Credential | undefined {
  const { accessKeyId, secretAccessKey } = state?.outputs ?? {};
  if (typeof accessKeyId !== "string" || typeof secretAccessKey !== "string") return undefined;
  return { accessKeyId, secretAccessKey };
}

function smtpPasswords(state: Saved | undefined): string[] {
  const password = state?.outputs["sesSmtpPassword"];
  return typeof password === "string" ? [password] : [];
}
