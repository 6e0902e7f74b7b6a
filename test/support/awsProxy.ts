import { once } from "node:events";
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";

/** One call to AWS, as it went over the wire. */
export interface AwsCall {
  /** For example `iam:CreateAccessKey`. */
  readonly action: string;
  /** Who signed it. */
  readonly signedBy: string;
  readonly userAgent: string;
  /** The parameters of a call in the query protocol, which IAM and STS speak; empty for others. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** An error that AWS would answer with. */
export interface AwsFault {
  readonly status: number;
  readonly code: string;
}

/** Stands between a provider and moto: counts the calls, and answers some of them with an error. */
export interface AwsProxy {
  readonly endpoint: string;
  /** The calls so far, in their order. */
  readonly calls: readonly AwsCall[];
  /** Forgets the calls so far. */
  forgetCalls(): void;
  /** Answers the calls for which it says so with this error, in place of moto; undefined: none any more. */
  fault: ((call: AwsCall) => AwsFault | undefined) | undefined;
  /** Holds each call until this resolves; undefined: none waits. */
  hold: ((call: AwsCall) => Promise<unknown>) | undefined;
  stop(): Promise<void>;
}

const READS = /:(Get|List|Describe|Simulate)/;

/** Those calls that change something. */
export function writesOf(calls: readonly AwsCall[]): string[] {
  return calls.map((call) => call.action).filter((action) => !READS.test(action));
}

/** Starts a proxy before the AWS at `target`. */
export async function startAwsProxy(target: string): Promise<AwsProxy> {
  const calls: AwsCall[] = [];
  const { hostname, port } = new URL(target);
  const server = createServer((request, response) => {
    forward(request, response).catch((error: unknown) => {
      response.writeHead(502).end(String(error));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");

  const proxy: AwsProxy = {
    endpoint: `http://127.0.0.1:${address.port}`,
    calls,
    fault: undefined,
    hold: undefined,
    forgetCalls: () => void calls.splice(0),
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const call = callOf(request, body);
    calls.push(call);
    await proxy.hold?.(call);
    const fault = proxy.fault?.(call);
    if (fault) {
      response.writeHead(fault.status, { "content-type": "text/xml" }).end(xml(fault));
      return;
    }
    // Not `fetch`: headers must go on as they came, the host among them, or the signature no longer fits.
    const { method, headers, url: path } = request;
    const onward = httpRequest({ hostname, port, path, method, headers }).end(body);
    const [answer] = (await once(onward, "response")) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  }
  return proxy;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function callOf(request: IncomingMessage, body: Buffer): AwsCall {
  // Credential=KEY/DATE/REGION/SERVICE/aws4_request
  const scope = /Credential=([^,]+)/.exec(request.headers.authorization ?? "")?.[1]?.split("/") ?? [];
  const target = request.headers["x-amz-target"];
  const parameters = typeof target === "string" ? {} : Object.fromEntries(new URLSearchParams(body.toString()));
  const action = typeof target === "string" ? target.split(".").at(-1) : parameters["Action"];
  return {
    action: `${scope[3] ?? "?"}:${action ?? "?"}`,
    parameters,
    signedBy: scope[0] ?? "",
    userAgent: request.headers["user-agent"] ?? "",
  };
}

function xml({ code }: AwsFault): string {
  return `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>by the test</Message></Error><RequestId>0</RequestId></ErrorResponse>`;
}
