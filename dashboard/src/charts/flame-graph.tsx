/** Who called whom and for how long: the caller above, the width is the time. A click shows one frame at full width. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { toMicros } from '../ui/format.ts';
import type { Frame } from '../../../src/profiles/frames.ts';

const ROW_PX = 20;
const MIN_SHARE = 0.002; // narrower ones cannot be seen
const OWN_SHARE = 0.5; // the frame itself works, not what it calls

interface Box {
  readonly frame: Frame;
  readonly depth: number;
  /** Of the whole width. */
  readonly left: number;
  readonly width: number;
}

export function FlameGraph({ root }: { root: Frame }): JSX.Element {
  const [path, setPath] = useState<readonly Frame[]>([]);
  const top = path.at(-1) ?? root;
  const boxes = toBoxes(top);
  const depth = Math.max(...boxes.map((box) => box.depth)) + 1;
  return (
    <>
      <div class="row">
        <button type="button" disabled={path.length === 0} onClick={() => setPath(path.slice(0, -1))}>
          Back
        </button>
        <span class="muted">
          {top.name} {toMicros(top.totalUs)}
        </span>
      </div>
      <div class="flame" role="group" aria-label="Flame graph" style={{ height: `${depth * ROW_PX}px` }}>
        {boxes.map(({ frame, depth: row, left, width }, index) => {
          const text = `${frame.name} ${frame.place}: ${toMicros(frame.totalUs)}, itself ${toMicros(frame.selfUs)}`;
          return (
            <button
              key={index}
              type="button"
              class={frame.selfUs > frame.totalUs * OWN_SHARE ? 'own' : ''}
              title={text}
              aria-label={text}
              style={{ left: `${left * 100}%`, width: `${width * 100}%`, top: `${row * ROW_PX}px` }}
              onClick={() => frame !== top && setPath([...path, frame])}
            >
              {frame.name}
            </button>
          );
        })}
      </div>
    </>
  );
}

function toBoxes(top: Frame): readonly Box[] {
  const boxes: Box[] = [];
  const place = (frame: Frame, depth: number, left: number): void => {
    const width = top.totalUs === 0 ? 1 : frame.totalUs / top.totalUs;
    if (width < MIN_SHARE) return;
    boxes.push({ frame, depth, left, width });
    let at = left;
    for (const child of frame.children) {
      place(child, depth + 1, at);
      at += top.totalUs === 0 ? 0 : child.totalUs / top.totalUs;
    }
  };
  place(top, 0, 0);
  return boxes;
}
