import { delimiter, join } from "node:path";

const COMPILE_CACHE = join(__dirname, "../../.cache/compiled");

/** Where a command of the engine finds things. */
export interface EngineWorld {
  /** `AWS_ENDPOINT_URL`. */
  readonly endpoint: string;
  /** The URL of the state's backend. */
  readonly backend: string;
  /** A folder of its own for the engine. */
  readonly home: string;
  /** Folders to come first on PATH, for plugins. */
  readonly path?: readonly string[];
  /** More variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The environment for a command that runs the engine, directly or not: this machine's own AWS and Pulumi are out of reach. */
export function engineEnvironment({ endpoint, backend, home, path = [], env }: EngineWorld): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|PULUMI)_/.test(name))),
    PATH: [...path, process.env["PATH"]].join(delimiter),
    PULUMI_HOME: home,
    PULUMI_BACKEND_URL: backend,
    PULUMI_CONFIG_PASSPHRASE: "only for tests",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // Three processes of Node.js are started for each command, and most of a start is compiling.
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    ...env,
  };
}
