import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { HOST } from '../abi.ts';
import { createGuest, type TestGuest } from '../testing/guest.ts';

describe('HTMLRewriter', () => {
  const open: TestGuest[] = [];
  after(() => {
    for (const guest of open) guest.dispose();
  });

  /** What the body of a handler answers, which has `rewrite(html, rewriter)` and answers a string. */
  async function run(body: string): Promise<string> {
    const guest = await createGuest(`
      const rewrite = (html, rewriter) => rewriter.transform(new Response(html)).text();
      export default { async fetch(request, env, ctx) {
        return new Response(await (async () => { ${body} })().catch((error) => \`\${error.name}: \${error.message}\`));
      } }`);
    open.push(guest);
    const calls = guest.fetch('http://a.example/');
    const response = calls.find(([op]) => op === HOST.respond);
    assert.ok(response, JSON.stringify(calls));
    return String(response[4]);
  }

  it('changes elements: attributes, content, tags', async () => {
    assert.equal(
      await run(`return rewrite('<p class=a>x<b>y</b></p><br><i>z</i>', new HTMLRewriter()
        .on('p.a', { element(e) {
          e.setAttribute('id', '<"1">').removeAttribute('class').before('<1>').after('<u>2</u>', { html: true });
          e.prepend('3').append('4');
        } })
        .on('b', { element(e) { e.tagName = 'strong'; e.setInnerContent('<&', { html: false }) } })
        .on('br', { element(e) { e.replace('<hr>', { html: true }) } })
        .on('i', { element(e) { e.removeAndKeepContent() } }))`),
      '&lt;1&gt;<p id="<&quot;1&quot;>">3x<strong>&lt;&amp;</strong>4</p><u>2</u><hr>z',
    );
  });

  it('reads elements', async () => {
    assert.equal(
      await run(`let seen; await rewrite('<A Href=x data-b>t</A>', new HTMLRewriter().on('a[href]', { element(e) {
        seen = [e.tagName, e.namespaceURI, e.getAttribute('HREF'), e.getAttribute('none'), e.hasAttribute('data-b'),
          [...e.attributes], e.removed, e.remove() === e && e.removed, Object.prototype.toString.call(e)];
      } })); return JSON.stringify(seen)`),
      '["a","http://www.w3.org/1999/xhtml","x",null,true,[["href","x"],["data-b",""]],false,true,"[object Element]"]',
    );
  });

  it('handles text, comments, doctype, end tags and the end', async () => {
    assert.equal(
      await run(`const seen = []; const out = await rewrite('<!doctype html><p>a&amp;b<!-- c --></p>', new HTMLRewriter()
        .on('p', {
          element(e) { e.onEndTag((tag) => { seen.push(tag.name); tag.before('!'); tag.name = 'q' }) },
          text(t) { seen.push(t.text, t.lastInTextNode); if (t.lastInTextNode) t.after('+') },
          comments(c) { seen.push(c.text); c.text = 'd' },
        })
        .onDocument({
          doctype(d) { seen.push(d.name, d.publicId, d.systemId) },
          comments(c) { c.before('C') },
          end(e) { e.append('<end>', { html: true }) },
        }));
        return out + JSON.stringify(seen)`),
      '<!doctype html><p>a&amp;b+C<!--d-->!</q><end>["html",null,null,"a&amp;b",false,"",true," c ","p"]',
    );
  });

  it('waits for asynchronous handlers, in order', async () => {
    assert.equal(
      await run(`const later = () => new Promise((resolve) => queueMicrotask(resolve));
        const seen = [];
        const out = await rewrite('<p>1</p><p>2</p>', new HTMLRewriter().on('p', {
          async element(e) { seen.push('a'); await later(); e.setAttribute('x', 'y'); await later(); e.append('!'); seen.push('b') },
          async text(t) { await null; if (t.text) { seen.push(t.text); t.replace('<' + t.text) } },
        })); return out + seen`),
      '<p x="y">&lt;1!</p><p x="y">&lt;2!</p>a,b,1,a,b,2',
    );
  });

  it('two rewriters with asynchronous handlers run at once, also one inside the other', async () => {
    assert.equal(
      await run(`const rewriter = (name, work) => new HTMLRewriter().on('p', {
          async element(e) { await null; e.setAttribute(name, await work()); await null },
        });
        const html = '<p>a</p>'.repeat(3);
        const inner = rewriter('i', async () => '1');
        const all = await Promise.all([1, 2, 3].map((n) => rewrite(html, rewriter('n', async () => n))));
        const nested = await rewrite('<p>', rewriter('o', () => rewrite('<p>', inner)));
        return all.map((text) => text.length).join() + all[2].slice(0, 11) + nested`),
      '42,42,42<p n="3">a<<p o="<p i=&quot;1&quot;>">',
    );
  });

  it('inserts the text of a Response or a stream, in the order of the calls', async () => {
    assert.equal(
      await run(`return rewrite('<p></p>', new HTMLRewriter().on('p', { element(e) {
        e.append(new Response('<1>')).append('<2>', { html: true });
        e.append(new Blob(['<3>']).stream(), { html: true });
        e.before('0');
      } }))`),
      '0<p>&lt;1&gt;<2><3></p>',
    );
  });

  it('keeps the head but for the length, and leaves a response without a body as it is', async () => {
    assert.equal(
      await run(`const response = new Response('<p>', { status: 201, statusText: 'Yes', headers: { 'content-length': '3', a: 'b' } });
        const out = new HTMLRewriter().transform(response);
        const empty = new HTMLRewriter().transform(new Response(null, { status: 204 }));
        return JSON.stringify([out.status, out.statusText, [...out.headers], response.bodyUsed, empty.status, await out.text()])`),
      '[201,"Yes",[["a","b"],["content-type","text/plain;charset=UTF-8"]],true,204,"<p>"]',
    );
  });

  it('streams: a chunk is rewritten when it is asked for', async () => {
    assert.equal(
      await run(`let pulls = 0;
        const source = new ReadableStream({ pull(controller) {
          pulls++;
          if (pulls > 3) controller.close(); else controller.enqueue(new TextEncoder().encode('<p>' + pulls + '</p>'));
        } }, { highWaterMark: 0 });
        const reader = new HTMLRewriter().on('p', { element(e) { e.setAttribute('a', 'b') } })
          .transform(new Response(source)).body.getReader();
        const seen = [pulls];
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          seen.push(new TextDecoder().decode(value), pulls);
        }
        return seen.join('|')`),
      '0|<p a="b">1</p>|1|<p a="b">2</p>|2|<p a="b">3</p>|3',
    );
  });

  it('a handler that throws or rejects fails the body with its reason, and no later handler runs', async () => {
    for (const throws of ['throw reason', 'return Promise.reject(reason)', 'await null; throw reason']) {
      assert.equal(
        await run(`const reason = new RangeError('no'); let calls = 0;
          try {
            await rewrite('<p>1</p><p>2</p>', new HTMLRewriter().on('p', { ${throws.includes('await') ? 'async ' : ''}element() { calls++; ${throws} } }));
          } catch (error) { return String([error === reason, calls]) }`),
        'true,1',
        throws,
      );
    }
    assert.equal(await run(`return rewrite('<p>after</p>', new HTMLRewriter())`), '<p>after</p>');
  });

  it('fails with the error of its source', async () => {
    assert.equal(
      await run(`const source = new ReadableStream({ pull() { throw new SyntaxError('source') } });
        return rewrite(source, new HTMLRewriter())`),
      'SyntaxError: source',
    );
  });

  it('refuses bad selectors, handlers, attributes and content', async () => {
    const cases = [
      [`new HTMLRewriter().on('p:unknown', {})`, /^TypeError: .*selector/],
      [`new HTMLRewriter().on('p')`, /^TypeError/],
      [`new HTMLRewriter().on('p', { element: 1 })`, /^TypeError/],
      [`new HTMLRewriter().transform('x')`, /^TypeError/],
      [`await rewrite('<p>', new HTMLRewriter().on('p', { element(e) { e.setAttribute('a b', '') } }))`, /^TypeError/],
      [
        `await rewrite('<br>', new HTMLRewriter().on('br', { element(e) { e.onEndTag(() => {}) } }))`,
        /^TypeError: .*end tag/,
      ],
      [`await rewrite('<p>', new HTMLRewriter().on('p', { element(e) { e.append(Symbol()) } }))`, /^TypeError/],
      [`await rewrite('<p>', new HTMLRewriter().on('p', { comments: 1, element: null }))`, /^TypeError/],
    ] as const;
    for (const [code, expected] of cases) assert.match(await run(`${code}; return 'nothing thrown'`), expected, code);
  });

  it('a token kept beyond its handler throws', async () => {
    assert.match(
      await run(`const kept = []; await rewrite('<p>a<!--b--></p>', new HTMLRewriter().on('p', {
          element(e) { kept.push(() => e.tagName, () => e.append('x'), () => e.onEndTag(() => {}), () => e.attributes); e.onEndTag((tag) => void kept.push(() => tag.name)) },
          async text(t) { await null; kept.push(() => t.text) }, comments(c) { kept.push(() => { c.text = 'x' }) },
        }));
        return kept.map((use) => { try { use(); return 'used' } catch (error) { return error.message.slice(0, 38) } }).join('|')`),
      /^(This content token is no longer valid\.\|?){8,}$/,
    );
  });

  it('a reader that goes away ends it, also while a handler is waited for', async () => {
    assert.equal(
      await run(`let release; const waiting = new Promise((resolve) => { release = resolve }); let cancelled;
        const source = new ReadableStream({ pull(c) { c.enqueue(new TextEncoder().encode('<p>x</p>')) }, cancel(reason) { cancelled = reason } });
        const reader = new HTMLRewriter().on('p', { async element(e) { await waiting; e.append('y') } })
          .transform(new Response(source)).body.getReader();
        const read = reader.read();
        await null; await null;
        await reader.cancel('enough');
        release();
        return String(cancelled) + (await read).done`),
      'enoughtrue',
    );
  });

  it('bounds what a document makes it hold', async () => {
    assert.match(
      await run(`const chunk = new Uint8Array(64 * 1024).fill(97);
        let count = 0;
        const source = new ReadableStream({ pull(c) { c.enqueue(count++ === 0 ? new TextEncoder().encode('<p x="') : chunk) } });
        return rewrite(source, new HTMLRewriter().on('p', { element(e) {} }))`),
      /^RangeError: The HTML rewriter has run out of memory/,
    );
    assert.match(
      await run(
        `return rewrite('<p>'.repeat(40), new HTMLRewriter().on('p', { element(e) { e.append('x'.repeat(1e6)) } }))`,
      ),
      /^RangeError: The HTML rewriter has run out of memory/,
    );
  });

  it('is not led astray by patched prototypes', async () => {
    assert.equal(
      await run(`        new Response('').body;
        Function.prototype.bind = () => { throw new Error('patched') };
        Uint8Array.prototype.subarray = Map.prototype.get = String.prototype.slice = () => { throw new Error('patched') };
        return rewrite('<p>x', new HTMLRewriter().on('p', { element(e) { e.setAttribute('a', 'b') } }))`),
      '<p a="b">x',
    );
  });
});
