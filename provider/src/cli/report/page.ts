import { createHash } from "node:crypto";

import { type KeyOverview, type Overview, overviewOf, byUrgency } from "../overview";
import type { RotationFacts, RotationRecord } from "../stackState";
import { counted, fromNow, utc } from "../words";
import { chartOf, laneInWords } from "./chart";
import { type Html, html, raw } from "./html";
import { STYLE } from "./style";
import { type Axis, axisOf, CIS_DAYS, isTooOldNow, type Lane, lanesOf } from "./timeline";

/** A rotation with all that its part of the page shows. */
interface Entry {
  readonly overview: Overview;
  readonly facts: RotationFacts | undefined;
  readonly lanes: readonly Lane[];
}

// Nothing may be loaded or run: what a value might smuggle in, and what this page might ever link, stays dead.
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'`;

// As a whole: white space of the template would be part of what the policy's hash is of.
const STYLE_ELEMENT = raw(`<style>${STYLE}</style>`);

// Defined once: every chart's hatching refers to it.
const PATTERNS = raw(
  '<svg width="0" height="0" aria-hidden="true" focusable="false"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0v6"/></pattern></defs></svg>',
);

/**
 * The rotations as one page that needs nothing but itself: no network, no script. Pure.
 *
 * @param now When the state was read.
 */
