/** Values that nobody means well with, and valid ones made so. */
import type { Random } from '../../src/guest/testing/random.ts';

const LONG = 'x'.repeat(70_000);

/** What stands where JSON is expected. */
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  -0,
  Number.MAX_SAFE_INTEGER,
  '',
  ' ',
  'null',
  LONG,
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '\u0000',
  '\ud800',
  '‮evil',
  "'; DROP TABLE workers; --",
  '${7*7}',
  '\u001b[2J',
  [],
  {},
  [[[[[[]]]]]],
  { toString: 1, valueOf: null },
  JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}'),
  Array.from({ length: 3_000 }, (_, i) => i),
];

/** What stands where a name or an id is expected in a path; all of it may be sent in a request line. */
const SEGMENTS: readonly string[] = [
  '..',
  '.',
  '%2e%2e',
  '%2e%2e%2f%2e%2e',
  '%00',
  '%0d%0aset-cookie:x=1',
  '%ff',
  '%',
  '*',
  ':account',
  '__proto__',
  'constructor',
  'undefined',
  '-',
  'MAIN',
  'main%20',
  'main;x=1',
  '00000000-0000-0000-0000-000000000000',
  '0'.repeat(32),
  'a'.repeat(600),
  '%F0%9F%92%A9',
  "'%20OR%201=1--",
];

const BODIES: readonly string[] = [
  '',
  ' ',
  '{',
  '[',
  'null',
  '"text"',
  '{"a":1}{"a":2}',
  `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
  `{"name":"${LONG}"}`,
  '\u0000\u0001\u0002',
  '{"\ud800":1}',
  `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`,
];

const QUERIES: readonly string[] = [
  '',
  '?',
  '?page=-1&per_page=999999999999',
  '?page=1e99&per_page=NaN',
  '?limit=-5&cursor=%00%ff',
  '?cursor=AAAA&prefix=%2e%2e%2f',
  '?page=1&page=2&page[]=3',
  '?__proto__[admin]=1&constructor=1',
  `?q=${'a'.repeat(8_000)}`,
  '?force=true',
  '?url_encoded=true&bindings_inherit=strict&excludeScript=true',
];

/** What stands in a header, a name of one, or a line of a head. */
const TEXTS: readonly string[] = [
  '',
  ' ',
  'a',
  'x'.repeat(300),
  LONG,
  'content-length',
  '-1',
  '18446744073709551616',
  'transfer-encoding',
  'chunked, identity',
  'connection',
  'upgrade, keep-alive, x',
  'upgrade',
  'websocket',
  'host',
  'set-cookie',
  'a=b; Path=/; HttpOnly\r\nx: y',
  'x-isola-ray',
  'trailer',
  '\u0000',
  '\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  '\t\u007f\u0080\u00ff',
  '__proto__',
  'constructor',
  '../../..',
  '%00%0d%0a',
  '0x10',
  '1e3',
];

export function hostileText(random: Random): string {
  return random.pick(TEXTS);
}

export function hostileValue(random: Random): unknown {
  return random.pick(VALUES);
}

export function hostileSegment(random: Random): string {
  return random.pick(SEGMENTS);
}

export function hostileBody(random: Random): string {
  return random.pick(BODIES);
}

export function anyQuery(random: Random): string {
  return random.chance(70) ? '' : random.pick(QUERIES);
}

/** The value with one part of it, anywhere, made another, taken away or doubled. */
export function mutate(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || random.chance(15)) return hostileValue(random);
  if (Array.isArray(value)) {
    if (value.length === 0) return [hostileValue(random)];
    const at = random.below(value.length);
    return value.flatMap((item: unknown, i) =>
      i === at ? [mutate(item, random), ...(random.chance(20) ? [item] : [])] : [item],
    );
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || random.chance(10))
    entries.push([random.pick(['__proto__', 'x', '', LONG]), hostileValue(random)]);
  const at = random.below(entries.length);
  if (random.chance(20)) entries.splice(at, 1);
  else entries[at] = [entries[at]![0], mutate(entries[at]![1], random)];
  return Object.fromEntries(entries);
}

/** A form with what makes parsers stumble: parts twice, without end, with names that lead elsewhere. */
export function hostileForm(random: Random): { type: string; body: string } {
  const boundary = random.pick(['b', '----x', 'a'.repeat(70), 'b']);
  const metadata = JSON.stringify(
    mutate(
      {
        main_module: 'index.js',
        bindings: [{ type: 'plain_text', name: 'A', text: 'a' }],
        compatibility_date: '2026-01-01',
      },
      random,
    ),
  );
  const parts = [
    `Content-Disposition: form-data; name="metadata"\r\n\r\n${metadata}`,
    `Content-Disposition: form-data; name="index.js"; filename="index.js"\r\nContent-Type: application/javascript+module\r\n\r\nexport default {}`,
    `Content-Disposition: form-data; name="../../x"; filename="../../x"\r\nContent-Type: application/wasm\r\n\r\n\0asm`,
    `Content-Disposition: form-data\r\n\r\n`,
    `Content-Disposition: form-data; name="__proto__"; filename="a"\r\n\r\n`,
    `Content-Type: application/javascript+module\r\n\r\n`,
    `Content-Disposition: form-data; name="metadata"\r\n\r\n${random.pick(BODIES)}`,
    `Content-Disposition: form-data; name="value"\r\n\r\nv`,
  ];
  const chosen = Array.from({ length: 1 + random.below(4) }, () => random.pick(parts));
  const end = random.chance(70) ? `--${boundary}--\r\n` : random.pick(['', '--', `--${boundary}`]);
  const body = chosen.map((part) => `--${boundary}\r\n${part}\r\n`).join('') + end;
  const type = random.pick([
    `multipart/form-data; boundary=${boundary}`,
    `multipart/form-data; boundary=${boundary}`,
    'multipart/form-data',
    `multipart/form-data; boundary=other`,
    'application/json',
    'text/plain;charset=UTF-8',
  ]);
  return { type, body };
}
