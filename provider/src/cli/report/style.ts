/** The colours of one scheme. A test holds them to WCAG 2.2: 4.5 to 1 for text, 3 to 1 for graphics. */
export interface Palette {
  readonly page: string;
  readonly card: string;
  readonly line: string;
  readonly text: string;
  readonly muted: string;
  readonly current: string;
  readonly previous: string;
  readonly inactive: string;
  readonly pending: string;
  readonly alarm: string;
  /** Behind alarm text. */
  readonly alarmBack: string;
  /** Behind the text that says all is well. */
  readonly goodBack: string;
}

/** The colours by scheme. */
export const PALETTES: { readonly light: Palette; readonly dark: Palette } = {
  light: {
    page: "#f3f5f8",
    card: "#ffffff",
    line: "#dde2ea",
    text: "#18202c",
    muted: "#55606f",
    current: "#0f7b5f",
    previous: "#3a6fd8",
    inactive: "#7c8798",
    pending: "#a05a00",
    alarm: "#c01f33",
    alarmBack: "#fdebed",
    goodBack: "#e4f4ee",
  },
  dark: {
    page: "#0e1218",
    card: "#171d27",
    line: "#2b3442",
    text: "#e9edf3",
    muted: "#a5b0bf",
    current: "#38c99b",
    previous: "#7da9ff",
    inactive: "#8b97a9",
    pending: "#eeb04c",
    alarm: "#ff7b84",
    alarmBack: "#3a1b22",
    goodBack: "#12332a",
  },
};

const variables = (palette: Palette) =>
  Object.entries(palette)
    .map(([name, colour]) => `--${name}:${colour};`)
    .join("");

/** The page's whole style sheet. */
export const STYLE = `
:root{color-scheme:light dark;${variables(PALETTES.light)}}
@media (prefers-color-scheme:dark){:root{${variables(PALETTES.dark)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
header,main,footer{max-width:68rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.25rem}
h1{font-size:1.75rem;line-height:1.2;margin:0;letter-spacing:-.01em}
h2{font-size:1.15rem;line-height:1.3;margin:0;overflow-wrap:anywhere}
p{margin:.35rem 0}
.muted{color:var(--muted)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin:1.25rem 0;padding:0;list-style:none}
.tiles li{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:.8rem 1rem}
.tiles b{display:block;white-space:nowrap;font-size:1.6rem;line-height:1.2;font-variant-numeric:tabular-nums}
.tiles .bad b{color:var(--alarm)}
.legend{display:flex;flex-wrap:wrap;gap:.35rem 1.25rem;margin:0 0 1.25rem;padding:0;list-style:none;font-size:.875rem;color:var(--muted)}
.legend svg{width:1.75rem;height:.8rem;margin-right:.45rem;vertical-align:-.05rem}
article{background:var(--card);border:1px solid var(--line);border-radius:.9rem;padding:1.1rem 1.25rem 1.25rem;margin:0 0 1rem}
article.bad{border-left:.3rem solid var(--alarm)}
.head{display:flex;flex-wrap:wrap;gap:.3rem .8rem;align-items:baseline;justify-content:space-between}
.badge{border-radius:99rem;padding:.1rem .75rem;font-size:.875rem;font-weight:600;background:var(--goodBack);color:var(--text)}
.bad .badge,.badge.old{background:var(--alarmBack);color:var(--alarm)}
.why{margin:.6rem 0 0;padding:.6rem .9rem;border-radius:.5rem;background:var(--alarmBack);list-style:none;font-size:.925rem}
.why li{white-space:pre-line;overflow-wrap:anywhere}
.why li+li{margin-top:.4rem}
.facts{display:flex;flex-wrap:wrap;gap:.1rem 1.75rem;margin:.5rem 0 .9rem;font-size:.925rem}
.facts div{display:flex;gap:.4rem;flex-wrap:wrap}
dt{color:var(--muted)}
dd{margin:0}
.chart{display:block;width:100%;overflow:visible}
.chart text{fill:var(--muted);font-size:12px;stroke:var(--card);stroke-width:5px;stroke-linejoin:round;paint-order:stroke}
.chart .id{fill:var(--text);font-family:ui-monospace,SFMono-Regular,Menlo,"Liberation Mono",monospace}
.chart .now{fill:var(--text);font-weight:600}
.grid{stroke:var(--line)}
.today{stroke:var(--text);stroke-width:1.5}
.cis{stroke:var(--alarm);stroke-width:1.5;stroke-dasharray:5 4}
.chart .cis-label,.chart .late{fill:var(--alarm);font-weight:600}
.current{fill:var(--current)}.previous{fill:var(--previous)}.inactive{fill:url(#hatch)}.pending,.leftover{fill:var(--pending)}
.hatch{stroke:var(--inactive);stroke-width:3}
.frame{fill:none;stroke:var(--inactive)}
.planned{fill:none;stroke-width:1.5;stroke-dasharray:3 3}
.planned.current{stroke:var(--current);fill:none}.planned.previous{stroke:var(--previous);fill:none}
rect.old,.overdue{fill:var(--alarm)}
.due{fill:var(--card);stroke:var(--text);stroke-width:2}
.due.isLate{fill:var(--alarm);stroke:var(--alarm)}
.scroll{overflow-x:auto;margin-top:.9rem}
table{border-collapse:collapse;width:100%;font-size:.875rem}
caption{text-align:left;color:var(--muted);padding-bottom:.2rem}
th,td{text-align:left;padding:.4rem .9rem .4rem 0;border-top:1px solid var(--line);vertical-align:top}
thead th{border:0;color:var(--muted);font-weight:500;padding-bottom:.2rem}
tbody th{font:inherit;font-family:ui-monospace,SFMono-Regular,Menlo,"Liberation Mono",monospace}
.alarm{color:var(--alarm);font-weight:600}
footer{padding-bottom:2.5rem;font-size:.875rem;color:var(--muted)}
code{font-family:ui-monospace,SFMono-Regular,Menlo,"Liberation Mono",monospace;font-size:.95em}
:focus-visible{outline:3px solid var(--previous);outline-offset:2px}
@media (max-width:40rem){
header{padding-top:1.25rem}
header,main,footer{padding-left:.8rem;padding-right:.8rem}
.tiles{grid-template-columns:repeat(2,1fr);gap:.5rem}
.tiles b{font-size:1.3rem}
article{padding:.9rem}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{display:block;border-top:1px solid var(--line);padding:.4rem 0}
tbody th,td{display:flex;gap:.5rem;border:0;padding:.1rem 0}
td::before{content:attr(data-label);color:var(--muted);min-width:5.5rem}
}
@media print{body{background:#fff}article{break-inside:avoid}}
`.trim();