export function reportPage(records: readonly RotationRecord[], now: Date): string {
  const entries = records
    .map(({ facts, ...record }): Entry => {
      return { overview: overviewOf({ ...record, facts }, now), facts, lanes: facts ? lanesOf(facts, now) : [] };
    })
    .sort((a, b) => byUrgency(a.overview, b.overview));
  const axis = axisOf(
    entries.flatMap(({ lanes }) => lanes),
    now,
  );
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="referrer" content="no-referrer" />
        <title>IAM access keys, ${utc(now.toISOString())}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        ${PATTERNS} ${headerOf(entries, now)}
        <main>${entries.map((entry) => articleOf(entry, axis, now))}</main>
        ${footer()}
      </body>
    </html> `;
  return page.text;
}

function headerOf(entries: readonly Entry[], now: Date): Html {
  const needing = entries.filter(({ overview }) => overview.attention.length > 0).length;
  const old = entries.flatMap(({ lanes }) => lanes).filter(isTooOldNow).length;
  const coming = entries.map(({ overview }) => overview.next).filter(({ at, isDue }) => at !== null && !isDue);
  const soonest = coming.map(({ at }) => at ?? "").sort()[0];
  const tile = (value: string | number, label: string, isBad = false) =>
    html`<li class="${isBad ? "bad" : ""}"><b>${value}</b> ${label}</li>`;
  return html`<header>
    <h1>IAM access keys</h1>
    <p class="muted">As Pulumi's state tells it on ${utc(now.toISOString())}</p>
    <ul class="tiles">
      ${tile(entries.length, entries.length === 1 ? "rotation" : "rotations")}
      ${tile(needing, needing === 1 ? "needs attention" : "need attention", needing > 0)}
      ${tile(old, `${old === 1 ? "key" : "keys"} older than ${CIS_DAYS} days`, old > 0)}
      ${soonest !== undefined && tile(soonest.slice(0, 10), `next due, ${fromNow(soonest, now)}`)}
    </ul>
    ${legend()}
  </header>`;
}

function legend(): Html {
  const item = (swatch: Html, label: string) =>
    html`<li><svg viewBox="0 0 28 13" aria-hidden="true">${swatch}</svg>${label}</li>`;
  const box = (kind: string) => html`<rect class="${kind}" x="1" y="1" width="26" height="11" rx="2" />`;
  return html`<ul class="legend" aria-label="What the bars mean">
    ${item(box("current"), "current")} ${item(box("previous"), "previous, still active")}
    ${item(html`${box("inactive")}${box("frame")}`, "Inactive")} ${item(box("pending"), "made, not given out")}
    ${item(box("planned current"), "planned")}
    ${item(html`<path class="due" d="M14 1 20 6.5 14 12 8 6.5z" />`, "next rotation")}
    ${item(box("overdue"), "overdue")}
    ${item(html`<rect class="old" x="1" y="5" width="26" height="4" />`, `older than ${CIS_DAYS} days`)}
  </ul>`;
}

function articleOf({ overview, facts, lanes }: Entry, axis: Axis, now: Date): Html {
  const { rotation, project, stack, userName, next, last, attention } = overview;
  const isBad = attention.length > 0;
  const isOld = !isBad && lanes.some(isTooOldNow);
  const title = `Timeline of the access keys of ${userName ?? rotation}: ${lanes.map(laneInWords).join("; ")}`;
  return html`<article class="${isBad ? "bad" : ""}">
    <div class="head">
      <h2>${userName ?? rotation}</h2>
      <span class="badge ${isOld && "old"}">${isOld ? `key older than ${CIS_DAYS} days` : badgeOf(overview)}</span>
    </div>
    <p class="muted">rotation ${rotation} in ${project}/${stack}</p>
    ${
      isBad &&
      html`<ul class="why">
        ${attention.map(({ text }) => html`<li>${text}</li>`)}
      </ul>`
    }
    <dl class="facts">
      <div>
        <dt>Next rotation</dt>
        <dd class="${next.isDue ? "alarm" : ""}">${next.inWords}${next.at !== null && ` (${utc(next.at)})`}</dd>
      </div>
      <div>
        <dt>Last result</dt>
        <dd>${last.status}${last.at !== null && `, ${fromNow(last.at, now)}`}</dd>
      </div>
    </dl>
    ${lanes.length > 0 && chartOf(lanes, axis, title)} ${facts && tableOf(overview, facts, lanes, now)}
  </article>`;
}

function badgeOf({ attention, next, last, key }: Overview): string {
  if (attention.length === 0) return "in order";
  if (next.isDue) return next.inWords;
  if (last.status === "failed") return "last run failed";
  return key ? "needs attention" : "no current key";
}

function tableOf(overview: Overview, facts: RotationFacts, lanes: readonly Lane[], now: Date): Html {
  const keys = [overview.key, overview.previousKey, ...overview.otherKeys].filter((key) => key !== null);
  const rowOf = ({ accessKeyId, state, createdAt, ageDays, fate }: KeyOverview) => {
    const lastUsedAt = facts.keys.find((key) => key.accessKeyId === accessKeyId)?.lastUsedAt;
    const isOld = lanes.some((lane) => lane.accessKeyId === accessKeyId && isTooOldNow(lane));
    return html`<tr>
      <th scope="row">${accessKeyId}</th>
      <td data-label="State">${state}</td>
      <td data-label="Made">${utc(createdAt)}</td>
      <td data-label="Age" class="${isOld ? "alarm" : ""}">
        ${counted(ageDays, "day")}${isOld && `, over ${CIS_DAYS}`}
      </td>
      <td data-label="Seen in use">${lastUsedAt ? fromNow(lastUsedAt, now) : "not looked at"}</td>
      <td data-label="From now on">${fate}</td>
    </tr>`;
  };
  if (keys.length === 0) return html`<p>This rotation has no key.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Access keys of ${overview.userName}">
    <table>
      <thead>
        <tr>
          <th scope="col">Access key</th>
          <th scope="col">State</th>
          <th scope="col">Made</th>
          <th scope="col">Age</th>
          <th scope="col">Seen in use</th>
          <th scope="col">From now on</th>
        </tr>
      </thead>
      <tbody>
        ${keys.map(rowOf)}
      </tbody>
    </table>
  </div>`;
}

function footer(): Html {
  return html`<footer>
    <p>
      The dashed red line is ${CIS_DAYS} days ago: an active key whose bar begins left of it is older than the CIS AWS
      Foundations Benchmark allows. Keys that were deleted are not in state, and not shown. A previous key became
      Inactive at the earliest where its hatching begins. “Seen in use” is what IAM said when the rotation last looked.
    </p>
    <p>Made by <code>pulumi-iam-rotation report</code>. Nothing on this page is secret, or loaded from elsewhere.</p>
  </footer>`;
}
