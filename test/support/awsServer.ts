import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** A call that reached the server. */
export interface AwsRequest {
  readonly action: string;
  /** The service that the signature names: `iam` or `sts`. */
  readonly service: string;
  /** The region that the signature names. */
  readonly region: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly userAgent: string;
  /** The id of the key that signed. */
  readonly signedWith: string;
  /** The session token of temporary credentials; undefined without one. */
  readonly sessionToken: string | undefined;
}

/** AWS's answer: its error body, the inside of a result, or none at all. */
export type AwsAnswer =
  | { readonly code: string; readonly status: number; readonly message?: string }
  | { readonly result: string }
  | "silence"
  | "reset";

/** An answer, or what makes one of the request. */
export type AwsResponder = AwsAnswer | ((request: AwsRequest) => AwsAnswer);

/** A local server that answers in AWS's query protocol (IAM, STS) with what a test tells it. */
export interface AwsServer {
  readonly endpoint: string;
  readonly requests: AwsRequest[];
  /** How many sockets were opened so far. */
  readonly sockets: number;
  /** The `Date` of the answers, an ISO instant; the machine's own where it is not set. */
  date: string | undefined;
  /** Answers in turn; the last one stays. */
  answer(...answers: AwsResponder[]): void;
  stop(): Promise<void>;
}

/** The request id in every answer. */
export const REQUEST_ID = "01234567-89ab-cdef-0123-456789abcdef";

export async function startAwsServer(): Promise<AwsServer> {
  const requests: AwsRequest[] = [];
  let answers: AwsResponder[] = [];
  let sockets = 0;
  const server = createServer((request, response) => {
    void read(request).then((text) => {
      const parameters = Object.fromEntries(new URLSearchParams(text));
      // Credential=KEY/DATE/REGION/SERVICE/aws4_request
      const scope = /Credential=([^,]+)/.exec(request.headers.authorization ?? "")?.[1]?.split("/") ?? [];
      const call: AwsRequest = {
        action: parameters["Action"] ?? "",
        service: scope[3] ?? "",
        region: scope[2] ?? "",
        parameters,
        userAgent: request.headers["user-agent"] ?? "",
        signedWith: scope[0] ?? "",
        sessionToken: request.headers["x-amz-security-token"]?.toString(),
      };
      requests.push(call);
      const [answer] = answers.length > 1 ? answers.splice(0, 1) : answers;
      if (opened.date) response.setHeader("date", new Date(opened.date).toUTCString());
      send(response, call.action, typeof answer === "function" ? answer(call) : answer);
    });
  }).listen(0, "127.0.0.1");
  server.on("connection", () => (sockets += 1));
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  const opened: AwsServer = {
    date: undefined,
    endpoint: `http://127.0.0.1:${address.port}`,
    requests,
    get sockets() {
      return sockets;
    },
    answer: (...given) => {
      answers = given;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return opened;
}

async function read(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
  return text;
}

function send(response: ServerResponse, action: string, answer: AwsAnswer | undefined): void {
  if (answer === undefined) throw new Error(`the test gave no answer to ${action}`);
  if (answer === "silence") return;
  if (answer === "reset") return void response.destroy();
  const headers = { "content-type": "text/xml", "x-amzn-requestid": REQUEST_ID };
  if ("code" in answer) {
    const { code, status, message = "AWS's own words" } = answer;
    response
      .writeHead(status, headers)
      .end(
        `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>${code}</Code>` +
          `<Message>${message}</Message></Error><RequestId>${REQUEST_ID}</RequestId></ErrorResponse>`,
      );
    return;
  }
  response
    .writeHead(200, headers)
    .end(
      `<${action}Response><${action}Result>${answer.result}</${action}Result>` +
        `<ResponseMetadata><RequestId>${REQUEST_ID}</RequestId></ResponseMetadata></${action}Response>`,
    );
}
