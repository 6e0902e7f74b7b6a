import { element, shifted } from "./awsWire";

/** One call to AWS as the proxy saw it. */
export interface ProxiedCall {
  /** Place in the lane, from 0. */
  readonly index: number;
  /** For example `CreateAccessKey`; a verification is `GetCallerIdentity (new key)`. */
  readonly action: string;
  /** Which call of this action it is, from 1, since the lane was last watched. */
  readonly nth: number;
  /** The key that it is about. */
  readonly accessKeyId: string | undefined;
  /** The status that it sets. */
  readonly status: string | undefined;
  /** The key that signed it. */
  readonly signedBy: string;
}

/** What becomes of a call: it goes on, its connection is reset, or it is answered with an error. */
export type Effect = "pass" | "drop" | { readonly status: number; readonly code: string };

/** What to do to which call. */
export interface FaultRule {
  readonly action: string;
  readonly nth: number;
  /** How many calls of the action in a row, from the nth on. */
  readonly times: number;
  /** Before moto gets it, or after moto has applied it. */
  readonly when: "before" | "after";
  effect(call: ProxiedCall): Effect | Promise<Effect>;
}

/** Whose lane it is. */
export interface LaneOptions {
  readonly rotationId: string;
  readonly userName: string;
  /** Chooses how new keys propagate: the same seed, the same refusals. */
  readonly seed: number;
}

/** A key that was made through the lane. */
interface MadeKey {
  readonly secret: string;
  /** How far AWS's clock was ahead when it was made; milliseconds. */
  readonly aheadAtCreation: number;
  /** As the last applied call has left it. */
  status: "Active" | "Inactive" | "gone";
  /** moto's answer to its first GetCallerIdentity: the later ones are the same, and many. */
  identity: string | undefined;
  /** Whether its maker got the answer. */
  isDelivered: boolean;
  /** How often it has signed. */
  signed: number;
  aheadAtUse: number;
}

// Which of a key's first calls are refused while it propagates. It flickers, but never works three times in a row
// before it has settled: that is what three passes in a row are for.
const PROPAGATION: readonly (readonly boolean[])[] = [
  [],
  [false],
  [false, true, false],
  [true, false],
  [true, true, false],
];

/** The action of a call that asks whether a new key works. */
export const VERIFICATION = "GetCallerIdentity (new key)";

/** All that the proxy knows and does about one rotation. */
export class Lane {
  readonly rotationId: string;
  readonly userName: string;
  readonly calls: ProxiedCall[] = [];
  /** The keys that the rotation made, by id. */
  readonly made = new Map<string, MadeKey>();
  /** What is to happen to a call. */
  rule: FaultRule | undefined;
  /** How far AWS's clock is ahead of this machine's, in milliseconds: so that a test need not wait. */
  ahead = 0;
  /** New keys are refused as if their secret was wrong: a run ends with a pending key at once. */
  neverLive = false;
  /** When AWS says that a key was last used, by id; ISO instants. */
  readonly lastUses = new Map<string, string>();
  /** Told of each call that moto has applied. */
  onApplied: ((call: ProxiedCall) => void) | undefined;
  private readonly pattern: readonly boolean[];
  private readonly counts = new Map<string, number>();

  constructor(options: LaneOptions) {
    this.rotationId = options.rotationId;
    this.userName = options.userName;
    this.pattern = PROPAGATION[options.seed % PROPAGATION.length] ?? [];
  }

  /** Counts calls from here on, under a new rule. */
  watch(rule?: FaultRule): void {
    this.counts.clear();
    this.calls.splice(0);
    this.rule = rule;
  }

