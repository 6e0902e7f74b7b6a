import { AMBIENT_CONNECTION_ID } from "../../../provider/src/contract/inputs";
import { rotationId } from "../../../provider/src/contract/ids";
import { CliStack } from "../../support/engineCli";
import type { Lane } from "../../support/faultLane";
import { type FaultProxy, startFaultProxy } from "../../support/faultProxy";
import { Iam } from "../../support/iam";
import { type Moto, sharedMoto } from "../../support/moto";

/** The logical name of the rotation in these stacks. */
export const NAME = "shared-bot";

const CONFIG = { "iam-rotation:limits": JSON.stringify({ lagSeconds: 0, verifySpacingSeconds: 0.01 }) };

const argsFor = (userName: string) => ({
  projectId: "3c90c3cc-0d44-4b50-8888-8dd25736052a",
  connectionId: AMBIENT_CONNECTION_ID,
  environment: "prod",
  secretPath: "/ci",
  rotationInterval: 30,
  parameters: { userName, region: "us-east-1" },
  secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
});

/** Stacks driven by the engine's own command line, before a moto behind the fault-injecting proxy. */
export interface CliStacks {
  readonly moto: Moto;
  /** A person in the account. */
  readonly iam: Iam;
  /** A new user, and a stack that rotates its keys. */
  stackOf(userName: string, stackName?: string, backend?: string): Promise<CliStack>;
  /** The calls of that stack's rotation. */
  laneOf(userName: string, stackName?: string): Lane;
}

/** To be called in a `describe`. */
export function useCliStacks(): CliStacks {
  let moto: Moto | undefined;
  let proxy: FaultProxy | undefined;
  let iam: Iam | undefined;
  const stacks: CliStack[] = [];
  const there = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("it is there from the first test on");
    return value;
  };
  before(async () => {
    moto = await sharedMoto();
    await moto.reset();
    proxy = await startFaultProxy(moto.endpoint);
    iam = new Iam(moto.endpoint);
  });
  after(async () => {
    iam?.stop();
    await proxy?.stop();
  });
  afterEach(() => {
    for (const stack of stacks.splice(0)) stack.remove();
  });
  return {
    get moto() {
      return there(moto);
    },
    get iam() {
      return there(iam);
    },
    async stackOf(userName, stackName = "dev", backend) {
      const stack = new CliStack(NAME, there(proxy).endpoint, stackName, backend);
      stacks.push(stack);
      await stack.init();
      stack.write(argsFor(userName), CONFIG);
      return stack;
    },
    laneOf: (userName, stackName = "dev") =>
      there(proxy).lane({
        rotationId: rotationId(`organization/sweep/${stackName}/${NAME}`, userName),
        userName,
        seed: 0,
      }),
  };
}
