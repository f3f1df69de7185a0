/** Built-ins of V8 that do not look whether they are to stop: only the end of the process ends some of them. */
import { stop, survive, toFamily } from '../attack.ts';

const HUGE = '{ length: 2 ** 53 - 1 }';
const SPARSE = 'new Array(2 ** 32 - 2)';

export const BUILTINS = toFamily('builtin', [
  stop('index-of-huge', `Array.prototype.indexOf.call(${HUGE}, 7);`),
  stop('fill-huge', `Array.prototype.fill.call(${HUGE}, 1);`),
  stop('reverse-huge', `Array.prototype.reverse.call(${HUGE});`),
  stop('copy-within-huge', `Array.prototype.copyWithin.call(${HUGE}, 0, 1);`),
  stop('shift-huge', `Array.prototype.shift.call(${HUGE});`),
  stop('filter-huge', `Array.prototype.filter.call(${HUGE}, () => 0);`),
  stop('reduce-huge', `Array.prototype.reduce.call(${HUGE}, () => 0, 0);`),
  stop('flat-huge', `Array.prototype.flat.call(${HUGE});`),
  stop('find-huge', `Array.prototype.find.call(${HUGE}, () => false);`),
  survive('join-huge', `return new Response(Array.prototype.join.call(${HUGE}));`),
  survive('slice-huge', `return new Response(Array.prototype.slice.call(${HUGE}));`),
  survive('splice-huge', `return new Response(Array.prototype.splice.call(${HUGE}, 0, 1));`),
  survive('sparse-index-of', `return new Response(${SPARSE}.indexOf(7));`),
  survive('sparse-sort', `return new Response(${SPARSE}.sort().length);`),
  survive('sparse-to-sorted', `return new Response(${SPARSE}.toSorted().length);`),
  survive('sparse-reverse', `return new Response(${SPARSE}.reverse().length);`),
  survive('sparse-for-each', `${SPARSE}.forEach(() => 0); return new Response("over");`),
  survive('sparse-join', `return new Response(${SPARSE}.join().length);`),
  survive('sparse-concat', `return new Response(${SPARSE}.concat(1).length);`),
  stop('string-raw', `String.raw({ raw: ${HUGE} });`),
  survive('spread-arguments', 'return new Response(Math.max(...new Array(1e8)));'),
  survive('apply-length', 'return new Response(Reflect.apply(Math.max, null, { length: 1e7 }));'),
  survive(
    'typed-array-sort',
    'return new Response(new Float64Array(1e6).map(Math.random).sort((a, b) => a - b).length);',
  ),
  survive('array-fill', 'return new Response(new Array(1e9).fill(1.5).length);'),
]);

export const BIG_INTS = toFamily('bigint', [
  survive(
    'divide',
    'let a = 7n ** 3000000n; for (let i = 0; i < 100; i++) a / 3n ** 1500000n; return new Response("over");',
  ),
  survive('multiply', 'let a = 1n << 2n ** 22n; for (;;) a = a * a;'),
  survive('power', 'return new Response(String((7n ** 30000000n) % 10n));'),
  survive('to-string', 'return new Response((7n ** 5000000n).toString().length);'),
  survive('parse', 'return new Response(String(BigInt("9".repeat(5e6)) % 10n));'),
  stop('mod-pow', 'const m = 3n ** 200000n; let a = 7n ** 200000n; for (;;) a = (a * a) % m;'),
  survive(
    'as-uint',
    'let a = -1n; for (let i = 0; i < 1000; i++) a = BigInt.asUintN(2 ** 28, a) << 1000000n; return new Response("over");',
  ),
]);

export const STRINGS = toFamily('string', [
  survive(
    'replace-explodes',
    'const a = "a".repeat(2 ** 14); return new Response(a.replaceAll("a", "$`$&$\'").length);',
  ),
  survive('replace-all', 'return new Response("a".repeat(2 ** 24).replaceAll("a", "bb".repeat(8)).length);'),
  survive('repeat', 'let a = "x"; for (;;) a = a.repeat(1000);'),
  survive('pad-start', 'return new Response("x".padStart(2 ** 29 - 25).length);'),
  survive('to-lower-case', 'return new Response("\\u0130".repeat(2 ** 27).toLowerCase().length);'),
  survive('normalize', 'return new Response("\\u1e9b\\u0323".repeat(2 ** 25).normalize("NFKD").length);'),
  survive('locale-compare', 'const a = "\\u00e4".repeat(2 ** 26); return new Response(a.localeCompare(a + "b"));'),
  survive('split', 'return new Response("a".repeat(2 ** 27).split("").length);'),
  survive('encode-uri', 'return new Response(encodeURIComponent("\\u20ac".repeat(2 ** 26)).length);'),
  survive(
    'index-of-quadratic',
    'const a = "a".repeat(2 ** 20); return new Response((a + "b").repeat(20).indexOf(a + "c"));',
  ),
  survive(
    'flatten',
    'let a = "ab"; for (let i = 0; i < 28; i++) a += a; return new Response(a.charCodeAt(2 ** 27 + 1));',
  ),
  survive(
    'json-doubles',
    'let a = ["x"]; for (let i = 0; i < 40; i++) a = [a, a]; return new Response(JSON.stringify(a).length);',
  ),
  survive('json-nested', 'return new Response(JSON.parse("[".repeat(5e7)));'),
  survive('json-large', 'return new Response(JSON.parse("[" + "1,".repeat(2e7) + "1]").length);'),
  survive(
    'segmenter',
    'return new Response([...new Intl.Segmenter("th", { granularity: "word" }).segment("\\u0e01".repeat(1e7))].length);',
  ),
  survive('text-encoder', 'return new Response(new TextEncoder().encode("\\u20ac".repeat(2 ** 25)).length);'),
  survive('atob', 'return new Response(atob("A".repeat(2 ** 26)).length);'),
  survive('url-long', 'return new Response(new URL("http://a/" + "../".repeat(2e6)).href.length);'),
  survive('search-params', 'return new Response([...new URLSearchParams("a=b&".repeat(2e6))].length);'),
]);

export const REGEXES = toFamily('regex', [
  stop('nested-plus', 'return new Response(/^(a+)+$/.test("a".repeat(40) + "b"));'),
  stop('backtracks', 'return new Response(/x*x*x*x*x*x*x*y/.test("x".repeat(1e4)));'),
  stop('back-reference', 'return new Response(/^(?:(.*)\\1?)*$/.test("ab".repeat(200) + "\\n!"));'),
  survive('lookbehind', 'return new Response(/(?<=(?:a+)+)b/.test("a".repeat(5000) + "c"));'),
  survive(
    'long-alternation',
    'return new Response(new RegExp(Array.from({ length: 3e5 }, (_, i) => "k" + i).join("|")).test("zzz"));',
  ),
  survive('deep-groups', 'return new Response(new RegExp("(".repeat(1e6)).test(""));'),
  survive('large-quantifiers', 'return new Response(new RegExp("(?:(?:a{1000}){1000}){1000}").test("a"));'),
  survive('match-all', 'return new Response([..."a".repeat(1e7).matchAll(/a/g)].length);'),
  survive('split', 'return new Response("a".repeat(2 ** 25).split(/(?:)/).length);'),
  survive('escape', 'return new Response(RegExp.escape("(".repeat(2 ** 26)).length);'),
]);
