import type { Command, CommandGroup } from './options.ts';
import { version } from './version.ts';

/** Every command, in the order of `isola --help`. Loaded when asked for: `isola version` must not pay for esbuild or the platform. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command | CommandGroup>>> = {
  serve: async () => (await import('./serve.ts')).serve,
  start: async () => (await import('./start.ts')).start,
  dev: async () => (await import('./dev.ts')).dev,
  account: async () => (await import('./account.ts')).account,
  token: async () => (await import('./token.ts')).token,
  secrets: async () => (await import('./secrets.ts')).secrets,
  audit: async () => (await import('./audit.ts')).audit,
  usage: async () => (await import('./usage.ts')).usage,
  logs: async () => (await import('./logs.ts')).logs,
  heap: async () => (await import('./heap.ts')).heap,
  profile: async () => (await import('./profile.ts')).profile,
  invoice: async () => (await import('./invoice.ts')).invoice,
  trigger: async () => (await import('./trigger.ts')).trigger,
  test: async () => (await import('./test.ts')).test,
  bench: async () => (await import('./bench.ts')).bench,
  drill: async () => (await import('./drill.ts')).drill,
  screenshots: async () => (await import('./screenshots.ts')).screenshots,
  wpt: async () => (await import('./wpt.ts')).wpt,
  attack: async () => (await import('./attack.ts')).attack,
  doctor: async () => (await import('./doctor.ts')).doctor,
  version: async () => version,
};
