import type { Effect, FaultRule, ProxiedCall } from "../../support/faultLane";

/** What can happen at a call. */
export interface Fault {
  /** The head of its column. */
  readonly name: string;
  /** What becomes of the processes; the cases with a process killed need one of their own. */
  readonly kills: "nothing" | "provider" | "engine";
  /** A second `up` begins while the killed engine's provider still waits for the call's answer. */
  readonly overlaps?: boolean;
  rule(call: Target, hooks: Hooks): FaultRule;
}

/** Which call of an operation: the nth of its action. */
export type Target = Pick<ProxiedCall, "action" | "nth">;

/** What a rule asks of the harness. */
export interface Hooks {
  /** kill -9. */
  killProvider(): Promise<void>;
  /** Runs the other `up`, to its end. */
  upMeanwhile(): Promise<void>;
}

const answer = (status: number, code: string) => (): Effect => ({ status, code });
const once = { times: 1 };

/** The faults, in the order of the table's columns. */
export const FAULTS: readonly Fault[] = [
  {
    name: "refused",
    kills: "nothing",
    rule: (call) => ({ ...call, ...once, when: "before", effect: answer(403, "AccessDenied") }),
  },
  {
    name: "answer lost",
    kills: "nothing",
    rule: (call) => ({ ...call, ...once, when: "after", effect: () => "drop" }),
  },
  {
    name: "500 after it",
    kills: "nothing",
    rule: (call) => ({ ...call, ...once, when: "after", effect: answer(500, "InternalFailure") }),
  },
  {
    name: "throttled 3 times",
    kills: "nothing",
    rule: (call) => ({ ...call, times: 3, when: "before", effect: answer(400, "Throttling") }),
  },
  {
    name: "provider killed before it",
    kills: "provider",
    rule: (call, { killProvider }) => ({ ...call, ...once, when: "before", effect: killedBy(killProvider) }),
  },
  {
    name: "provider killed after it",
    kills: "provider",
    rule: (call, { killProvider }) => ({ ...call, ...once, when: "after", effect: killedBy(killProvider) }),
  },
  {
    name: "engine killed after it",
    kills: "engine",
    rule: (call) => ({ ...call, ...once, when: "after", effect: () => "pass" }),
  },
  {
    name: "engine killed, next up at once",
    kills: "engine",
    overlaps: true,
    rule: (call, { upMeanwhile }) => ({
      ...call,
      ...once,
      when: "after",
      effect: () => upMeanwhile().then(() => "pass" as const),
    }),
  },
];

function killedBy(kill: () => Promise<void>): () => Promise<Effect> {
  return async () => {
    await kill();
    return "drop";
  };
}
