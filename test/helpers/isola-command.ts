/** One `isola` command against a test platform, as an operator types it. */
import { spawnIsola } from './isola-process.ts';
import type { TestPlatform } from './platform.ts';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

export async function runIsola(
  platform: Pick<TestPlatform, 'controlUrl' | 'token'>,
  args: readonly string[],
): Promise<CommandResult> {
  const child = spawnIsola([...args, '--url', platform.controlUrl], { ISOLA_ADMIN_TOKEN: platform.token });
  const { code } = await child.exited;
  return { stdout: child.stdout.join('\n'), stderr: child.stderr.join('\n'), code };
}
