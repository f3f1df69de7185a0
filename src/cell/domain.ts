import { toASCII } from 'tr46';

// A name has 253 characters at most (RFC 1035 §2.3.4); Punycode takes time by the square, here, for everybody.
const MAX_DOMAIN = 512;

/** The URL standard's domain to ASCII, not strict (§3.5). Node's own `domainToASCII` lets bad `xn--` labels pass. */
export function domainToAscii(domain: string): string | undefined {
  if (domain.length > MAX_DOMAIN) return undefined;
  const ascii = toASCII(domain, {
    checkHyphens: false,
    checkBidi: true,
    checkJoiners: true,
    useSTD3ASCIIRules: false,
    verifyDNSLength: false,
    ignoreInvalidPunycode: false,
    transitionalProcessing: false,
  });
  return ascii === null || ascii === '' ? undefined : ascii;
}
