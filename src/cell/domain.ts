import { toASCII } from 'tr46';

/** The URL standard's domain to ASCII, not strict (§3.5). Node's own `domainToASCII` lets bad `xn--` labels pass. */
export function domainToAscii(domain: string): string | undefined {
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
