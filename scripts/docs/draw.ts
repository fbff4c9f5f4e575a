/** Rooms and arrows as an SVG that is legible on light and dark pages. The layout is ELK's. */
import type { ElkNode } from "elkjs";
import Elk from "elkjs/lib/elk.bundled.js";

export interface Box {
  readonly name: string;
  readonly purpose: string;
  /** Numbers of the steps that are done in it. */
  readonly steps: readonly number[];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Pixels. */
const BOX = { width: 212, lineHeight: 16, padding: 10, title: 20 };
/** Characters that fit a line of a box. */
const LINE = 26;

const STYLE = `
    svg { --bg: #ffffff; --ink: #1f2328; --dim: #59636e; --line: #818b98; --box: #f6f8fa; --step: #0969da; --on-step: #ffffff; font: 12.5px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif }
    @media (prefers-color-scheme: dark) {
      svg { --bg: #0d1117; --ink: #f0f6fc; --dim: #b1bac4; --line: #7d8590; --box: #151b23; --step: #4493f8; --on-step: #0d1117 }
    }
    .bg { fill: var(--bg) }
    .box { fill: var(--box); stroke: var(--line) }
    .arrow { fill: none; stroke: var(--line); stroke-width: 1.4; stroke-linejoin: round }
    .tip { fill: var(--line) }
    .step { fill: var(--step) }
    text { fill: var(--dim) }
    .name { fill: var(--ink); font-weight: 600; font-size: 14px }
    .number { fill: var(--on-step); font-weight: 600; font-size: 12px; text-anchor: middle }`;

/** Layers from above to below, arrows along right angles and around boxes. */
const LAYOUT = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.spacing.nodeNode": "24",
  "elk.spacing.edgeNode": "14",
  "elk.spacing.edgeEdge": "10",
  "elk.layered.spacing.nodeNodeBetweenLayers": "34",
  "elk.layered.spacing.edgeNodeBetweenLayers": "14",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.padding": "[left=16,top=16,right=16,bottom=16]",
};

/** @returns the same text for the same rooms and arrows */
export async function drawRooms(
  boxes: readonly Box[],
  edges: readonly { from: string; to: string }[],
): Promise<string> {
  const rooms: ElkNode = {
    id: "rooms",
    layoutOptions: LAYOUT,
    children: boxes.map((box) => ({ id: box.name, width: BOX.width, height: heightOf(box) })),
    edges: edges.map(({ from, to }) => ({ id: `${from} ${to}`, sources: [from], targets: [to] })),
  };
  const { width = 0, height = 0, ...graph } = await new Elk.default().layout(rooms);
  const sections = graph.edges?.flatMap((edge) => edge.sections ?? []) ?? [];
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" height="${round(height)}" role="img" aria-labelledby="title">`,
    `  <title id="title">The rooms of src/, which imports which, and the way of a request</title>`,
    `  <style>${STYLE}\n  </style>`,
    `  <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>`,
    `  <rect class="bg" width="${round(width)}" height="${round(height)}" rx="8"/>`,
    ...sections.map(
      ({ startPoint, bendPoints = [], endPoint }) =>
        `  <path class="arrow" marker-end="url(#tip)" d="${line([startPoint, ...bendPoints, endPoint])}"/>`,
    ),
    ...boxes.flatMap((box) =>
      drawBox(
        box,
        graph.children?.find(({ id }) => id === box.name),
      ),
    ),
    "</svg>",
  ].join("\n")}\n`;
}

function drawBox({ name, purpose, steps }: Box, at: ElkNode | undefined): string[] {
  const { x: left = 0, y: top = 0, width = 0, height = 0 } = at ?? {};
  const text = (line: string, y: number, of: string) =>
    `  <text${of} x="${round(left + BOX.padding)}" y="${round(y)}">${escaped(line)}</text>`;
  return [
    `  <rect class="box" x="${round(left)}" y="${round(top)}" width="${width}" height="${height}" rx="6"/>`,
    text(name, top + BOX.padding + 12, ' class="name"'),
    ...lines(purpose).map((line, index) =>
      text(line, top + BOX.padding + BOX.title + 12 + index * BOX.lineHeight, ""),
    ),
    ...steps.flatMap((step, index) => {
      const x = left + width - 16 - (steps.length - 1 - index) * 24;
      const y = top + 17;
      return [
        `  <circle class="step" cx="${round(x)}" cy="${round(y)}" r="10"/>`,
        `  <text class="number" x="${round(x)}" y="${round(y + 4)}">${step}</text>`,
      ];
    }),
  ];
}

function heightOf({ purpose }: Box): number {
  return 2 * BOX.padding + BOX.title + lines(purpose).length * BOX.lineHeight;
}

/** Words, in lines of a box. */
function lines(text: string): string[] {
  const done: string[] = [];
  for (const word of text.split(" ")) {
    const last = done.at(-1);
    if (last === undefined || last.length + word.length >= LINE) done.push(word);
    else done[done.length - 1] = `${last} ${word}`;
  }
  return done;
}

function line(points: readonly Point[]): string {
  return `M${points.map(({ x, y }) => `${round(x)} ${round(y)}`).join("L")}`;
}

const round = (pixels: number) => Math.round(pixels * 10) / 10;

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