  /** Notes a call that has come in. */
  enter(authorization: string, body: string): ProxiedCall {
    const form = new URLSearchParams(body);
    const signedBy = /Credential=([^/,]+)/.exec(authorization)?.[1] ?? "";
    const name = form.get("Action") ?? "?";
    const action = name === "GetCallerIdentity" && this.made.has(signedBy) ? VERIFICATION : name;
    const nth = (this.counts.get(action) ?? 0) + 1;
    this.counts.set(action, nth);
    const about = { accessKeyId: form.get("AccessKeyId") ?? undefined, status: form.get("Status") ?? undefined };
    const call = { index: this.calls.length, action, nth, signedBy, ...about };
    this.calls.push(call);
    return call;
  }

  ruleFor(call: ProxiedCall, when: "before" | "after"): FaultRule | undefined {
    const { rule } = this;
    if (!rule || rule.when !== when || rule.action !== call.action) return undefined;
    return call.nth >= rule.nth && call.nth < rule.nth + rule.times ? rule : undefined;
  }

  /**
   * Whether a key that the rotation made works by now; each question counts as a call that it signed. What AWS does and
   * moto does not: a young key works late and not steadily, an Inactive one or a deleted one never.
   */
  works(accessKeyId: string): boolean {
    const key = this.made.get(accessKeyId);
    if (!key) return true;
    if (key.status !== "Active" || this.neverLive) return false;
    const works = this.pattern[key.signed] ?? true;
    key.signed += 1;
    if (works) key.aheadAtUse = this.ahead;
    return works;
  }

  /** What moto once answered to this call, where it would answer the same again. */
  known(call: ProxiedCall): string | undefined {
    return call.action === VERIFICATION ? this.made.get(call.signedBy)?.identity : undefined;
  }

  /** Notes what moto has done, and moves the dates in its answer to AWS's clock. */
  applied(call: ProxiedCall, status: number, xml: string): string {
    if (status >= 400) return xml;
    let text = xml;
    if (call.action === "CreateAccessKey") {
      this.made.set(element(xml, "AccessKeyId") ?? "", {
        secret: element(xml, "SecretAccessKey") ?? "",
        status: "Active",
        identity: undefined,
        aheadAtCreation: this.ahead,
        isDelivered: false,
        signed: 0,
        aheadAtUse: 0,
      });
      text = shifted(xml, "CreateDate", this.ahead);
    } else if (call.action === "ListAccessKeys") {
      text = xml.replace(/<member>[\s\S]*?<\/member>/g, (member) => {
        const key = this.made.get(element(member, "AccessKeyId") ?? "");
        return shifted(member, "CreateDate", key?.aheadAtCreation ?? 0);
      });
    } else if (call.action === "GetAccessKeyLastUsed") {
      text = this.withLastUse(call.accessKeyId ?? "", xml);
    }
    this.note(call, xml);
    this.onApplied?.(call);
    return text;
  }

  /** Notes that the answer goes out to the provider. */
  delivered(call: ProxiedCall, xml: string): void {
    if (call.action !== "CreateAccessKey") return;
    const key = this.made.get(element(xml, "AccessKeyId") ?? "");
    if (key) key.isDelivered = true;
  }

  /** AWS's clock, as the Date header tells it. */
  date(): string {
    return new Date(Date.now() + this.ahead).toUTCString();
  }

  private note({ action, accessKeyId, signedBy, status }: ProxiedCall, xml: string): void {
    const signer = this.made.get(signedBy);
    if (action === VERIFICATION && signer) signer.identity = xml;
    const key = this.made.get(accessKeyId ?? "");
    if (!key) return;
    if (action === "DeleteAccessKey") key.status = "gone";
    if (action === "UpdateAccessKey") key.status = status === "Inactive" ? "Inactive" : "Active";
  }

  private withLastUse(accessKeyId: string, xml: string): string {
    const use = this.lastUses.get(accessKeyId);
    if (use) return xml.replace(/<LastUsedDate>[^<]*</, `<LastUsedDate>${use}<`);
    return shifted(xml, "LastUsedDate", this.made.get(accessKeyId)?.aheadAtUse ?? 0);
  }
}
