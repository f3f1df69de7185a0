import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random, RUNS, SEED } from '../testing/random.ts';
import { encodeFormData, File, FormData, parseMultipart } from '../parts/forms.ts';

const NativeFormData = globalThis.FormData;
const NativeFile = globalThis.File;
const NAMES = [
  'a',
  'a',
  'b',
  '',
  'n\u00e4me',
  'quote"',
  'line\nbreak',
  'cr\rlf\r\n',
  '%22',
  '\u{1f600}',
  'back\\slash',
  ';',
];
const TEXTS = [
  '',
  'x',
  'two\r\nlines',
  'lf\nonly',
  'cr\ronly',
  '--',
  '\r\n--boundary',
  '\u{1f600}\u00e9',
  'y'.repeat(300),
];
const TYPES = ['', 'text/plain', 'application/octet-stream', 'image/png'];
const SHARE = 20; // encoding costs more than the other properties

type Entry = readonly [name: string, value: string, file: { name: string; type: string } | undefined];

function randomEntries(random: Random): Entry[] {
  return Array.from({ length: random.below(6) }, () => {
    // Node writes an empty file name as none, so that the file becomes text.
    const file = random.chance(40) ? { name: random.pick(NAMES) || 'file', type: random.pick(TYPES) } : undefined;
    return [random.pick(NAMES), random.pick(TEXTS), file];
  });
}

/** Both have the same interface, which their types do not say. */
function fill(form: InstanceType<typeof NativeFormData>, file: typeof NativeFile, entries: readonly Entry[]): void {
  for (const [name, value, meta] of entries) {
    if (meta === undefined) form.append(name, value);
    else form.append(name, new file([value], meta.name, { type: meta.type }));
  }
}

async function describeEntries(form: Iterable<[string, unknown]>): Promise<unknown[]> {
  const described: unknown[] = [];
  for (const [name, value] of form) {
    if (typeof value === 'string') described.push([name, value]);
    else {
      const file = value as InstanceType<typeof NativeFile>;
      described.push([name, file.name, file.type, await file.text()]);
    }
  }
  return described;
}

describe('multipart/form-data, beside that of Node', () => {
  it(`goes both ways in ${RUNS / SHARE} random forms (seed ${SEED})`, async () => {
    const random = new Random(SEED);
    for (let run = 0; run < RUNS / SHARE; run++) {
      const entries = randomEntries(random);
      const where = JSON.stringify(entries);
      const ours = new FormData();
      fill(ours as never, File as never, entries);
      const { bytes, boundary } = encodeFormData(ours);
      const theirs = new NativeFormData();
      fill(theirs, NativeFile, entries);
      const response = new Response(theirs);
      const type = response.headers.get('content-type') ?? '';
      const sent = new Uint8Array(await response.arrayBuffer());

      const readByThem = new Response(bytes, {
        headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
      });
      const readByUs = parseMultipart(sent, type.slice(type.indexOf('boundary=') + 9));
      const expected = await describeEntries(
        (await new Response(sent, { headers: { 'content-type': type } }).formData()) as never,
      );
      assert.deepEqual(await describeEntries(readByUs as never), expected, `read by us: ${where}`);
      if (entries.length > 0) {
        assert.deepEqual(
          await describeEntries((await readByThem.formData()) as never),
          expected,
          `sent by us: ${where}`,
        );
      }
    }
  });

  it(`survives ${RUNS / SHARE} damaged forms: an error, or a form (seed ${SEED})`, async () => {
    const random = new Random(SEED);
    for (let run = 0; run < RUNS / SHARE; run++) {
      const form = new FormData();
      fill(form as never, File as never, randomEntries(random));
      const { bytes, boundary } = encodeFormData(form);
      const damaged = bytes.slice(0, bytes.length - (random.chance(50) ? random.below(bytes.length + 1) : 0));
      for (let left = random.below(4); left > 0 && damaged.length > 0; left--) {
        damaged[random.below(damaged.length)] = random.below(256);
      }
      try {
        assert.ok(parseMultipart(damaged, boundary) instanceof FormData);
      } catch (error) {
        assert.equal((error as Error).name, 'TypeError');
      }
    }
  });
});
