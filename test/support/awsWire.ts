import type { IncomingHttpHeaders } from "node:http";

/** The parts of AWS's query protocol that the fault proxy reads and writes. */

/** An error as IAM and STS write it. */
export function errorXml(code: string): string {
  return `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>by the test</Message></Error><RequestId>00000000-test</RequestId></ErrorResponse>`;
}

/** The first element of this name in an answer. */
export function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

/** Moves the instant in an element; one that is not there, or is no instant, stays. */
export function shifted(xml: string, name: string, milliseconds: number): string {
  return xml.replace(new RegExp(`<${name}>([^<]*)</${name}>`), (whole, text: string) => {
    const instant = Date.parse(text);
    if (Number.isNaN(instant)) return whole;
    return `<${name}>${new Date(instant + milliseconds).toISOString().replace(/\.\d+/, "")}</${name}>`;
  });
}

/** Headers to pass on. */
export function without(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  const kept = Object.entries(headers).filter(([name, value]) => !names.includes(name) && value !== undefined);
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}
