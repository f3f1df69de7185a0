import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CLIENT_SPAN = '00f067aa0ba902b7';
const TRACEPARENT = /^00-([\da-f]{32})-([\da-f]{16})-01$/;

describe('Traces', () => {
  let collector: Awaited<ReturnType<typeof startCollector>>;
  let origin: Awaited<ReturnType<typeof startOrigin>>;
  let platform: TestPlatform;

  before(async () => {
    collector = await startCollector();
    origin = await startOrigin();
    const tracing = ['--otlp-endpoint', collector.url, '--trace-ratio', '1'];
    platform = await startTestPlatform(['--cells', '1', '--allow-private-egress', ...tracing]);
    const inner = `export default { async fetch(request) {
      const answer = await fetch('${origin.url}');
      await caches.default.match('https://example.com/');
      return new Response(request.headers.get('traceparent') + ' ' + (await answer.text()));
    } }`;
    await deployCode(platform, 'inner', inner);
    const outer = 'export default { fetch: (request, env) => env.INNER.fetch(request) }';
    await deployCode(platform, 'outer', outer, [{ type: 'service', name: 'INNER', service: 'inner' }]);
    const failing = 'export default { fetch() { throw new Error("no") } }';
    await deployCode(platform, 'failing', failing);
  });
  after(async () => {
    await platform.stop();
    await collector.close();
    await origin.close();
  });

  it('go from the client through gateway, Workers and host calls to the origin', async () => {
    const { headers, text } = await platform.request('outer', '/path?secret=1', {
      headers: { traceparent: `00-${TRACE}-${CLIENT_SPAN}-00` },
    });
    const spans = await collector.until((all) => {
      const ours = all.filter(({ traceId }) => traceId === TRACE);
      return ours.length === 6 ? ours : undefined;
    });
    const one = (name: string) => {
      const [found, ...others] = spans.filter((span) => span.name === name);
      assert.ok(found !== undefined && others.length === 0, name);
      return found;
    };
    const request = one('GET');
    const outer = one('fetch outer');
    const service = one('service');
    const inner = one('fetch inner');
    assert.equal(request.parentSpanId, CLIENT_SPAN);
    assert.equal(outer.parentSpanId, request.spanId);
    assert.equal(service.parentSpanId, outer.spanId);
    assert.equal(inner.parentSpanId, service.spanId);
    for (const name of ['network', 'cache']) assert.equal(one(name).parentSpanId, inner.spanId);

    // What the Workers and the origin were told.
    const network = one('network');
    assert.deepEqual(TRACEPARENT.exec(origin.asked.at(-1)?.['traceparent'] as string)?.slice(1), [
      TRACE,
      network.spanId,
    ]);
    assert.equal(text, `00-${TRACE}-${service.spanId}-01 origin`);

    const of = (span: Span, key: string) => span.attributes.find((attribute) => attribute.key === key)?.value;
    assert.deepEqual(of(request, 'isola.ray'), { stringValue: headers['x-isola-ray'] });
    assert.deepEqual(of(request, 'http.response.status_code'), { intValue: 200 });
    assert.deepEqual(of(request, 'url.path'), { stringValue: '/path' });
    assert.deepEqual(of(inner, 'isola.outcome'), { stringValue: 'ok' });
    for (const span of spans) {
      assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano), span.name);
      assert.ok(Math.abs(Number(BigInt(span.startTimeUnixNano) / 1_000_000n) - Date.now()) < 120_000, span.name);
    }
  });

  it('begin at the gateway without a client that traces, and show what failed', async () => {
    assert.equal((await platform.request('failing', '/')).status, 500);
    const failed = await collector.until((all) => all.find(({ name }) => name === 'fetch failing'));
    assert.equal(failed.status.code, 2);
    const request = await collector.until((all) => all.find(({ spanId }) => spanId === failed.parentSpanId));
    assert.deepEqual([request.traceId, request.parentSpanId ?? ''], [failed.traceId, '']);
  });

  it('begin with a scheduled event, and go on to what it fetches', async () => {
    const code = `export default { scheduled: () => fetch('${origin.url}') }`;
    await deployCode(platform, 'cron', code);
    const fired = await platform.control('/accounts/main/workers/scripts/cron/isola/scheduled', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ cron: '*/5 * * * *' }),
    });
    assert.equal(fired.status, 200);
    const root = await collector.until((all) => all.find(({ name }) => name === 'scheduled cron'));
    assert.equal(root.parentSpanId ?? '', '');
    const network = await collector.until((all) => all.find(({ parentSpanId }) => parentSpanId === root.spanId));
    assert.deepEqual([network.name, network.traceId], ['network', root.traceId]);
    assert.deepEqual(TRACEPARENT.exec(origin.asked.at(-1)?.['traceparent'] as string)?.slice(1), [
      root.traceId,
      network.spanId,
    ]);
  });

  it('leave a header of the Worker’s own alone, and answer requests that nobody serves', async () => {
    const own = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;
    const code = `export default { fetch: () => fetch('${origin.url}', { headers: { traceparent: '${own}' } }) }`;
    await deployCode(platform, 'own', code);
    await platform.request('own', '/', { headers: { traceparent: 'not one' } });
    assert.equal(origin.asked.at(-1)?.['traceparent'], own);
    await platform.request('nobody', '/missing');
    await collector.until((all) =>
      all.find(({ attributes }) => attributes.some(({ value }) => value.stringValue === '/missing')),
    );
  });
});

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
  readonly status: { readonly code: number };
}

interface Export {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

/** What a collector of OpenTelemetry's is to an exporter. */
async function startCollector() {
  const spans: Span[] = [];
  let wake = (): void => {};
  const server = createServer((req, res) => {
    void json(req).then((body) => {
      assert.equal(req.url, '/v1/traces');
      const { resourceSpans } = body as Export;
      for (const { scopeSpans } of resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans);
      res.setHeader('content-type', 'application/json').end('{}');
      wake();
    });
  });
  return {
    ...(await listen(server)),
    async until<T>(find: (spans: readonly Span[]) => T | undefined): Promise<T> {
      for (;;) {
        const found = find(spans);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

async function startOrigin() {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer((req, res) => {
    asked.push(req.headers);
    res.end('origin');
  });
  return { ...(await listen(server)), asked };
}

async function listen(server: ReturnType<typeof createServer>) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
