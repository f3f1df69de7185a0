/** Chromium for the tests of the dashboard: found, or as root on Debian installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];
const INSTALL = ['install', '-y', '--no-install-recommends', 'chromium'];

/** How to get it, for whoever has to. */
export const CHROMIUM_REMEDY = `apt-get ${INSTALL.join(' ')}, or ISOLA_CHROMIUM=<path>`;

export function findChromium(): string | undefined {
  const { ISOLA_CHROMIUM: chosen } = process.env;
  if (chosen !== undefined && chosen !== '') return chosen;
  return PATHS.find((path) => existsSync(path));
}

/** Resolves to whether there is one now. Never throws: the tests can do without, and say so. */
export function provideChromium(): boolean {
  if (findChromium() !== undefined) return true;
  const { ISOLA_NO_INSTALL } = process.env;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get') || ISOLA_NO_INSTALL === '1') return false;
  const options = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
  if (spawnSync('apt-get', INSTALL, options).status === 0) return findChromium() !== undefined;
  try {
    execFileSync('apt-get', ['update'], options);
    execFileSync('apt-get', INSTALL, options);
  } catch {
    return false;
  }
  return findChromium() !== undefined;
}
