import { DAY_MILLISECONDS, duration, utc } from "../words";
import { type Html, html, type Part } from "./html";
import { type Axis, CIS_DAYS, isTooOldNow, type Lane, place, type Segment } from "./timeline";

/** Heights in pixels: what is above the lanes, a lane, its bar, what is below. Widths are percent: nothing scales. */
const TOP = 26;
const LANE = 44;
const BAR = { top: 20, height: 14 } as const;
const BOTTOM = 22;

/**
 * The keys of one rotation as a timeline: an SVG that is as wide as there is room, with text that keeps its size.
 *
 * @param title What it shows, for those who do not see it; the table beside it has all of it.
 */
export function chartOf(lanes: readonly Lane[], axis: Axis, title: string): Html {
  const bottom = TOP + lanes.length * LANE;
  const height = bottom + BOTTOM;
  const ninety = place(axis, axis.now - CIS_DAYS * DAY_MILLISECONDS);
  const now = place(axis, axis.now);
  const upright = (x: number, kind: string, from: number) =>
    html`<line class="${kind}" x1="${x}%" x2="${x}%" y1="${from}" y2="${bottom}" />`;
  // Texts come last: each has a rim of the ground's colour, so that no line runs through it.
  return html`<svg class="chart" role="img" aria-label="${title}" height="${height}">
    ${axis.ticks.map(({ at }) => upright(place(axis, at), "grid", TOP))} ${upright(ninety, "cis", 18)}
    ${lanes.map((lane, index) => barsOf(lane, axis, TOP + index * LANE + BAR.top))} ${upright(now, "today", 18)}
    ${lanes.map((lane, index) => dueOf(lane, axis, TOP + index * LANE + BAR.top))}
    ${lanes.map((lane, index) => labelOf(lane, TOP + index * LANE))}
    ${axis.ticks.map(
      ({ at, label }) => html`<text x="${place(axis, at)}%" y="${height - 6}" text-anchor="middle">${label}</text>`,
    )}
    <text class="cis-label" x="${ninety}%" y="12" text-anchor="middle">${CIS_DAYS} days ago</text>
    <text class="now" x="${now}%" y="12" text-anchor="middle">today</text>
  </svg>`;
}

/** What a lane says in words: `AKIA... current, made 2027-01-10 08:30 UTC, older than 90 days`. */
export function laneInWords(lane: Lane): string {
  const made = lane.segments[0]?.from;
  return [
    `${lane.accessKeyId} ${lane.state}`,
    made !== undefined && `made ${utc(new Date(made).toISOString())}`,
    isTooOldNow(lane) && `older than ${CIS_DAYS} days`,
    lane.overdue > 0 && `rotation overdue by ${duration(lane.overdue)}`,
  ]
    .filter((part) => part !== false)
    .join(", ");
}

function labelOf({ accessKeyId, state, overdue }: Lane, y: number): Html {
  const late = overdue > 0 && html`<tspan class="late"> overdue by ${duration(overdue)}</tspan>`;
  return html`<text x="0" y="${y + 13}"><tspan class="id">${accessKeyId}</tspan> ${state}${late}</text>`;
}

function barsOf(lane: Lane, axis: Axis, y: number): Html {
  const { segments, tooOld, overdue, due } = lane;
  return html`<g>
    <title>${laneInWords(lane)}</title>
    ${segments.map((segment) => barOf(segment, axis, y))}
    ${tooOld && boxOf(axis, tooOld.from, tooOld.to, y + BAR.height - 5, 5, "old")}
    ${overdue > 0 && due !== undefined && boxOf(axis, due, axis.now, y, BAR.height, "overdue")}
  </g>`;
}

function barOf({ state, from, to, isPlanned }: Segment, axis: Axis, y: number): Part {
  if (isPlanned) return boxOf(axis, from, to, y + 1, BAR.height - 2, `planned ${state}`);
  return [
    boxOf(axis, from, to, y, BAR.height, state),
    state === "inactive" && boxOf(axis, from, to, y, BAR.height, "frame"),
  ];
}

function boxOf(axis: Axis, from: number, to: number, y: number, height: number, kind: string): Html {
  const left = place(axis, from);
  // So that an hour is to be seen, too.
  const width = Math.max(0.4, Math.round((place(axis, to) - left) * 100) / 100);
  return html`<rect class="${kind}" x="${left}%" width="${width}%" y="${y}" height="${height}" rx="2" />`;
}

function dueOf({ due }: Lane, axis: Axis, y: number): Part {
  if (due === undefined || due > axis.to) return null;
  const kind = due <= axis.now ? "due isLate" : "due";
  const middle = y + BAR.height / 2;
  return html`<svg class="chart" x="${place(axis, due)}%" y="${middle}" width="1" height="1">
    <title>${due <= axis.now ? "was due" : "next rotation"} ${utc(new Date(due).toISOString())}</title>
    <path class="${kind}" d="M0-8 8 0 0 8-8 0z" />
  </svg>`;
}
