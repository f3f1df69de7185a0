import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TrustedProxies } from './trusted-proxies.ts';

describe('TrustedProxies', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.7', 'fd00::/8']);

  it('knows addresses and networks of both families', () => {
    for (const address of ['10.1.2.3', '192.0.2.7', 'fd12::1']) assert.equal(proxies.has(address), true, address);
    for (const address of ['11.0.0.1', '192.0.2.8', 'fe80::1', '']) assert.equal(proxies.has(address), false, address);
    for (const network of ['', 'example.com', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/x', '10.0.0.0/']) {
      assert.throws(() => new TrustedProxies([network]), network);
    }
  });

  it('takes the last address that is not a proxy’s: what stands before it was written by who knows whom', () => {
    const clientOf = (value: string): string => proxies.clientOf('10.0.0.1', { 'x-forwarded-for': value });
    assert.equal(clientOf('203.0.113.5'), '203.0.113.5');
    assert.equal(clientOf('6.6.6.6, 203.0.113.5'), '203.0.113.5');
    assert.equal(clientOf('6.6.6.6, 203.0.113.5, 10.2.2.2,192.0.2.7'), '203.0.113.5');
    assert.equal(clientOf('10.3.3.3, 10.2.2.2'), '10.3.3.3');
    assert.equal(clientOf('203.0.113.5:4711'), '203.0.113.5');
    assert.equal(clientOf('[2001:db8::1]:4711'), '2001:db8::1');
    assert.equal(clientOf('::ffff:203.0.113.5'), '203.0.113.5');
    for (const nonsense of ['', 'unknown', '203.0.113.5, evil', '1.2.3', "'; --"]) {
      assert.equal(clientOf(nonsense), '10.0.0.1', nonsense);
    }
    assert.equal(proxies.clientOf('10.0.0.1', {}), '10.0.0.1');
  });

  it('takes the scheme that the nearest proxy saw', () => {
    assert.equal(proxies.schemeOf({ 'x-forwarded-proto': 'https' }), 'https');
    assert.equal(proxies.schemeOf({ 'x-forwarded-proto': 'https, http' }), 'http');
    assert.equal(proxies.schemeOf({ 'x-forwarded-proto': 'gopher' }), undefined);
    assert.equal(proxies.schemeOf({}), undefined);
  });
});
