/** A flame graph as an SVG file: the caller above, the width is the time. A browser shows a frame's numbers under the mouse. */
import type { Frame } from './frames.ts';

const WIDTH = 1_200;
const ROW = 18;
const TITLE = 28;
const MIN_WIDTH = 1; // narrower frames cannot be seen
const CHAR_WIDTH = 6.6; // of the font below, for cutting names
const MIN_TEXT_WIDTH = 24;

interface Box {
  readonly frame: Frame;
  readonly depth: number;
  readonly left: number;
  readonly width: number;
}

export function drawFlameGraph(root: Frame, title: string): string {
  const boxes: Box[] = [];
  place(root, { depth: 0, left: 0, perUs: root.totalUs === 0 ? 0 : WIDTH / root.totalUs }, boxes);
  const deepest = boxes.reduce((most, { depth }) => Math.max(most, depth), 0);
  const height = TITLE + (deepest + 1) * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">
<style>rect { fill: #ffc680; stroke: #fff } .own { fill: #ff9e8a } text { font: 11px monospace; fill: #1f2328 }</style>
<rect width="100%" height="100%" style="fill: #fff"/>
<text x="4" y="18" style="font-size: 14px">${escapeXml(title)}</text>
${boxes.map((box) => drawBox(box, root)).join('\n')}
</svg>
`;
}

function place(
  frame: Frame,
  { depth, left, perUs }: { depth: number; left: number; perUs: number },
  boxes: Box[],
): void {
  const width = depth === 0 ? WIDTH : frame.totalUs * perUs;
  if (width < MIN_WIDTH) return;
  boxes.push({ frame, depth, left, width });
  let at = left;
  for (const child of frame.children) {
    place(child, { depth: depth + 1, left: at, perUs }, boxes);
    at += child.totalUs * perUs;
  }
}

function drawBox({ frame, depth, left, width }: Box, root: Frame): string {
  const { name, place: where, totalUs, selfUs } = frame;
  const y = TITLE + depth * ROW;
  const share = root.totalUs === 0 ? 0 : (totalUs / root.totalUs) * 100;
  const told = `${name} ${where}: ${toMs(totalUs)}, ${share.toFixed(1)} %, itself ${toMs(selfUs)}`;
  const shown = width < MIN_TEXT_WIDTH ? '' : name.slice(0, Math.floor((width - 6) / CHAR_WIDTH));
  const kind = selfUs > totalUs / 2 ? ' class="own"' : '';
  return (
    `<g><title>${escapeXml(told)}</title>` +
    `<rect${kind} x="${left.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW}"/>` +
    `<text x="${(left + 3).toFixed(1)}" y="${y + 13}">${escapeXml(shown)}</text></g>`
  );
}

function toMs(us: number): string {
  return `${(us / 1e3).toFixed(1)} ms`;
}

/** Names are a tenant's: markup, and what XML does not allow at all, must not come through. */
function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[^\t\u{20}-\u{7e}\u{a0}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\u{fffd}');
}
