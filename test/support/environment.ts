import { devNull } from "node:os";

/** The variables that send the AWS SDK to a server of the test's, whatever the machine's own settings are. */
export function sentTo(endpoint: string): Readonly<Record<string, string | undefined>> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_IAM: undefined,
    AWS_ENDPOINT_URL_STS: undefined,
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
  };
}

/** To be called in a `describe`: sets variables for each of its tests, and puts the old ones back; undefined unsets. */
export function useEnvironment(variables: () => Readonly<Record<string, string | undefined>>): void {
  let before: Record<string, string | undefined> = {};
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  beforeEach(() => {
    const wanted = variables();
    before = Object.fromEntries(Object.keys(wanted).map((name) => [name, process.env[name]]));
    for (const [name, value] of Object.entries(wanted)) set(name, value);
  });
  afterEach(() => {
    for (const [name, value] of Object.entries(before)) set(name, value);
  });
}
