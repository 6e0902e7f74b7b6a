import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { Lane, type LaneOptions, type ProxiedCall } from "./faultLane";
import { errorXml, without } from "./awsWire";

/**
 * Stands between providers and moto, and does what a network and the real AWS do to them: by rules, calls are refused,
 * their answers lost, their senders killed. Each rotation has a lane of its own, told by the user agent in which the
 * provider names its rotation; so many cases share one proxy, one moto and one provider process.
 */
export interface FaultProxy {
  /** For `AWS_ENDPOINT_URL`. */
  readonly endpoint: string;
  /** Opens the lane of a rotation. */
  lane(options: LaneOptions): Lane;
  close(lane: Lane): void;
  stop(): Promise<void>;
}

/** Starts a proxy before the moto at `target`. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  // An ES module without a CommonJS form.
  const { proxyFetch } = await import("httpxy");
  const { hostname, port } = new URL(target);
  const address = { host: hostname, port: Number(port) };
  const lanes = new Map<string, Lane>();

  const toMoto = async (request: IncomingMessage, body: Buffer<ArrayBuffer>) =>
    proxyFetch(address, `http://${request.headers.host ?? hostname}${request.url ?? "/"}`, {
      method: request.method ?? "POST",
      headers: without(request.headers, ["connection", "content-length", "transfer-encoding"]),
      ...(body.length > 0 && { body }),
    });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const rotation = /rotation\/([0-9a-f-]{36})/.exec(request.headers["user-agent"] ?? "")?.[1];
    const lane = rotation === undefined ? undefined : lanes.get(rotation);
    if (!lane) {
      await answerWith(response, await toMoto(request, body));
      return;
    }
    const call = lane.enter(request.headers.authorization ?? "", body.toString());
    const before = lane.ruleFor(call, "before");
    if (before) {
      const effect = await before.effect(call);
      if (effect !== "pass") return end(response, lane, effect);
    }
    const { status, text } = await answerOf(lane, call, request, body);
    const after = lane.ruleFor(call, "after");
    if (after) {
      const effect = await after.effect(call);
      if (effect !== "pass") return end(response, lane, effect);
    }
    lane.delivered(call, text);
    response.writeHead(status, { "content-type": "text/xml", date: lane.date() }).end(text);
  }

  async function answerOf(lane: Lane, call: ProxiedCall, request: IncomingMessage, body: Buffer<ArrayBuffer>) {
    // Refused by AWS itself, as far as the sender can see: what a rule does after it still happens.
    if (!lane.works(call.signedBy)) {
      return { status: 403, text: errorXml(lane.neverLive ? "SignatureDoesNotMatch" : "InvalidClientTokenId") };
    }
    const known = lane.known(call);
    if (known !== undefined) return { status: 200, text: lane.applied(call, 200, known) };
    const answer = await toMoto(request, body);
    return { status: answer.status, text: lane.applied(call, answer.status, await answer.text()) };
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // The sender is gone, or moto is: either way the connection is of no use any more.
      response.destroy(error instanceof Error ? error : undefined);
    });
  }).listen(0, "127.0.0.1");
  // A connection that is closed at the moment of its next use would be a fault that no rule asked for.
  server.keepAliveTimeout = 0;
  await once(server, "listening");
  const place = server.address();
  if (place === null || typeof place === "string") throw new Error("no port was given");
  return {
    endpoint: `http://127.0.0.1:${place.port}`,
    lane(options) {
      const lane = new Lane(options);
      lanes.set(options.rotationId, lane);
      return lane;
    },
    close: (lane) => void lanes.delete(lane.rotationId),
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function end(response: ServerResponse, lane: Lane, effect: "drop" | { status: number; code: string }): void {
  if (effect !== "drop") {
    response.writeHead(effect.status, { "content-type": "text/xml", date: lane.date() }).end(errorXml(effect.code));
  } else if (response.socket?.readyState === "open") {
    response.socket.resetAndDestroy();
  } else {
    // Its sender was killed: a reset would fail, and leave the handle open.
    response.destroy();
  }
}

async function answerWith(response: ServerResponse, answer: Response): Promise<void> {
  const type = answer.headers.get("content-type") ?? "text/xml";
  response.writeHead(answer.status, { "content-type": type }).end(Buffer.from(await answer.arrayBuffer()));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
