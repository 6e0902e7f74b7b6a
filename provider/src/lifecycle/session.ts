import { accountIdOf } from "../aws/arns";
import { type Connection, findConnection } from "../aws/connections";
import { regionOf } from "../aws/clients";
import type { CheckedInputs, RotationState } from "../contract/outputs";
import type { Identity, UserAccessKeys } from "../rotation/ports";
import type { RunContext } from "../rotation/observe";
import { describeProgress, type Progress } from "../rotation/progress";
import type { LifecycleContext } from "./context";
import { readSettings, type Settings } from "./settings";

/** One lifecycle method at work on one resource: settings read, connection found, AWS opened. */
export interface Session extends RunContext {
  readonly settings: Settings;
  readonly connection: Connection;
  readonly region: string;
  readonly jobId: string;
  readonly aws: UserAccessKeys;
}

/** Opens a session. `writes` says whether it makes or retires keys by the schedule, which `asOf` may not do on real AWS. */
export async function openSession(
  id: string,
  inputs: CheckedInputs | RotationState,
  context: LifecycleContext,
  { writes }: { readonly writes: boolean },
): Promise<Session> {
  const settings = readSettings(context);
  const connection = findConnection(settings.connections, inputs.connectionId);
  const region = regionOf(inputs.parameters, connection);
  const jobId = context.uuid();
  const aws = await context.open({
    connection,
    connections: settings.connections,
    region,
    userName: inputs.parameters.userName,
    limits: settings.limits,
    rotationId: id,
    jobId,
    onlyLocalEndpoints: writes && settings.isAsOf,
  });
  const tell = (progress: Progress) => {
    const { name, parameters, previousKey, rotation } = inputs;
    const setting = {
      userName: parameters.userName,
      region,
      at: rotation.at,
      deactivateAfterHours: previousKey.deactivateAfterHours,
    };
    context.log(`${name}: ${describeProgress(progress, setting)}`);
  };
  return { settings, connection, region, jobId, aws, clock: context.clock, limits: settings.limits, tell };
}

/** The user that a state knows. */
export function userOf(state: RotationState): Identity {
  return { userId: state.userId, arn: state.userArn, accountId: accountIdOf(state.userArn) };
}
