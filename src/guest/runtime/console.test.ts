import assert from 'node:assert/strict';
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { HOST } from '../abi.ts';
import { createGuest } from '../testing/guest.ts';

/** What Node's own console and a Worker's are given, by what it is about. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'table() of objects and arrays': `
    console.table([{ a: 1, b: 'x' }, { a: 2, c: { d: 1 } }]);
    console.table([1, 2, 'c']);
    console.table([[1, 2], [3, 4]]);
    console.table({ row: { a: 1 }, single: 5 });
    console.table([{ a: { b: { c: 1 } }, l: [1, 2, 3, 4, 5], m: { a: 1, b: 2, c: 3 } }]);
    console.table([undefined, null, Symbol('s'), 5n]);
    console.table([{ 10: 'x', 2: 'y', z: -0 }]);
    console.table([, { a: 1 }, 3]);
    console.table([]);
    console.table({});`,
  'table() of the wanted columns': `
    console.table([{ a: 1, b: 2 }, { b: 3 }], ['b']);
    console.table([{ a: 1 }], ['none']);
    console.table([{ a: 1 }], []);
    console.table([{ a: 1, b: 2 }], ['b', 'a']);
    console.table([1, { a: 1 }], ['a']); console.table([1], ['b']);`,
  'table() of collections and views': `
    console.table(new Map([['k', 1], [{ z: 1 }, [1, 2]]]));
    console.table(new Set([1, 'a', { x: 1 }]));
    console.table(new Uint8Array(3));
    console.table([new Date(0), /x/]);`,
  'table() of what is none': `
    console.table(5); console.table(null); console.table('x %s'); console.table();`,
  'table() of wide characters': `
    console.table({ a: '\\u591a\\u5b57', b: 'x\\ny', c: 'e\\u0301', d: '\\u{1f600}' });`,
  'groups, also of lines that break': `
    console.group('a\\nb'); console.log('x\\ny'); console.table([1]); console.group(); console.log({ a: 1 });
    console.groupEnd(); console.log('z'); console.groupEnd(); console.groupEnd(); console.log('end');
    console.groupCollapsed('c', 1); console.log('d'); console.groupEnd();`,
  'assert()': `
    console.assert(true, 'no'); console.assert(false); console.assert(false, 'x %s', 'y'); console.assert(false, { a: 1 }, 'z');
    console.assert(false, 5); console.assert(); console.assert(0, '%s', 'a', 'b');`,
  'count() by label': `
    console.count(); console.count('a'); console.count(undefined); console.count(null); console.count(5);
    console.countReset('a'); console.count('a'); console.count('a'); console.countReset(); console.count();`,
  'dir() and dirxml()': `
    const deep = { a: { b: { c: { d: { e: 1 } } } } };
    console.dir(deep); console.dir(deep, { depth: 0 }); console.dir(deep, { depth: null }); console.dir('x'); console.dir();
    console.dirxml({ a: 1 }, 2);`,
  'format specifiers': `
    console.log('%s %d %i %f %j %o %O %c %%', 'a', 1.5, 1.5, '2.5', { a: 1 }, { b: 1 }, { c: 1 }, 'css');
    console.log('%'); console.log('%s'); console.log('a%sb%sc', 1); console.log('%%', 1); console.log('%x', 1);
    console.log(''); console.log(); console.log('%s', null, undefined, 5n, Symbol('a'), -0); console.log('%d', '0x10');
    console.log('%i', 'abc', [1]); console.log('%s', -0); console.log('%s', {}); console.log('%s', new Date(0));
    console.log(-0, 0, 1e21, NaN); console.log('a', undefined, null, true); console.log('100%', 5); console.log(5, '%s', 'x');
    console.log('%s%%%s', 'a', 'b'); console.log('a%', 'b'); console.log('%d', {}); console.log('%f', 'x');`,
};

function byNode(program: string): string {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done): void {
      text += chunk.toString();
      done();
    },
  });
  // oxlint-disable-next-line typescript/no-implied-eval -- a program for two consoles
  new Function('console', program)(new Console({ stdout: stream, stderr: stream, colorMode: false }));
  return text;
}

async function byWorker(program: string): Promise<string> {
  const guest = await createGuest(`export default { fetch() { ${program}; return new Response(); } }`);
  try {
    const calls = guest.fetch('http://a.example/').filter(([op]) => op === HOST.log);
    return calls.map((call) => `${String(call[3])}\n`).join('');
  } finally {
    guest.dispose();
  }
}

describe('console writes what Node does', () => {
  for (const [name, program] of Object.entries(PROGRAMS)) {
    it(name, async () => assert.equal(await byWorker(program), byNode(program)));
  }
});

describe('console.table()', () => {
  it('calls no getter, and survives what is hostile or huge', async () => {
    const text = await byWorker(`
      console.table([{ get a() { throw new Error('called'); } }]);
      console.table(new Proxy({}, { ownKeys() { throw new Error('called'); } }));
      console.table(new Array(1e9));
      console.table(new Uint8Array(1e6));
      console.table(Array.from({ length: 5_000 }, (_, i) => ({ ['k' + i]: 'x'.repeat(9_000) })));
      console.table({ [Symbol.toStringTag]: 'Map', a: 1 });
      try { console.table([], 'a'); } catch (error) { console.log(error.name); }`);
    assert.match(text, /\[Getter/);
    assert.match(text, /could not be shown/);
    assert.match(text, /\[truncated\]/);
    assert.match(text, /TypeError\n$/);
    assert.ok(text.length < 400_000);
  });
});
