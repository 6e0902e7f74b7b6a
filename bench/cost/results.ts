import type { OperationCost } from "../../test/support/callCosts";
import type { Kind } from "./stacks";
import type { Spread } from "./statistics";

/** Where and when a part was measured. */
export interface Circumstances {
  /** ISO instant at its end. */
  readonly at: string;
  readonly seconds: number;
  readonly machine: string;
  /** The system's load average over one minute, before and after: what else was at work counts in it. */
  readonly load: readonly [number, number];
  readonly versions: Readonly<Record<string, string>>;
}

/** What one kind took in one setting, over all pairs. */
export interface Measured {
  readonly seconds: Spread;
  readonly cpuSeconds: Spread | null;
  readonly engineCpuSeconds: Spread | null;
  readonly programCpuSeconds: Spread | null;
  readonly providerCpuSeconds: Spread | null;
  readonly providerMegabytes: Spread | null;
}

/** Ratios of ours to another kind, pair by pair. */
export interface Ratios {
  readonly seconds: Spread;
  readonly cpuSeconds: Spread | null;
  readonly providerMegabytes: Spread | null;
}

/** A no-op run of so many rotations. */
export interface UnchangedRow {
  readonly command: "preview" | "up";
  readonly rotations: number;
  readonly kinds: Readonly<Record<Kind, Measured>>;
  readonly toFloor: Ratios;
  readonly toUsual: Ratios;
}

export interface Unchanged {
  readonly rows: readonly UnchangedRow[];
  /** `up` of ours beside the usual resource when that carries our inputs, outputs and secrets, too. */
  readonly likeWithLike: {
    readonly rotations: number;
    readonly usual: Measured;
    readonly ours: Measured;
    readonly toUsual: Ratios;
  };
  /** `up` of a stack without a resource, by our program. */
  readonly empty: Measured;
  /** The largest against half of it, each less the empty stack: seconds, and CPU. */
  readonly growth: {
    readonly from: number;
    readonly to: number;
    readonly seconds: number;
    readonly cpu: number | null;
  } | null;
  readonly awsCalls: number;
}

/** Creating and rotating many, at one delay of each call. */
export interface RotationsRow {
  readonly rotations: number;
  readonly delayMilliseconds: number;
  readonly parallel: number;
  readonly create: Readonly<Record<Kind, Spread>>;
  readonly rotate: Readonly<Record<Kind, Spread>>;
  /** The SDK's own calls: as many, in the same order, each rotation's in turn; and those at once that do not wait on one another. */
  readonly loopInTurn: Spread;
  readonly loopAtOnce: Spread;
  readonly ratioInTurn: Spread;
  /** The same less the engine's own time for it, which the floor shows. */
  readonly ratioAtOnce: Spread;
  readonly ratioAtOnceLessFloor: Spread;
}

/** Rotations under an AWS that throttles. */
export interface Throttled {
  readonly rotations: number;
  readonly callsPerSecond: number;
  readonly burst: number;
  readonly runs: readonly {
    readonly seconds: number;
    readonly rotated: number;
    readonly calls: number;
    readonly throttled: number;
  }[];
  /** Calls without any throttling. */
  readonly callsUndisturbed: number;
  /** Keys on the users that no state names, and keys in state that are not on the users. */
  readonly lost: number;
}

export interface StateSize {
  readonly ours: number;
  readonly oursInputs: number;
  readonly oursOutputs: number;
  /** As it is, with one key and two outputs. */
  readonly usual: number;
  /** Our inputs and outputs, and the closure in place of our loader. */
  readonly usualSameOutputs: number;
}

export interface ModuleCost {
  readonly loadMilliseconds: Readonly<Record<"floor" | "ours", Spread>>;
  readonly loadMegabytes: Readonly<Record<"floor" | "ours", Spread>>;
  readonly installedMegabytes: {
    readonly own: number;
    readonly awsSdk: number;
    readonly others: number;
    readonly packages: number;
  };
}

interface Part<T> {
  readonly circumstances: Circumstances;
  readonly result: T;
}

/** All that the bench brought. A part that was not measured yet is missing. */
export interface Results {
  readonly calls?: Part<readonly OperationCost[]>;
  readonly state?: Part<StateSize>;
  readonly module?: Part<ModuleCost>;
  readonly unchanged?: Part<Unchanged>;
  readonly rotations?: Part<readonly RotationsRow[]>;
  readonly throttled?: Part<Throttled>;
}
