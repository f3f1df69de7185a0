import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isPublicAddress } from './addresses.ts';

describe('isPublicAddress', () => {
  for (const address of [
    '1.1.1.1',
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '2a00:1450::1',
  ]) {
    it(`lets tenants reach ${address}`, () => assert.equal(isPublicAddress(address), true));
  }
  const refused = [
    '0.0.0.0',
    '0.1.2.3',
    '10.1.2.3',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.255.254',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.168.1.1',
    '198.19.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:a9fe:a9fe',
    '64:ff9b::7f00:1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    '2606:4700::1111%eth0',
    'ff02::1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::a00:1',
    '64:ff9b:1:ffff::7f00:1',
    '::a00:1',
    '::ffff:0:7f00:1',
    '100::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2001:20::1',
    '2002:a9fe:a9fe::1',
    '2002:c0a8:101::1',
    '3fff::1',
    '5f00::1',
    'fec0::1',
    'febf::1',
    'ff0e::1',
    '192.0.0.8',
    '192.88.99.1',
    '203.0.113.9',
    '239.255.255.250',
    'localhost',
    '',
  ];
  for (const address of refused) {
    it(`keeps tenants from '${address}'`, () => assert.equal(isPublicAddress(address), false));
  }
});
