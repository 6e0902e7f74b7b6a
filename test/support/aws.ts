import { type AwsCall, type AwsFault, type AwsProxy, startAwsProxy } from "./awsProxy";
import { type Credential, Iam } from "./iam";
import { type Moto, sharedMoto } from "./moto";

/** An empty AWS account for each test of a suite. */
export interface TestAws {
  /** Where the provider under test finds AWS: it goes through a proxy that counts. */
  readonly endpoint: string;
  /** What the provider has called since the test began, or since {@link forgetCalls}. */
  readonly calls: readonly AwsCall[];
  forgetCalls(): void;
  /** A person in the account, past the proxy. */
  readonly iam: Iam;
  /** moto itself, for a client of the test's own. */
  readonly moto: Moto;
  /** Makes AWS answer some calls with an error. */
  failOn(fault: ((call: AwsCall) => AwsFault | undefined) | undefined): void;
  /** From now on signatures and policies are checked; `iam` and the pair that is given back may do everything. */
  requireSignatures(): Promise<Credential>;
}

/** To be called in a `describe`: gives each of its tests an empty account. */
export function useAws(): TestAws {
  let moto: Moto | undefined;
  let proxy: AwsProxy | undefined;
  let iam: Iam | undefined;
  const there = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("there is no AWS yet: it is there from the first test on");
    return value;
  };
  before(async () => {
    moto = await sharedMoto();
    proxy = await startAwsProxy(moto.endpoint);
  });
  beforeEach(async () => {
    await there(moto).reset();
    there(proxy).fault = undefined;
    there(proxy).forgetCalls();
    iam?.stop();
    iam = new Iam(there(moto).endpoint);
  });
  after(async () => {
    iam?.stop();
    await proxy?.stop();
  });
  return {
    get endpoint() {
      return there(proxy).endpoint;
    },
    get calls() {
      return there(proxy).calls;
    },
    get iam() {
      return there(iam);
    },
    get moto() {
      return there(moto);
    },
    forgetCalls: () => there(proxy).forgetCalls(),
    failOn: (fault) => void (there(proxy).fault = fault),
    async requireSignatures() {
      const administrator = await there(iam).createAdministrator("administrator");
      await there(moto).requireSignatures();
      there(iam).stop();
      iam = new Iam(there(moto).endpoint, administrator);
      return administrator;
    },
  };
}
