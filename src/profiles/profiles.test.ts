import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type CpuProfile,
  drawFlameGraph,
  fillIdle,
  mapCallFrames,
  parseCpuProfile,
  toFrames,
  toHottest,
} from './index.ts';

const INTERVAL_US = 1_000;

function node(
  id: number,
  functionName: string,
  children: number[] = [],
  url = 'index.js',
): CpuProfile['nodes'][number] {
  return {
    id,
    callFrame: { functionName, scriptId: '7', url, lineNumber: id * 10, columnNumber: 4 },
    hitCount: 1,
    children,
  };
}

const PROFILE: CpuProfile = {
  nodes: [node(1, '(root)', [2], ''), node(2, 'fetch', [3]), node(3, 'parse')],
  startTime: 0,
  endTime: 13_000,
  samples: [2, 3, 3, 2],
  timeDeltas: [1_000, 1_000, 1_000, 10_000],
};

describe('A CPU profile', () => {
  const parse = (value: unknown): CpuProfile => parseCpuProfile(Buffer.from(JSON.stringify(value)));

  it('is what a cell sends, and nothing that does not fit together', () => {
    assert.deepEqual(parse(PROFILE), PROFILE);
    assert.throws(() => parse({ ...PROFILE, samples: [2, 3, 3, 9] }), /do not fit/);
    assert.throws(() => parse({ ...PROFILE, timeDeltas: [1] }), /do not fit/);
    assert.throws(() => parse({ ...PROFILE, nodes: [node(1, 'a', [5])], samples: [], timeDeltas: [] }), /do not fit/);
    assert.throws(() => parse({ ...PROFILE, nodes: [] }));
    assert.throws(() => parse({ ...PROFILE, nodes: [{ ...node(1, 'a'), hitCount: -1 }] }));
    assert.throws(() => parseCpuProfile(Buffer.alloc(17 * 1024 * 1024)), /at most/);
    const long = parse({ ...PROFILE, nodes: [node(1, 'x'.repeat(10_000)), node(2, 'b'), node(3, 'c')] });
    assert.equal(long.nodes[0]!.callFrame.functionName.length, 500);
  });

  it('says where nothing ran', () => {
    const filled = fillIdle(PROFILE, INTERVAL_US);
    const idle = filled.nodes.at(-1)!;
    assert.equal(idle.callFrame.functionName, '(idle)');
    assert.deepEqual(filled.samples, [2, 3, 3, idle.id, 2]);
    assert.deepEqual(filled.timeDeltas, [1_000, 1_000, 1_000, 1_000, 9_000]);
    assert.deepEqual(filled.nodes[0]!.children, [2, idle.id]);
    const { root, idleUs } = toFrames(filled);
    assert.equal(idleUs, 9_000);
    assert.deepEqual(toHottest(root, 5), [
      { name: 'parse', place: 'index.js:31', selfUs: 2_000 },
      { name: 'fetch', place: 'index.js:21', selfUs: 1_000 },
    ]);
    assert.deepEqual(fillIdle(filled, INTERVAL_US), filled);
  });

  it('is told in terms of the sources', async () => {
    const asked: string[] = [];
    const mapped = await mapCallFrames(PROFILE, (texts) => {
      asked.push(...texts);
      return Promise.resolve(texts.map((text) => text.replace('index.js:31:5', 'src/(a)/parse.ts:3:9')));
    });
    assert.deepEqual(asked, ['    at fetch (index.js:21:5)', '    at parse (index.js:31:5)']);
    assert.deepEqual(mapped.nodes[2]!.callFrame, {
      functionName: 'parse',
      scriptId: '7',
      url: 'src/(a)/parse.ts',
      lineNumber: 2,
      columnNumber: 8,
    });
    assert.deepEqual(mapped.nodes[1], PROFILE.nodes[1]);
  });

  it('is a picture in which names are text', () => {
    const hostile = '<script>alert(1)</script>\u0000"&';
    const { root } = toFrames({ ...PROFILE, nodes: [PROFILE.nodes[0]!, PROFILE.nodes[1]!, node(3, hostile)] });
    const svg = drawFlameGraph(root, hostile);
    assert.doesNotMatch(svg, /<script|\0/);
    assert.match(svg, /<title>fetch index\.js:21: 12\.0 ms, 100\.0 %, itself 1\.0 ms<\/title>/);
    assert.match(svg, /&lt;script&gt;/);
    const nothing = toFrames({ nodes: [PROFILE.nodes[0]!] }).root;
    assert.match(drawFlameGraph(nothing, 'empty'), /^<svg/);
  });

  it('leaves out no time of what calls itself very often', () => {
    const count = 5_000;
    const ids = Array.from({ length: count }, (_, index) => index + 1);
    const nodes = ids.map((id) => node(id, id === 1 ? '(root)' : 'recurses', id < count ? [id + 1] : []));
    const { root } = toFrames({ nodes, samples: [...ids, 1], timeDeltas: Array(count + 1).fill(1_000) });
    assert.equal(root.totalUs, count * 1_000);
    assert.match(drawFlameGraph(root, 'deep'), /^<svg/);
  });

  it('may have as many functions as its size allows', () => {
    const ids = Array.from({ length: 200_000 }, (_, index) => index + 1);
    const many = { ...PROFILE, nodes: ids.map((id) => node(id, 'x')), samples: [2, 3], timeDeltas: [1_000, 9_000] };
    assert.deepEqual(fillIdle(many, INTERVAL_US).samples, [2, 200_001, 3]);
  });

  it('keeps the names of two functions that were made at the same place', async () => {
    const names = ['<a>', '<b>'];
    const nodes = names.map((name, index) => ({ ...node(1, name), id: index + 1 }));
    const mapped = await mapCallFrames({ ...PROFILE, nodes }, (texts) => Promise.resolve(texts));
    assert.deepEqual(
      mapped.nodes.map(({ callFrame }) => callFrame.functionName),
      names,
    );
  });

  it('is a tree whatever was sent', () => {
    const { root } = toFrames({
      nodes: [node(1, 'a', [2]), node(2, 'b', [1, 2, 7])],
      samples: [1, 2],
      timeDeltas: [5, 5],
    });
    assert.deepEqual(
      root.children.map(({ name, children }) => [name, children]),
      [['b', []]],
    );
  });
});
