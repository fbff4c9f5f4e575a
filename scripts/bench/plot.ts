/** Two small plots in one SVG: what a URL costs by the length of its key, and by how many are asked for at once. */
import type { Results } from "./measure.ts";

interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, cost: number])[];
}

/** Readable on the paper of a light page as of a dark one. */
const STYLE = `<style>
text { fill: #1c2b36; } .paper { fill: #fff; } .grid { stroke: #dde4ea; } path { fill: none; stroke-width: 2; } .grid { stroke-width: 1; }
path.line0 { stroke: #14507a; } text.line0 { fill: #14507a; } path.line1 { stroke: #b04a12; } text.line1 { fill: #b04a12; }
@media (prefers-color-scheme: dark) {
text { fill: #dce5ec; } .paper { fill: #0d1117; } .grid { stroke: #2c3842; }
path.line0 { stroke: #6fb6e8; } text.line0 { fill: #6fb6e8; } path.line1 { stroke: #f0955a; } text.line1 { fill: #f0955a; }
}
</style>`;
const WIDTH = 330;
const HEIGHT = 220;

export function plot({ keyLengths, batches }: Results): string {
  const byLength = ["ssec-edge", "aws4fetch"].map((name) => ({
    name,
    points: Object.entries(keyLengths).map(([length, costs]) => [Number(length), costs[name] ?? 0] as const),
  }));
  const byBatch = ["one key", "derived keys"].map((name) => ({
    name,
    points: Object.entries(batches)
      .filter(([label]) => label.endsWith(name))
      .map(([label, cost]) => [Number.parseInt(label, 10), cost] as const),
  }));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 300" font-family="system-ui, sans-serif" font-size="12">
${STYLE}
<rect class="paper" width="800" height="300"/>
${panel(60, "µs to sign, by characters of the object key", byLength)}
${panel(450, "CPU µs a URL, all in, by the size of a batch", byBatch)}
</svg>
`;
}

/** Both axes are logarithmic, and the first begins at 1. */
function panel(left: number, title: string, lines: readonly Line[]): string {
  const all = lines.flatMap(({ points }) => points);
  const xs = [...new Set(all.map(([x]) => x))];
  const x = scale(Math.min(...xs), Math.max(...xs), 0, WIDTH);
  const top = 10 ** Math.ceil(Math.log10(Math.max(...all.map(([, cost]) => cost))));
  const y = scale(1, top, HEIGHT, 0);
  const decades = Array.from({ length: Math.log10(top) + 1 }, (_, i) => 10 ** i);
  return `<g transform="translate(${left} 45)">
<text y="-20" font-weight="600">${title}</text>
${decades.map((cost) => `<path d="M0 ${y(cost)}H${WIDTH}" class="grid"/><text x="-8" y="${y(cost) + 4}" text-anchor="end">${cost}</text>`).join("\n")}
${xs.map((value) => `<text x="${x(value)}" y="${HEIGHT + 18}" text-anchor="middle">${value}</text>`).join("\n")}
${lines.map(({ name, points }, i) => drawn(name, points, { style: `line${i}`, below: i === 0 ? 18 : -6 }, x, y)).join("\n")}
</g>`;
}

type Scale = (value: number) => number;

function drawn(
  name: string,
  points: Line["points"],
  { style, below }: { style: string; below: number },
  x: Scale,
  y: Scale,
): string {
  const path = points.map(([at, cost], i) => `${i === 0 ? "M" : "L"}${x(at)} ${y(cost)}`).join("");
  const [at, cost] = points[0] ?? [1, 1];
  return `<path d="${path}" class="${style}"/><text x="${x(at) + 6}" y="${y(cost) + below}" class="${style}">${name}</text>`;
}

function scale(from: number, to: number, start: number, end: number): Scale {
  const span = Math.log(to / from) || 1;
  return (value) => Math.round(start + ((end - start) * Math.log(value / from)) / span);
}
