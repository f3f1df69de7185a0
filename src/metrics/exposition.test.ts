import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Exposition } from './exposition.ts';

it('Exposition writes the text format of Prometheus, with labels escaped and buckets added up', () => {
  const out = new Exposition();
  out.metric('a_total', 'counter', 'Of things.');
  out.sample('a_total', { name: 'one"\\\n' }, 3);
  out.metric('b_seconds', 'histogram', 'Of times.');
  out.histogram('b_seconds', { kind: 'kv' }, { bounds: [0.1, 1], counts: [2, 0, 1], sum: 4.5 });
  assert.equal(
    out.toString(),
    `# HELP a_total Of things.
# TYPE a_total counter
a_total{name="one\\"\\\\\\n"} 3
# HELP b_seconds Of times.
# TYPE b_seconds histogram
b_seconds_bucket{kind="kv",le="0.1"} 2
b_seconds_bucket{kind="kv",le="1"} 2
b_seconds_bucket{kind="kv",le="+Inf"} 3
b_seconds_sum{kind="kv"} 4.5
b_seconds_count{kind="kv"} 3
`,
  );
});
